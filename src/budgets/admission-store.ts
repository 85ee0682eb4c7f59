import { formatInstant, type InstantMs } from '../clock.ts';
import { UNSAID } from '../database/acting.ts';
import { askTogether } from '../database/ask-together.ts';
import type { Database } from '../database/database.ts';
import { RUN_STEPS_KEPT } from '../ledger/rollups/run-step-store.ts';
import type { Pico } from '../money.ts';
import type { BudgetRow } from './budget-store.ts';
import { BUDGET_COLUMNS } from './budget-store.ts';
import type { Estimate } from './estimate-call.ts';
import type { CatalogRevisions } from './price-references.ts';

/** The question about a call: whom it concerns, when, and what it may cost. */
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
  /** The billing periods between the two: one, or two. */
  readonly periods: readonly { readonly startDate: string; readonly endsAt: InstantMs }[];
  readonly estimate: Estimate;
  /** How often tenants and prices had been changed when it was estimated by them. */
  readonly revisions: CatalogRevisions;
}

/** A call that is to be held for, under an id of its own. */
export interface HeldCall extends AskedCall {
  readonly holdId: string;
  readonly digest: Buffer;
}

/** One budget in one time that the call may fall into; every column but the first four is null without any budget. */
export interface JudgedRow extends BudgetRow {
  readonly admits: boolean;
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

/** The place of a call among those that are asked together, and whether it is decided. */
interface PlacedRow extends JudgedRow {
  readonly n: bigint;
  readonly is_decided: boolean;
  readonly is_missing: boolean;
}

/**
 * Passing one array keeps the row estimate low, so the planner looks counters up by index. It does not see into a
 * sub-select, and so does not plan again for each few calls, which would take longer than the statement runs.
 */
const CALLS = `call as materialized (
    select a.n, c.* from unnest((select $1::json[])) with ordinality a(given, n) cross join lateral json_to_record(a.given) c(
      tenant_id text, feature text, user_id text, agent_run_id text, tags jsonb, model text, "from" timestamptz,
      "until" timestamptz, period text, period_ends timestamptz, next_period text, next_period_ends timestamptz,
      amount numeric, currency text, tokens numeric, is_priced boolean, prices bigint, tenants bigint,
      hold_id text, digest bytea)
  ), asked as materialized (
    select c.*, c.prices is distinct from r.prices or c.tenants is distinct from r.tenants as is_stale,
      h.stands is true as stands
    from call c left join lateral (
      select true as stands from budget_holds h where h.hold_id = c.hold_id offset 0
    ) h on true cross join (
      select max(revision) filter (where catalog = 'prices') as prices,
        max(revision) filter (where catalog = 'tenants') as tenants from catalog_revisions
    ) r
  )`;

/**
 * A call is over within a day, which begins on one day and may end on the second one after it where the one between has
 * 23 hours. So few rows are written out for the planner, who would else believe that a call has a thousand days.
 */
const DAYS_OF_A_CALL = 'array[0, 1, 2]';

/** The budgets that concern a call, each looked up, once for each time into which the call may fall. */
const CONCERNED = `concerned as materialized (
    select a.n, ${BUDGET_COLUMNS}, w.time_key, w.resets_at,
      case when b.measure = 'tokens' then a.tokens when b.currency = a.currency then a.amount end as estimate,
      b.priced_only and not a.is_priced as is_unpriced
    from asked a cross join lateral (
      select * from budgets b where b.tenant_id = a.tenant_id and (b.feature = '' or b.feature = a.feature)
        and b.user_id = any (array['', a.user_id]) and (b.agent_run_id = '' or b.agent_run_id = a.agent_run_id)
        and (b.tags = '{}' or a.tags @> b.tags) offset 0
    ) b cross join lateral (
      select to_char(d.day, 'YYYY-MM-DD') as time_key, (d.day + 1)::timestamp at time zone b.time_zone as resets_at
      from (select (a."from" at time zone b.time_zone)::date + n as day from unnest(${DAYS_OF_A_CALL}) n) d
      where b.per = 'day' and d.day <= (a."until" at time zone b.time_zone)::date
      union all
      select p.starts, p.ends
      from (values (a.period, a.period_ends), (a.next_period, a.next_period_ends)) p(starts, ends)
      where b.per = 'month' and p.starts is not null
      union all
      select a.agent_run_id, null where b.per = 'run' and a.agent_run_id is not null
      union all
      select '', null where b.per = 'once'
    ) w
    where not a.is_stale and not a.stands
  )`;

/**
 * How many calls of the run came one after the other for the same model and feature, each with more tokens than the one
 * before, the asked call included: the loop of a report of runs, seen before the call is made. What was reserved is
 * known at once and by its estimates, and what was recorded by its counts and as it is folded, so each is a sequence
 * by itself. Calls that are asked together were made at once, and are no repetition of one another.
 */
const REPEATED = `repeated as materialized (
    select a.n, 1 + greatest(${stepsOf('held_at', 'hold_id', 'budget_holds')}, ${stepsOf('occurred_at', 'entry_id', 'run_steps')}) as steps
    from asked a join (
      select n, max(loop_steps) as most from concerned where loop_steps is not null group by n
    ) g on g.n = a.n
  )`;

function stepsOf(at: string, id: string, table: string): string {
  return `(select count(*) filter (where grows) from (
      select bool_and(grows) over (order by place) as grows from (
        select place, coalesce(tokens < lag(tokens, 1, a.tokens) over (order by place), false) as grows from (
          select tokens, row_number() over (order by ${at} desc, ${id}) as place from (
            select t.tokens, t.${at}, t.${id} from ${table} t
            where t.tenant_id = a.tenant_id and t.agent_run_id = a.agent_run_id and t.${at} >= a."from" - ${RUN_STEPS_KEPT}
              and t.${at} < a."from" and t.model is not distinct from a.model and t.feature is not distinct from a.feature
            order by t.${at} desc, t.${id} limit g.most
          ) last
        ) placed
      ) compared
    ) prefix)`;
}

/** The counters as they are now; each is looked up, whatever the planner believes. */
const SEEN = `seen as materialized (
    select d.*, coalesce(r.steps, 1) as steps, c.spent, c.held,
      coalesce(d.loop = 'deny' and r.steps >= d.loop_steps, false) as is_loop
    from concerned d left join repeated r on r.n = d.n left join lateral (
      select spent, held from budget_counters c where c.budget_id = d.budget_id and c.time_key = d.time_key offset 0
    ) c on true
  )`;

/**
 * Whether a budget bears a call with what is spent and held: a soft budget bears everything, also what cannot be told and
 * a hard one does not bear; and where one denies loops it bears no further step of one.
 */
function bears(spent: string, held: string): string {
  return `coalesce(not s.is_unpriced and not s.is_loop
      and (not s.is_hard or ${spent} + ${held} + s.estimate <= s.amount), false)`;
}

function answerOf(judged: string): string {
  return `select a.n, a.is_stale, a.stands, coalesce(j.steps, 1) as steps, coalesce(j.admits, true) as admits,
      coalesce(j.is_missing, false) as is_missing, coalesce(j.is_decided, true) as is_decided,
      ${BUDGET_COLUMNS.replaceAll('b.', 'j.')}, j.time_key, j.resets_at, j.estimate, j.is_unpriced, j.spent, j.held,
      j.spent + j.held + j.estimate <= j.amount as fits
    from asked a left join ${judged} j on j.n = a.n order by a.n, j.budget_id, j.resets_at`;
}

/** Many that ask at one moment hear of the same rest. */
const CHECK = `${UNSAID} with ${CALLS}, ${CONCERNED}, ${REPEATED}, ${SEEN}, judged as (
    select s.*, false as admits, false as is_missing, true as is_decided from (
      select s.n, ${BUDGET_COLUMNS.replaceAll('b.', 's.')}, s.time_key, s.resets_at, s.estimate, s.is_unpriced, s.steps,
        coalesce(s.spent, 0) as spent, coalesce(s.held, 0) as held
      from seen s
    ) s
  )
  ${answerOf('judged')}`;

/**
 * The admission of all that ask together, in their order. It locks the counters of every budget that concerns them, in the
 * order in which a fold locks them, so it judges by what those before them left; and it holds for a call in all of its
 * budgets or in none. A call that a hard budget does not bear even as it was a moment ago is denied without waiting for a
 * lock, and one that it does not bear by itself is denied whatever came before it.
 * The others are judged as though all before them were admitted. That is true up to the first that is not
 * admitted; what comes after it is not decided, and is asked again. Where a counter is missing nothing is decided either.
 */
const RESERVE = `${UNSAID} with ${CALLS}, ${CONCERNED}, ${REPEATED}, ${SEEN}, hopeful as materialized (
    select s.n, bool_or(s.spent is null) as is_missing from seen s
    group by s.n having bool_and(s.spent is null or ${bears('s.spent', 's.held')})
  ), locked as materialized (
    select c.budget_id, c.time_key, c.spent, c.held from (
      select distinct s.budget_id, s.time_key from seen s join hopeful h on h.n = s.n and not h.is_missing
      order by s.budget_id, s.time_key
    ) d cross join lateral (
      select * from budget_counters c where c.budget_id = d.budget_id and c.time_key = d.time_key for update
    ) c
  ), counted as materialized (
    select s.*, coalesce(h.is_missing, false) as is_missing, coalesce(l.spent, s.spent, 0) as now_spent,
      coalesce(l.held, s.held, 0) as now_held, h.n is not null and not h.is_missing as is_hopeful
    from seen s left join hopeful h on h.n = s.n
      left join locked l on l.budget_id = s.budget_id and l.time_key = s.time_key
  ), alone as materialized (
    select s.*, s.is_hopeful and bool_and(${bears('s.now_spent', 's.now_held')}) over (partition by s.n) as may
    from counted s
  ), queued as materialized (
    select s.*, case when s.may then coalesce(sum(s.estimate) filter (where s.may) over (partition by s.budget_id, s.time_key
        order by s.n rows between unbounded preceding and 1 preceding), 0) else 0 end as before
    from alone s
  ), placed as materialized (
    select s.*, s.may and bool_and(${bears('s.now_spent', '(s.now_held + s.before)')}) over (partition by s.n) as admits
    from queued s
  ), judged as materialized (
    select p.n, ${BUDGET_COLUMNS.replaceAll('b.', 'p.')}, p.time_key, p.resets_at, p.estimate, p.is_unpriced, p.steps,
      p.now_spent as spent, p.now_held + p.before as held, p.admits, p.is_missing,
      not p.is_missing and (not p.may or p.n <= coalesce(first.denied, p.n)) as is_decided
    from placed p cross join (select min(n) filter (where may and not admits) as denied from placed) first
  ), admitted as materialized (
    select * from judged where admits and is_decided
  ), held as (
    update budget_counters c set held = c.held + t.estimate from (
      select budget_id, time_key, sum(coalesce(estimate, 0)) as estimate from admitted group by budget_id, time_key
    ) t
    where c.budget_id = t.budget_id and c.time_key = t.time_key
  ), made as (
    insert into budget_holds (hold_id, tenant_id, request_digest, model, feature, user_id, agent_run_id, amount, currency,
      tokens, held_at, expires_at, budget_ids, time_keys, amounts)
    select a.hold_id, a.tenant_id, a.digest, a.model, a.feature, a.user_id, a.agent_run_id, a.amount, a.currency, a.tokens,
      a."from", a."until", j.budget_ids, j.time_keys, j.amounts
    from asked a join (
      select n, array_agg(budget_id order by budget_id, time_key) as budget_ids,
        array_agg(time_key order by budget_id, time_key) as time_keys,
        array_agg(coalesce(estimate, 0) order by budget_id, time_key) as amounts
      from admitted group by n
    ) j on j.n = a.n order by a.hold_id
  )
  ${answerOf('judged')}`;

const byTenant = ({ tenantId }: AskedCall) => tenantId;

/**
 * Tells how every budget that concerns a call stands before it; nothing is locked and nothing held.
 */
export const judgeCall = askTogether<AskedCall, readonly JudgedRow[]>({
  queueOf: byTenant,
  async askAll(database, calls) {
    const asked = { name: 'judge-calls', text: CHECK, calls: calls.map(given) };
    return rowsByCall(calls, await ask(database, asked));
  },
});

/**
 * Holds for the call where everybody bears it. Counters that are missing, which is so once a day or period or run, are
 * made before the calls are asked about again.
 */
export const reserveCall = askTogether<HeldCall, readonly JudgedRow[]>({
  queueOf: byTenant,
  async askAll(database, calls) {
    const rows = await ask(database, {
      ...{ name: 'reserve-calls', text: RESERVE },
      calls: calls.map((call) => ({
        ...given(call),
        ...{ hold_id: call.holdId, digest: `\\x${call.digest.toString('hex')}` },
      })),
    });
    const missing = rows.filter(({ is_missing }) => is_missing);
    if (missing.length > 0) await makeCounters(database, missing);
    return rowsByCall(calls, rows);
  },
});

interface Question {
  readonly name: string;
  readonly text: string;
  readonly calls: readonly object[];
}

async function ask(
  { pool }: Database,
  { name, text, calls }: Question,
): Promise<readonly PlacedRow[]> {
  const values = [calls.map((call) => JSON.stringify(call))];
  return (await pool.query<PlacedRow>({ name, text, values })).rows;
}

/** A call that is not decided has null in its place. */
function rowsByCall(
  calls: readonly unknown[],
  rows: readonly PlacedRow[],
): readonly (readonly JudgedRow[] | null)[] {
  const found = calls.map((): PlacedRow[] => []);
  for (const row of rows) found[Number(row.n) - 1]?.push(row);
  return found.map((own) => (own[0]?.is_decided === true ? own : null));
}

async function makeCounters({ pool }: Database, missing: readonly JudgedRow[]): Promise<void> {
  await pool.query({
    name: 'make-counters',
    text: `${UNSAID} insert into budget_counters (budget_id, time_key)
      select distinct w.budget_id, w.time_key from unnest($1::bigint[], $2::text[]) w(budget_id, time_key)
      join budgets b on b.budget_id = w.budget_id
      order by 1, 2 on conflict do nothing`,
    values: [missing.map(({ budget_id }) => budget_id), missing.map(({ time_key }) => time_key)],
  });
}

function given(call: AskedCall) {
  const { estimate, periods, revisions } = call;
  const [period, next] = periods;
  return {
    ...{ tenant_id: call.tenantId, feature: call.feature, user_id: call.userId, tags: call.tags },
    ...{ agent_run_id: call.agentRunId, model: call.model },
    ...{ from: formatInstant(call.from), until: formatInstant(call.until) },
    period: period?.startDate,
    period_ends: period === undefined ? null : formatInstant(period.endsAt),
    next_period: next?.startDate,
    next_period_ends: next === undefined ? null : formatInstant(next.endsAt),
    amount: estimate.amount?.toString(),
    tokens: estimate.tokens?.toString(),
    ...{ currency: estimate.currency, is_priced: estimate.isPriced },
    ...{ prices: revisions.prices.toString(), tenants: revisions.tenants.toString() },
  };
}
