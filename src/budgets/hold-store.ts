import { formatInstant, type InstantMs } from '../clock.ts';
import { UNSAID } from '../database/acting.ts';
import type { Database } from '../database/database.ts';
import { RUN_STEPS_KEPT } from '../ledger/rollups/run-step-store.ts';
import type { Pico } from '../money.ts';
import type { BudgetRow } from './budget-store.ts';
import { BUDGET_COLUMNS } from './budget-store.ts';
import { waitForDisk } from './disk-wait-store.ts';
import type { Estimate } from './estimate-call.ts';
import type { CatalogRevisions } from './price-references.ts';
import { inTurnOfTenant } from './tenant-turns.ts';

/** What a call is asked about: whom it concerns, when, and what it may come to. */
export interface AskedCall {
  readonly tenantId: string;
  readonly model: string | null;
  readonly feature: string | null;
  readonly userId: string | null;
  readonly agentRunId: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly from: InstantMs;
  /** The call is over by then; where a day or a period ends before, the call may fall into the next one. */
  readonly until: InstantMs;
  /** The billing periods between the two. */
  readonly periods: readonly { readonly startDate: string; readonly endsAt: InstantMs }[];
  readonly estimate: Estimate;
  /** How often tenants and prices had been changed when it was estimated by them. */
  readonly revisions: CatalogRevisions;
}

/** One budget in one time that the call may fall into; every column but the first five is null without any budget. */
export interface JudgedRow extends BudgetRow {
  readonly admits: boolean;
  readonly is_missing: boolean;
  /** Tenants or prices have changed since the call was estimated, so that nothing was asked. */
  readonly is_stale: boolean;
  /** A hold of that id stands already. */
  readonly stands: boolean;
  /** How many calls in a row the call would be, each with more tokens than the one before. */
  readonly steps: bigint;
  readonly time_key: string;
  readonly resets_at: InstantMs | null;
  readonly estimate: Pico | null;
  readonly is_unpriced: boolean;
  readonly spent: Pico;
  readonly held: Pico;
  readonly fits: boolean | null;
}

const REVISIONS = `select max(revision) filter (where catalog = 'prices') is distinct from $15::bigint
      or max(revision) filter (where catalog = 'tenants') is distinct from $16::bigint as is_stale
    from catalog_revisions`;

/**
 * A call is over within a day, which begins on one day and may end on the second one after it where the one between has
 * 23 hours. So few rows are written out for the planner, who would else believe that a call has a thousand days, and
 * read all counters for them.
 */
const DAYS_OF_A_CALL = 'array[0, 1, 2]';

/** The budgets that concern a call, once for each time into which the call may fall. */
const CONCERNED = `select ${BUDGET_COLUMNS}, w.time_key, w.resets_at,
      case when b.measure = 'tokens' then $12::numeric when b.currency = $11::text then $10::numeric end as estimate,
      b.priced_only and not $13::boolean as is_unpriced
    from budgets b cross join lateral (
      select to_char(d.day, 'YYYY-MM-DD') as time_key, (d.day + 1)::timestamp at time zone b.time_zone as resets_at
      from (select ($6::timestamptz at time zone b.time_zone)::date + n as day from unnest(${DAYS_OF_A_CALL}) n) d
      where b.per = 'day' and d.day <= ($7::timestamptz at time zone b.time_zone)::date
      union all
      select p.starts, p.ends from unnest($8::text[], $9::timestamptz[]) p(starts, ends) where b.per = 'month'
      union all
      select $4::text, null where b.per = 'run' and $4::text is not null
      union all
      select '', null where b.per = 'once'
    ) w
    where b.tenant_id = $1 and (b.feature = '' or b.feature = $2::text) and (b.user_id = '' or b.user_id = $3::text)
      and (b.agent_run_id = '' or b.agent_run_id = $4::text) and $5::jsonb @> b.tags
      and not (select a.is_stale or a.stands from asked a)`;

/**
 * How many calls of the run came one after the other for the same model and feature, each with more tokens than the one
 * before, the asked call included: the loop of a report of runs, seen before the call is made. What was reserved is
 * known at once and by its estimates, and what was recorded by its counts and as it is folded, so each is a sequence
 * by itself.
 */
const STEPS = `select 1 + greatest(${stepsOf('held_at', 'hold_id', 'budget_holds')}, ${stepsOf('occurred_at', 'entry_id', 'run_steps')}) as steps`;

function stepsOf(at: string, id: string, table: string): string {
  return `(select count(*) filter (where grows) from (
      select bool_and(grows) over (order by place) as grows from (
        select place, coalesce(tokens < lag(tokens, 1, $12::numeric) over (order by place), false) as grows from (
          select tokens, row_number() over (order by ${at} desc, ${id}) as place from (
            select tokens, ${at}, ${id} from ${table}
            where tenant_id = $1 and agent_run_id = $4 and ${at} >= $6::timestamptz - ${RUN_STEPS_KEPT}
              and ${at} < $6::timestamptz and model is not distinct from $14::text and feature is not distinct from $2::text
            order by ${at} desc, ${id} limit (select max(loop_steps) from concerned)
          ) last
        ) placed
      ) compared
    ) prefix where (select max(loop_steps) from concerned) is not null)`;
}

/**
 * Whether all of them bear the call together: a soft budget bears everything, but what cannot be told nobody bears, and
 * where one denies loops no further step of one.
 */
const VERDICT = `select count(*) > 0 as concerns, coalesce(bool_or(is_missing), false) as is_missing,
      coalesce(bool_and(not is_unpriced and not is_loop and (fits is true or (not is_hard and estimate is not null))), true)
        as admits
    from judged`;

const JUDGED = `select d.*, coalesce(l.spent, 0) as spent, coalesce(l.held, 0) as held, l.budget_id is null as is_missing,
      coalesce(l.spent, 0) + coalesce(l.held, 0) + d.estimate <= d.amount as fits,
      coalesce(d.loop = 'deny' and r.steps >= d.loop_steps, false) as is_loop
    from concerned d cross join repeated r left join counted l on l.budget_id = d.budget_id and l.time_key = d.time_key`;

const ANSWER = `select a.is_stale, a.stands, r.steps, v.admits, v.is_missing, ${BUDGET_COLUMNS.replaceAll('b.', 'j.')},
      j.time_key, j.resets_at, j.estimate, j.is_unpriced, j.spent, j.held, j.fits
    from asked a cross join repeated r cross join verdict v left join judged j on true order by j.budget_id, j.resets_at`;

const CHECK = `${UNSAID} with asked as materialized (select is_stale, false as stands from (${REVISIONS}) r
  ), concerned as materialized (${CONCERNED}
  ), repeated as materialized (${STEPS}
  ), counted as (
    select c.budget_id, c.time_key, c.spent, c.held from budget_counters c
  ), judged as (${JUDGED}
  ), verdict as (${VERDICT})
  ${ANSWER}`;

/**
 * The admission. It locks the counters of every budget that concerns the call, in the order in which a fold locks
 * them, so it judges by what the call before it left; and it holds for all of them or for none. A call that a hard
 * budget does not bear even as it was a moment ago is denied without waiting for a lock. The locks are not held until the
 * disk has the hold: whoever reserves waits for that after the commit, together with all others that do.
 */
const RESERVE = `${UNSAID} with asked as materialized (
    select is_stale, exists (select from budget_holds where hold_id = $17) as stands from (${REVISIONS}) r
  ), concerned as materialized (${CONCERNED}
  ), repeated as materialized (${STEPS}
  ), seen as materialized (
    select c.budget_id, c.time_key, c.spent, c.held,
      bool_or(d.is_hard and c.spent + c.held + d.estimate > d.amount) over () as is_over
    from concerned d join budget_counters c on c.budget_id = d.budget_id and c.time_key = d.time_key
  ), locked as materialized (
    select c.budget_id, c.time_key, c.spent, c.held
    from concerned d join budget_counters c on c.budget_id = d.budget_id and c.time_key = d.time_key
    where not exists (select from seen where is_over)
    order by c.budget_id, c.time_key for update of c
  ), counted as materialized (
    select budget_id, time_key, spent, held from locked
    union all select budget_id, time_key, spent, held from seen where is_over
  ), judged as materialized (${JUDGED}
  ), verdict as materialized (${VERDICT}
  ), soon as materialized (
    select set_config('synchronous_commit', 'off', true) from verdict v where v.admits
  ), held as (
    update budget_counters c set held = c.held + j.estimate from judged j, verdict v, soon
    where c.budget_id = j.budget_id and c.time_key = j.time_key and v.admits and not v.is_missing
  ), made as (
    insert into budget_holds (hold_id, tenant_id, request_digest, model, feature, user_id, agent_run_id, amount, currency,
      tokens, held_at, expires_at, budget_ids, time_keys, amounts)
    select $17, $1, $18, $14, $2, $3, $4, $10::numeric, $11, $12::numeric, $6::timestamptz, $7::timestamptz,
      array_agg(j.budget_id order by j.budget_id, j.time_key), array_agg(j.time_key order by j.budget_id, j.time_key),
      array_agg(j.estimate order by j.budget_id, j.time_key)
    from judged j, verdict v where v.admits and v.concerns and not v.is_missing having count(*) > 0
  )
  ${ANSWER}`;

/**
 * Tells how every budget that concerns a call stands before it; nothing is locked and nothing held.
 */
export async function judgeCall(
  database: Database,
  call: AskedCall,
): Promise<readonly JudgedRow[]> {
  const { rows } = await database.pool.query<JudgedRow>({
    name: 'judge-call',
    text: CHECK,
    values: callValues(call),
  });
  return rows;
}

/**
 * Holds for the call where everybody bears it. Where the counter of a budget is missing, which is so once a day or period,
 * nothing is held and it is made.
 */
export async function reserveCall(
  database: Database,
  call: AskedCall,
  hold: { readonly holdId: string; readonly digest: Buffer },
): Promise<readonly JudgedRow[]> {
  for (;;) {
    const { rows } = await inTurnOfTenant(database, call.tenantId, () =>
      database.pool.query<JudgedRow>({
        name: 'reserve-call',
        text: RESERVE,
        values: [...callValues(call), hold.holdId, hold.digest],
      }),
    );
    if (rows[0]?.is_missing !== true) {
      const [first] = rows;
      const isHeld = first?.admits === true && first.budget_id !== null;
      // Whoever made a hold that stands may not have heard of it yet.
      if (isHeld || first?.stands === true) await waitForDisk(database);
      return rows;
    }
    await database.pool.query(
      `${UNSAID} insert into budget_counters (budget_id, time_key)
       select w.budget_id, w.time_key from unnest($1::bigint[], $2::text[]) w(budget_id, time_key)
       join budgets b on b.budget_id = w.budget_id
       order by 1, 2 on conflict do nothing`,
      [rows.map(({ budget_id }) => budget_id), rows.map(({ time_key }) => time_key)],
    );
  }
}

function callValues(call: AskedCall): unknown[] {
  const { estimate, periods, revisions } = call;
  return [
    ...[call.tenantId, call.feature, call.userId, call.agentRunId, JSON.stringify(call.tags)],
    ...[formatInstant(call.from), formatInstant(call.until)],
    periods.map(({ startDate }) => startDate),
    periods.map(({ endsAt }) => formatInstant(endsAt)),
    ...[estimate.amount, estimate.currency, estimate.tokens, estimate.isPriced],
    ...[call.model, revisions.prices, revisions.tenants],
  ];
}

export interface HoldRow {
  readonly hold_id: string;
  readonly tenant_id: string;
  readonly state: 'open' | 'settled' | 'released';
  readonly request_digest: Buffer;
  readonly model: string | null;
  readonly feature: string | null;
  readonly user_id: string | null;
  readonly agent_run_id: string | null;
  readonly amount: Pico | null;
  readonly currency: string | null;
  readonly tokens: bigint | null;
  readonly budget_ids: readonly string[];
  readonly held_at: InstantMs;
  readonly expires_at: InstantMs;
  readonly settled_source: string | null;
  readonly settled_event_id: string | null;
  readonly released_by: string | null;
}

const HOLD_COLUMNS = `hold_id, tenant_id, state, request_digest, model, feature, user_id, agent_run_id, amount, currency,
  tokens, budget_ids::text[], held_at, expires_at, settled_source, settled_event_id, released_by`;

export async function readHold(database: Database, holdId: string): Promise<HoldRow | null> {
  const { rows } = await database.pool.query<HoldRow>({
    name: 'read-hold',
    text: `select ${HOLD_COLUMNS} from budget_holds where hold_id = $1`,
    values: [holdId],
  });
  return rows[0] ?? null;
}

export async function countOpenHolds(database: Database): Promise<number> {
  const { rows } = await database.pool.query<{ open: bigint }>(
    `select count(*) as open from budget_holds where state = 'open'`,
  );
  return Number(rows[0]?.open ?? 0);
}

/** Holds that are open although their call is over; as of an instant, those that ended since, too. */
export async function readUnsettledHolds(
  database: Database,
  now: InstantMs,
  isAsOf = false,
): Promise<readonly HoldRow[]> {
  const { rows } = await database.pool.query<HoldRow>(
    `select ${HOLD_COLUMNS} from budget_holds where (state = 'open' or $2 and ended_at > $1) and expires_at <= $1
     order by tenant_id, expires_at, hold_id`,
    [formatInstant(now), isAsOf],
  );
  return rows.map((row) => ({
    ...row,
    ...{ state: 'open', settled_source: null, settled_event_id: null, released_by: null },
  }));
}

/** Releases a hold that is open, and gives back what it held; any other stays as it is. */
export async function releaseOpenHold(
  database: Database,
  hold: {
    readonly holdId: string;
    /** It is null where whoever releases may speak for every tenant. */
    readonly tenantId: string | null;
    readonly actor: string;
    readonly at: InstantMs;
  },
): Promise<void> {
  await database.pool.query({
    name: 'release-hold',
    text: `${UNSAID} with released as (
        update budget_holds set state = 'released', ended_at = $2, released_by = $3
        where hold_id = $1 and state = 'open' and tenant_id = coalesce($4, tenant_id)
        returning budget_ids, time_keys, amounts
      ), counted as materialized (
        select c.budget_id, c.time_key, u.amount
        from released cross join lateral unnest(budget_ids, time_keys, amounts) u(budget_id, time_key, amount)
        join budget_counters c on c.budget_id = u.budget_id and c.time_key = u.time_key
        order by c.budget_id, c.time_key for update of c
      )
      update budget_counters c set held = c.held - n.amount from counted n
      where c.budget_id = n.budget_id and c.time_key = n.time_key`,
    values: [hold.holdId, formatInstant(hold.at), hold.actor, hold.tenantId],
  });
}
