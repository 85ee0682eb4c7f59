import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../../clock.ts';
import type { Transaction } from '../../database/database.ts';
import type { Tables } from '../../database/tables.ts';
import { periodKey } from '../../periods/period-key.ts';

export interface PeriodRow {
  readonly tenantId: string;
  readonly periodStart: string;
  readonly startsAt: InstantMs;
  readonly endsAt: InstantMs;
  readonly timeZone: string;
  readonly state: 'open' | 'shut' | 'closed';
}

/**
 * Reads the periods that begin in a month, of all tenants or of one; ordered by tenant and start.
 */
export async function readPeriodsOf(
  db: Kysely<Tables>,
  month: string,
  tenantId: string | null,
): Promise<readonly PeriodRow[]> {
  let query = selectPeriods(db).where(sql<boolean>`to_char(period_start, 'YYYY-MM') = ${month}`);
  if (tenantId !== null) query = query.where('tenant_id', '=', tenantId);
  return toPeriods(await query.orderBy('tenant_id').orderBy('period_start').execute());
}

/** Reads these periods, as far as they are there. */
export async function readPeriodRows(
  db: Kysely<Tables>,
  periods: readonly Pick<PeriodRow, 'tenantId' | 'periodStart'>[],
): Promise<readonly PeriodRow[]> {
  return toPeriods(await selectPeriods(db).where(isOneOf(periods)).execute());
}

/** Says of a row that it is about one of these periods. */
export function isOneOf(periods: readonly Pick<PeriodRow, 'tenantId' | 'periodStart'>[]) {
  return sql<boolean>`(tenant_id, period_start) in (select * from unnest(
    ${periods.map((period) => period.tenantId)}::text[], ${periods.map((period) => period.periodStart)}::date[]))`;
}

function selectPeriods(db: Kysely<Tables>) {
  return db
    .selectFrom('periods')
    .select(['tenant_id', 'period_start', 'starts_at', 'ends_at', 'time_zone', 'state']);
}

function toPeriods(rows: Awaited<ReturnType<ReturnType<typeof selectPeriods>['execute']>>) {
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    periodStart: row.period_start,
    startsAt: row.starts_at,
    endsAt: row.ends_at,
    timeZone: row.time_zone,
    state: row.state,
  }));
}

/**
 * Says of a period that it is in a state. No period was shut when Postgres last counted them, so of an equation it believes
 * that none is, and compares each of a month that was shut since with each that is asked for. Of a CASE it believes nothing.
 */
function isInState(state: string): string {
  return `case p.state when ${state} then true else false end`;
}

/**
 * Locks those of the periods that are shut and not yet closed, since another close may be at them, too. Answers with
 * the mode of each, which the database froze when it was shut.
 */
export async function lockShut<Row extends Pick<PeriodRow, 'tenantId' | 'periodStart'>>(
  transaction: Transaction,
  periods: readonly Row[],
): Promise<ReadonlyMap<Row, 'shadow' | 'live'>> {
  const { rows } = await transaction.client.query<{
    tenant_id: string;
    period_start: string;
    mode: 'shadow' | 'live';
  }>(
    `select p.tenant_id, p.period_start, p.mode from periods p
     join unnest($1::text[], $2::date[]) k(t, s) on p.tenant_id = k.t and p.period_start = k.s
     where ${isInState("'shut'")} order by p.tenant_id, p.period_start for update of p`,
    [periods.map((period) => period.tenantId), periods.map((period) => period.periodStart)],
  );
  const modes = new Map(
    rows.map(
      (row) =>
        [periodKey({ tenantId: row.tenant_id, periodStart: row.period_start }), row.mode] as const,
    ),
  );
  return new Map(
    periods.flatMap((period) => {
      const mode = modes.get(periodKey(period));
      return mode === undefined ? [] : [[period, mode] as const];
    }),
  );
}

/** Moves periods one state on; one that another process moved meanwhile stays where it is. */
export async function movePeriods(
  transaction: Transaction,
  periods: readonly Pick<PeriodRow, 'tenantId' | 'periodStart'>[],
  to: 'shut' | 'closed',
): Promise<void> {
  await transaction.client.query(
    `update periods p set state = $3 from unnest($1::text[], $2::date[]) k(t, s)
     where p.tenant_id = k.t and p.period_start = k.s and ${isInState('$4')}`,
    [
      periods.map((period) => period.tenantId),
      periods.map((period) => period.periodStart),
      to,
      to === 'shut' ? 'open' : 'shut',
    ],
  );
}

/**
 * Reads the last call at an instant or after it, of a period or of those after it; null where there
 * is none.
 */
export async function readLastCallFrom(
  transaction: Transaction,
  of: { readonly tenantId: string; readonly periodStart: string; readonly at: InstantMs },
): Promise<InstantMs | null> {
  const { rows } = await transaction.client.query<{ last: InstantMs | null }>(
    `select max(occurred_at) as last from entries
     where tenant_id = $1 and period_start >= $2 and occurred_at >= $3`,
    [of.tenantId, of.periodStart, formatInstant(of.at)],
  );
  return rows[0]?.last ?? null;
}

/** Lets an open period end earlier; one without a row is made by its close. */
export async function endPeriod(
  transaction: Transaction,
  of: { readonly tenantId: string; readonly periodStart: string; readonly at: InstantMs },
): Promise<void> {
  await transaction.client.query(
    'update periods set ends_at = $3 where tenant_id = $1 and period_start = $2',
    [of.tenantId, of.periodStart, formatInstant(of.at)],
  );
}
