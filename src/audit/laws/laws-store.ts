import { sql } from 'kysely';
import { formatInstant } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { ENTRIES_PER_BATCH } from '../../database/entries-of-batch.ts';
import { findChangedCloses } from '../../ledger/closes/changed-closes.ts';
import { readClosesSince } from '../../ledger/closes/closed-periods-store.ts';
import { present } from '../../present.ts';
import type { LawReport, LawScope } from './law.ts';
import { VIOLATIONS_NAMED } from './law.ts';
import { batchesOf, changedRows, entriesOf } from './scope-store.ts';

export interface Counted {
  readonly checked: bigint;
  readonly violations: readonly string[] | null;
}

/** Every law's query gives one row: how many rows it looked at, and the offenders' descriptions. */
export async function check(
  database: Database,
  law: Pick<LawReport, 'law' | 'name'>,
  query: ReturnType<typeof sql<Counted>>,
): Promise<LawReport> {
  const { rows } = await query.execute(database.kysely);
  const { checked, violations } = present(rows[0], `what law ${law.law} counted`);
  return {
    ...law,
    checked: Number(checked),
    violations: (violations ?? []).slice(0, VIOLATIONS_NAMED),
  };
}

/** Checks law 1: receipts add up, and say what the tables beside them hold. */
export function checkReceipts(database: Database, scope: LawScope): Promise<LawReport> {
  const law = { law: 1, name: 'received = posted + duplicates + conflicts + quarantined + empty' };
  // The smallest id lets the index leave out what came before.
  const those =
    scope.kind === 'full'
      ? sql`true`
      : sql`batch_id >= (select min(batch_id) from (${batchesOf(scope)}) s) and batch_id in (${batchesOf(scope)})`;
  return check(
    database,
    law,
    sql<Counted>`
    with receipt as (
      select batch_id, source, sum(received) as received, sum(posted) as posted,
        sum(duplicates) as duplicates, sum(conflicts) as conflicts, sum(quarantined) as quarantined,
        sum(empty) as empty, sum(coalesce((
          select sum(counted::numeric) from jsonb_each_text(empty_reasons) as reason(name, counted)), 0)) as reasons
      from receipts where ${those} group by batch_id, source
    ), posted as (
      select batch_id, source, sum(events) as events from (
        -- The members of a split are one event; everything else is one event each.
        select batch_id, source, case when is_split then 1 else events end as events from (
          select entry_id / ${ENTRIES_PER_BATCH} as batch_id, source, member_id <> '' as is_split,
            case when member_id <> '' then event_id end as split, case when member_id <> '' then event_digest end as digest,
            count(*) as events
          from ${entriesOf(scope)} e where kind = 'usage' group by 1, 2, 3, 4, 5
        ) entry
        union all
        -- A span of several tenants has a row for each of them.
        select batch_id, source, count(*) from (
          select distinct batch_id, source, event_id, event_digest from spans_of_ledger() where ${those}
        ) span group by batch_id, source
      ) e group by batch_id, source
    ), held as (
      select batch_id, coalesce(source, '') as source,
        count(*) filter (where reason = 'conflict') as conflicts,
        count(*) filter (where reason <> 'conflict') as quarantined
      from quarantine where ${those} group by 1, 2
    ), compared as (
      select coalesce(r.batch_id, p.batch_id, q.batch_id) as batch_id,
        coalesce(r.source, p.source, q.source) as source,
        coalesce(r.received, 0) as received,
        coalesce(r.posted + r.duplicates + r.conflicts + r.quarantined + r.empty, 0) as accounted,
        coalesce(r.empty, 0) as empty, coalesce(r.reasons, 0) as reasons,
        coalesce(r.posted, 0) as posted, coalesce(p.events, 0) as events,
        coalesce(r.conflicts, 0) as conflicts, coalesce(q.conflicts, 0) as held_conflicts,
        coalesce(r.quarantined, 0) as quarantined, coalesce(q.quarantined, 0) as held_quarantined
      from receipt r
      full join posted p on p.batch_id = r.batch_id and p.source = r.source
      full join held q on q.batch_id = coalesce(r.batch_id, p.batch_id)
        and q.source = coalesce(r.source, p.source)
    )
    select count(*) as checked, array_agg('batch ' || batch_id || ' source "' || source || '": received '
        || received || ', accounted ' || accounted || ', posted ' || posted || ' of ' || events
        || ' events, conflicts ' || conflicts || ' of ' || held_conflicts || ', quarantined '
        || quarantined || ' of ' || held_quarantined || ', empty ' || empty || ' for ' || reasons || ' reasons')
      filter (where received <> accounted or posted <> events or conflicts <> held_conflicts
        or quarantined <> held_quarantined or empty <> reasons) as violations
    from compared`,
  );
}

/**
 * Checks law 2: the members of a split make up one call, in shares, in the input that priced it,
 * and in every unit of the call that each of them carries.
 */
export function checkSplits(database: Database, scope: LawScope): Promise<LawReport> {
  const law = { law: 2, name: 'the members of a split sum to the span' };
  const judged = sql`count(*) as checked, array_agg('event "' || event_id || '" of source "' || source || '" (ent_'
        || entry_id || '): shares ' || shares || ' of 1000000, input ' || input || ' of ' || context
        || coalesce(', units ' || usage::text || ' of ' || call_usage::text, ''))
      filter (where shares <> 1000000 or input <> context or usage is distinct from call_usage) as violations`;
  // Entries are read twice where Postgres keeps none of them, and then by several processes: kept, by one alone.
  const read = sql.raw(scope.kind === 'full' ? 'not materialized' : 'materialized');
  return check(
    database,
    law,
    sql<Counted>`
    with call as ${read} (
      select source, event_id, event_digest, entry_id, member_id, call_share, context_tokens,
        uncached_input_tokens + cache_read_tokens + cache_write_tokens + units_within(units, 'input') as input,
        case when member_id <> '' then call_usage end as call_usage,
        case when member_id <> '' then jsonb_build_object('uncached_input_tokens', uncached_input_tokens,
          'cache_read_tokens', cache_read_tokens, 'cache_write_tokens', cache_write_tokens, 'output_tokens', output_tokens,
          'reasoning_tokens', reasoning_tokens) || coalesce(units, '{}') end as usage
      from ${entriesOf(scope)} e where kind = 'usage'
    ), split as (
      select source, event_id, min(entry_id) as entry_id, sum(call_share) as shares, sum(input) as input,
        max(context_tokens) as context, sum_units(usage) as usage,
        -- Null in calls that were posted before an entry carried it.
        coalesce(min(call_usage::text)::jsonb, sum_units(usage)) as call_usage
      from call where member_id <> '' group by source, event_id, event_digest
    ), counted as (
      select ${judged} from split
      union all
      -- A call of one tenant is whole by itself, and millions of them need no grouping.
      select ${judged} from (
        select source, event_id, entry_id, call_share as shares, input, context_tokens as context,
          null::jsonb as usage, null::jsonb as call_usage from call where member_id = '') whole
    )
    select sum(checked)::bigint as checked,
      (select array_agg(said) from counted c cross join lateral unnest(c.violations) said) as violations
    from counted`,
  );
}

/**
 * Checks law 3: a closed period's entries sum to its statement, and the statement's lines to its
 * total. What is not due is counted apart: it sums to what the statement says of it, and is in no
 * line.
 */
export async function checkStatements(database: Database, scope: LawScope): Promise<LawReport> {
  const law = { law: 3, name: "a period's entries sum to its statement" };
  const since = formatInstant(scope.closedSince);
  return check(
    database,
    law,
    sql<Counted>`
    with summed as (
      select c.tenant_id, c.period_start, c.charge_exact, c.entries, c.manifest::jsonb as manifest,
        coalesce(e.charge, 0) as charge, coalesce(e.entries, 0) as found, coalesce(e.not_due, 0) as not_due
      from closes c left join (
        select tenant_id, period_start, sum(charge) filter (where not_due is null) as charge, count(*) as entries,
          sum(charge) filter (where not_due) as not_due
        -- By the months alone too: block ranges then leave out what is older.
        from entries where period_start = any(array(select distinct period_start from closes where closed_at >= ${since}))
          and (tenant_id, period_start) in (select tenant_id, period_start from closes where closed_at >= ${since})
        group by tenant_id, period_start
      ) e on e.tenant_id = c.tenant_id and e.period_start = c.period_start
      where c.closed_at >= ${since}
    ), lines as (
      select s.*, (select coalesce(sum((line ->> 'amount')::numeric), 0)
        from jsonb_array_elements(s.manifest -> 'lines') line) as line_sum,
        (select coalesce(sum((of ->> 'exact')::numeric), 0) * 1000000000000
          from jsonb_array_elements(coalesce(s.manifest -> 'not_due', '[]')) of) as said_not_due
      from summed s
    )
    select count(*) as checked, array_agg('tenant "' || tenant_id || '" period ' || period_start || ': entries sum to '
        || charge || ' p in ' || found || ' entries, statement has ' || charge_exact || ' p in ' || entries
        || ', lines sum to ' || line_sum || ' of ' || (manifest ->> 'charge_total')
        || ', not due are ' || not_due || ' p of ' || trim_scale(said_not_due))
      filter (where charge <> charge_exact or found <> entries or not_due <> said_not_due
        or line_sum <> (manifest ->> 'charge_total')::numeric) as violations
    from lines`,
  );
}

/**
 * Checks law 4: every close recomputes from its entries to the row that was frozen, in all its
 * columns (R17).
 */
export async function checkClosedPeriods(database: Database, scope: LawScope): Promise<LawReport> {
  const periods = await readClosesSince(database, scope.closedSince);
  const changed = await findChangedCloses(database, periods);
  const violations = changed.map(
    ({ tenantId, periodStart, faults }) =>
      `tenant "${tenantId}" period ${periodStart}: ${faults.join('; ')}`,
  );
  const law = { law: 4, name: 'a closed period never changes' };
  return { ...law, checked: periods.length, violations: violations.slice(0, VIOLATIONS_NAMED) };
}

/** Checks law 5: what was pushed and what is carried make up the closed total. */
export function checkPushes(database: Database, scope: LawScope): Promise<LawReport> {
  const law = { law: 5, name: 'pushed units + carried remainder = the closed total' };
  // Either may have changed the sum: a close, or an intent of a period that was closed long ago.
  const changed = (table: 'closes' | 'push_intents') =>
    sql`select k.row_key ->> 'tenant_id', (k.row_key ->> 'period_start')::date from (${changedRows(scope, table)}) k`;
  const those =
    scope.kind === 'full'
      ? sql`true`
      : sql`(c.tenant_id, c.period_start) in (${changed('closes')} union ${changed('push_intents')})`;
  return check(
    database,
    law,
    sql<Counted>`
    with pushed as (
      select c.tenant_id, c.period_start, c.charge_exact, c.carried_in, c.carried_out, c.billable_micro,
        coalesce(sum(i.value_micro) filter (where i.state <> 'missing'), 0) as intended,
        -- Between what is taken back and its telling elsewhere a period is told to nobody, and may be due.
        count(i.identifier) filter (where i.value_micro < 0) as taken_back,
        count(i.identifier) filter (where i.state <> 'missing' and i.destination <> 'settled') as intents
      from closes c left join push_intents i on i.tenant_id = c.tenant_id
        and i.period_start = c.period_start and i.state <> 'missing'
      where ${those} group by c.tenant_id, c.period_start
    )
    select count(*) as checked, array_agg('tenant "' || tenant_id || '" period ' || period_start || ': intents '
        || intended || ' µ, billable ' || billable_micro || ' µ, exact ' || charge_exact || ' p, carried in '
        || carried_in || ' p, out ' || carried_out || ' p')
      filter (where charge_exact + carried_in <> billable_micro * 1000000 + carried_out
        or (intents > 0 and taken_back = 0 and intended <> billable_micro) or intended > billable_micro) as violations
    from pushed`,
  );
}
