import { formatInstant, type InstantMs } from '../clock.ts';
import type { Database, Queryable, Transaction } from '../database/database.ts';
import {
  AMOUNT_OF_ENTRY,
  COUNTS_ENTRY,
  TIME_KEY_OF_ENTRY,
} from '../ledger/rollups/budget-count-store.ts';
import type { Pico } from '../money.ts';
import { present } from '../present.ts';
import type { Budget } from './budget.ts';

/** A row of `budgets`, as statements here select it. */
export interface BudgetRow {
  readonly budget_id: bigint;
  readonly tenant_id: string;
  readonly measure: Budget['measure'];
  readonly per: Budget['per'];
  readonly feature: string;
  readonly user_id: string;
  readonly agent_run_id: string;
  readonly tags: Budget['tags'];
  readonly amount: Pico;
  readonly currency: string | null;
  readonly is_hard: boolean;
  readonly on_unavailable: Budget['onUnavailable'];
  readonly priced_only: boolean;
  readonly thresholds: readonly number[];
  readonly loop: 'warn' | 'deny' | null;
  readonly loop_steps: number | null;
}

export function budgetOf(row: BudgetRow): Budget {
  return {
    budgetId: row.budget_id,
    tenantId: row.tenant_id,
    measure: row.measure,
    per: row.per,
    feature: row.feature || null,
    userId: row.user_id || null,
    agentRunId: row.agent_run_id || null,
    tags: row.tags,
    limit: row.amount,
    currency: row.currency,
    isHard: row.is_hard,
    onUnavailable: row.on_unavailable,
    pricedOnly: row.priced_only,
    thresholds: row.thresholds,
    loop:
      row.loop === null || row.loop_steps === null
        ? null
        : { verdict: row.loop, steps: row.loop_steps },
  };
}

/** Every column of a `BudgetRow` of a budget `b`. */
export const BUDGET_COLUMNS = `b.budget_id, b.tenant_id, b.measure, b.per, b.feature, b.user_id, b.agent_run_id, b.tags,
    b.amount, b.currency, b.is_hard, b.on_unavailable, b.priced_only, b.thresholds, b.loop, b.loop_steps`;

export type NewBudget = Omit<Budget, 'budgetId'>;

/** Sets a budget, or changes the one of the same scope. The caller keeps folds from counting. */
export async function saveBudget(
  { client }: Transaction,
  budget: NewBudget,
  of: {
    readonly actor: string;
    readonly at: InstantMs;
    readonly timeZone: string;
    readonly periodStart: string;
  },
): Promise<Budget> {
  const { rows } = await client.query<BudgetRow & { recount: boolean }>(
    `with before as (
       select budget_id, currency from budgets where (tenant_id, measure, per, feature, user_id, agent_run_id, tags)
         = ($1, $2, $3, $4, $5, $6, $7::jsonb)
     ), saved as (
       insert into budgets as b (tenant_id, measure, per, feature, user_id, agent_run_id, tags, amount, currency, is_hard,
         on_unavailable, priced_only, thresholds, loop, loop_steps, set_at, set_by, time_zone, counts_from, counts_from_period)
       values ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9, $10, $11, $12, $13::integer[], $14, $15, $16::timestamptz, $17, $18,
         case when $3 = 'day' then date_trunc('day', $16::timestamptz at time zone $18) at time zone $18
           else $16::timestamptz end, $19::date)
       on conflict (tenant_id, measure, per, feature, user_id, agent_run_id, tags) do update
         set amount = excluded.amount, currency = excluded.currency, is_hard = excluded.is_hard,
           on_unavailable = excluded.on_unavailable, priced_only = excluded.priced_only,
           thresholds = excluded.thresholds, loop = excluded.loop, loop_steps = excluded.loop_steps,
           set_at = excluded.set_at, set_by = excluded.set_by
       returning b.*
     )
     select ${BUDGET_COLUMNS}, not exists (select from before o where o.currency is not distinct from b.currency) as recount
     from saved b`,
    [
      ...keyValues(budget),
      ...[budget.limit, budget.currency, budget.isHard, budget.onUnavailable, budget.pricedOnly],
      ...[budget.thresholds, budget.loop?.verdict ?? null, budget.loop?.steps ?? null],
      ...[formatInstant(of.at), of.actor, of.timeZone, of.periodStart],
    ],
  );
  const row = present(rows[0], 'the budget that was set');
  if (row.recount) await recount(client, row);
  return budgetOf(row);
}

/** So many of the holds in the way are named. */
const HOLDS_NAMED = 5;

/**
 * Reads the open holds of a budget that counts in another currency than it is to count in, those that hold something in it:
 * the first of them by name, and how many there are.
 */
export async function readHoldsInTheWay(
  { client }: Transaction,
  budget: BudgetKey & Pick<Budget, 'currency'>,
): Promise<{ readonly count: number; readonly currency: string; readonly names: string[] } | null> {
  const { rows } = await client.query<{ currency: string; hold_id: string; count: bigint }>(
    `select b.currency, h.hold_id, count(*) over () as count
     from budgets b join budget_holds h on h.tenant_id = b.tenant_id and h.state = 'open'
       and exists (select from unnest(h.budget_ids, h.amounts) u(budget_id, amount) where u.budget_id = b.budget_id and u.amount > 0)
     where (b.tenant_id, b.measure, b.per, b.feature, b.user_id, b.agent_run_id, b.tags) = ($1, $2, $3, $4, $5, $6, $7::jsonb)
       and b.currency is distinct from $8
     order by h.held_at, h.hold_id limit ${HOLDS_NAMED}`,
    [...keyValues(budget), budget.currency],
  );
  const [first] = rows;
  if (first === undefined) return null;
  const { count, currency } = first;
  return { count: Number(count), currency, names: rows.map(({ hold_id: id }) => id) };
}

/** A producer's clock may be ahead by a day, so that much earlier may an entry have been recorded. */
const RECORDED_SINCE = `e.recorded_at >= (select counts_from from budgets where budget_id = $1) - interval '1 day'`;
const PERIODS_SINCE = `e.period_start >= (select counts_from_period from budgets where budget_id = $1)`;

/** Counts what was folded before the budget was set; what is not folded yet the folds will count. */
async function recount(client: Queryable, { budget_id, per }: BudgetRow): Promise<void> {
  const values = [budget_id];
  await client.query({
    text: 'update budget_counters set spent = 0 where budget_id = $1',
    values,
  });
  await client.query({
    text: `insert into budget_counters as c (budget_id, time_key, spent)
      select b.budget_id, ${TIME_KEY_OF_ENTRY}, sum(${AMOUNT_OF_ENTRY})
      from budgets b cross join lateral entries_of_tenant(b.tenant_id) e
      where b.budget_id = $1 and ${COUNTS_ENTRY} and ${per === 'month' ? PERIODS_SINCE : RECORDED_SINCE}
        and not exists (select from fold_queue f where f.batch_id = e.entry_id / 1000000)
      group by 1, 2
      on conflict (budget_id, time_key) do update set spent = excluded.spent`,
    values,
  });
}

export type BudgetKey = Pick<
  Budget,
  'tenantId' | 'measure' | 'per' | 'feature' | 'userId' | 'agentRunId' | 'tags'
>;

/** Takes a budget away with what it counted; answers its number, or null where there was none. */
export async function deleteBudget(
  { client }: Transaction,
  key: BudgetKey,
): Promise<bigint | null> {
  const { rows } = await client.query<{ budget_id: bigint }>(
    `delete from budgets where (tenant_id, measure, per, feature, user_id, agent_run_id, tags)
       = ($1, $2, $3, $4, $5, $6, $7::jsonb) returning budget_id`,
    keyValues(key),
  );
  return rows[0]?.budget_id ?? null;
}

function keyValues(key: BudgetKey): unknown[] {
  return [
    ...[key.tenantId, key.measure, key.per, key.feature ?? '', key.userId ?? ''],
    ...[key.agentRunId ?? '', JSON.stringify(key.tags)],
  ];
}

/**
 * Reads the tenants that have budgets; as of an instant, every tenant that whoever asks may see,
 * since one may have had a budget then.
 */
export async function readBudgetedTenants(
  database: Database,
  of: { readonly tenantId: string | null; readonly now: boolean },
): Promise<readonly string[]> {
  const { rows } = await database.pool.query<{ tenant_id: string }>(
    `select distinct tenant_id from ${of.now ? 'budgets' : 'tenants'}
     where $1::text is null or tenant_id = $1 order by tenant_id`,
    [of.tenantId],
  );
  return rows.map(({ tenant_id }) => tenant_id);
}

export interface StandingRow extends BudgetRow {
  readonly time_key: string;
  readonly spent: Pico;
  readonly held: Pico;
  readonly resets_at: InstantMs | null;
}

const RUNS_SHOWN = 10;

/**
 * What a part `u` of a hold `h` held for a budget `b` at $1. A part that was given back while the event waits for its price or
 * its usage holds nothing since then, and before that what the hold was made of. Without an event nothing was given back.
 */
const HELD_AS_OF = `case when u.amount = 0 and coalesce(h.waits_event_id, h.settled_event_id) is not null and not exists (
      select from entries_of_event(h.tenant_id, coalesce(h.waits_source, h.settled_source), coalesce(h.waits_event_id, h.settled_event_id)) e
      where e.recorded_at <= $1::timestamptz
    ) then coalesce(case when b.measure = 'tokens' then h.tokens when b.currency = h.currency then h.amount end, 0)
    else u.amount end`;

/**
 * The budgets as the journal had them at $1, and what they had counted then: counters have no history, so it is summed
 * of entries and holds. A row that was kept before a column came has the value that the column began with.
 */
const AS_OF = `with budgets as (
    select b.* from (
      select distinct on (row_key) kept from changes
      where of_table = 'budgets' and row_key ? 'budget_id' and changed_at <= $1::timestamptz
      order by row_key, change_id desc
    ) c cross join lateral jsonb_populate_record(null::budgets, '{"thresholds": [80, 100]}'::jsonb || c.kept) b
    where c.kept is not null
  ), counted as (
    select b.budget_id, ${TIME_KEY_OF_ENTRY} as time_key, ${AMOUNT_OF_ENTRY} as spent, 0 as held
    from budgets b cross join lateral entries_of_tenant(b.tenant_id) e
    where ${COUNTS_ENTRY} and b.tenant_id = any($2::text[]) and e.recorded_at <= $1::timestamptz
    union all
    select u.budget_id, u.time_key, 0, ${HELD_AS_OF}
    from budget_holds h cross join lateral unnest(h.budget_ids, h.time_keys, h.amounts) u(budget_id, time_key, amount)
    join budgets b on b.budget_id = u.budget_id
    where h.tenant_id = any($2::text[]) and h.held_at <= $1::timestamptz and (h.ended_at > $1::timestamptz) is not false
  ), budget_counters as (
    select budget_id, time_key, sum(spent) as spent, sum(held) as held from counted group by 1, 2
  )`;

/**
 * Reads every budget of these tenants in the time that runs; of budgets for each run, the runs that
 * came to most.
 */
export async function readStandings(
  database: Database,
  of: {
    readonly now: InstantMs;
    /** Whether `now` is in the past. */
    readonly isAsOf: boolean;
    readonly tenants: readonly {
      readonly tenantId: string;
      readonly period: { readonly startDate: string; readonly endsAt: InstantMs };
    }[];
  },
): Promise<readonly StandingRow[]> {
  const { rows } = await database.pool.query<StandingRow>(
    `${of.isAsOf ? AS_OF : ''} select ${BUDGET_COLUMNS}, w.time_key, w.resets_at, coalesce(c.spent, 0) as spent, coalesce(c.held, 0) as held
     from unnest($2::text[], $3::text[], $4::timestamptz[]) t(tenant_id, period_start, period_end)
     join budgets b on b.tenant_id = t.tenant_id
     left join lateral (
       select to_char($1::timestamptz at time zone b.time_zone, 'YYYY-MM-DD') as time_key,
         (($1::timestamptz at time zone b.time_zone)::date + 1)::timestamp at time zone b.time_zone as resets_at
       where b.per = 'day'
       union all select t.period_start, t.period_end where b.per = 'month'
       union all select '', null where b.per = 'once'
       union all (select r.time_key, null from budget_counters r where b.per = 'run' and r.budget_id = b.budget_id
         order by r.spent + r.held desc, r.time_key limit ${RUNS_SHOWN})
     ) w on true
     left join budget_counters c on c.budget_id = b.budget_id and c.time_key = w.time_key
     order by b.tenant_id, b.measure, b.per, b.feature, b.user_id, b.agent_run_id, b.tags, c.spent + c.held desc nulls last`,
    [
      formatInstant(of.now),
      of.tenants.map(({ tenantId }) => tenantId),
      of.tenants.map(({ period }) => period.startDate),
      of.tenants.map(({ period }) => formatInstant(period.endsAt)),
    ],
  );
  return rows;
}
