import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import type { LawReport, LawScope } from './law.ts';
import { VIOLATIONS_NAMED } from './law.ts';
import type { Counted } from './laws-store.ts';
import { check, checkStatements } from './laws-store.ts';
import { changedRows, entriesOf } from './scope-store.ts';

/**
 * Checks law 3: the entries of a period are those of its time, no instant belongs to two periods of
 * a tenant, what a closed one holds sums to its statement, and a period is closed exactly where there is a close.
 */
export async function checkPeriods(database: Database, scope: LawScope): Promise<LawReport> {
  const reports = [
    await checkStatements(database, scope),
    await checkOverlaps(database, scope),
    await checkStates(database, scope),
    await checkPlaces(database, scope),
  ];
  return {
    ...LAW,
    checked: reports.reduce((sum, { checked }) => sum + checked, 0),
    violations: reports.flatMap(({ violations }) => violations).slice(0, VIOLATIONS_NAMED),
  };
}

const LAW = { law: 3, name: "a period's entries are of its time and sum to its statement" };

/** Looks at every tenant's periods, or at those of the tenants whose periods were changed since. */
function checkOverlaps(database: Database, scope: LawScope): Promise<LawReport> {
  const those =
    scope.kind === 'full'
      ? sql`true`
      : sql`tenant_id in (select c.row_key ->> 'tenant_id' from (${changedRows(scope, 'periods')}) c)`;
  return check(
    database,
    LAW,
    sql<Counted>`
    with following as (
      select tenant_id, period_start, ends_at,
        lead(starts_at) over later as next_begins, lead(period_start) over later as next_start
      from periods where ${those} window later as (partition by tenant_id order by starts_at, ends_at)
    )
    select count(*) as checked, array_agg('tenant "' || tenant_id || '": periods ' || period_start || ' and '
        || next_start || ' overlap') filter (where next_begins < ends_at) as violations
    from following`,
  );
}

/**
 * A period is closed where it has a close, with the mode of that, and nowhere else; one that is shut has ended. The mode of
 * a period decides what is due after it. Looks at every period, or at those that were changed or closed since. By the
 * ledger's own instants, too, a period has ended: a clock of its own may have closed it.
 */
function checkStates(database: Database, scope: LawScope): Promise<LawReport> {
  const changed = (table: 'closes' | 'periods') =>
    sql`select k.row_key ->> 'tenant_id', (k.row_key ->> 'period_start')::date from (${changedRows(scope, table)}) k`;
  const those =
    scope.kind === 'full'
      ? sql`true`
      : sql`(p.tenant_id, p.period_start) in (${changed('closes')} union ${changed('periods')})`;
  return check(
    database,
    LAW,
    sql<Counted>`
    with latest as materialized (
      select greatest(clock_timestamp(), (select max(closed_at) from closes),
        (select recorded_at from batches order by batch_id desc limit 1)) as at
    )
    select count(*) as checked, array_agg('tenant "' || p.tenant_id || '" period ' || p.period_start || ' is ' || p.state
        || coalesce(', ' || p.mode, '') || case when c.tenant_id is null then ' and has no close'
          else ' and its close is ' || c.mode end || case when p.state = 'shut' then ', it ends at ' || p.ends_at else '' end)
      filter (where (p.state = 'closed') is distinct from (c.tenant_id is not null) or p.mode <> c.mode
        or p.state <> 'open' and p.mode is null or p.state = 'open' and p.mode is not null
        or p.state = 'shut' and p.ends_at > l.at) as violations
    from periods p cross join latest l
      left join closes c on c.tenant_id = p.tenant_id and c.period_start = p.period_start
    where ${those}`,
  );
}

/**
 * What is late is of before its period; everything else occurred in it. What is not due is of a month that was closed
 * in shadow: marked so for any other reason it would be on no bill, and nobody would miss it. That takes a look at other
 * periods for each entry, for which Postgres takes one process: so it is only looked at where there is any.
 */
function checkPlaces(database: Database, scope: LawScope): Promise<LawReport> {
  const entriesInPlaces = sql`${entriesOf(scope)} e
    left join periods p on p.tenant_id = e.tenant_id and p.period_start = e.period_start`;
  return check(
    database,
    LAW,
    sql<Counted>`
    with placed as materialized (
      select count(*) as checked, count(*) filter (where e.not_due) as not_due, array_agg(${SAID})
        filter (where ${IS_MISPLACED}) as violations
      from ${entriesInPlaces}
    ), not_due as (
      select array_agg(${SAID}) as violations from ${entriesInPlaces}
      where (select not_due from placed) > 0 and e.not_due and not ${MAY_BE_NOT_DUE} and not ${IS_MISPLACED}
    )
    select placed.checked, placed.violations || not_due.violations as violations from placed, not_due`,
  );
}

const SAID = sql`'ent_' || e.entry_id || ' of tenant "' || e.tenant_id || '" occurred at ' || e.occurred_at
        || ' and stands in period ' || e.period_start || case when e.late then ', late' else '' end
        || case when e.not_due then ', not due' else '' end`;

const IS_MISPLACED = sql`(p.tenant_id is null or e.occurred_at >= p.ends_at or not e.late and e.occurred_at < p.starts_at)`;

/**
 * A month that was closed in shadow lies before the entry's own, and usage occurred before that month's end. A
 * correction is due as what it corrects was, whenever that occurred.
 */
const MAY_BE_NOT_DUE = sql`exists (
  select from periods s where s.tenant_id = e.tenant_id and s.mode = 'shadow' and s.ends_at <= p.starts_at
    and (s.ends_at > e.occurred_at or e.revision > 0))`;
