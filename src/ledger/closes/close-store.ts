import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../../clock.ts';
import type { Transaction } from '../../database/database.ts';
import type { Tables } from '../../database/tables.ts';
import { type Calendar, type Period, periodsBeginningIn } from '../../periods/calendar.ts';
import { periodKey } from '../../periods/period-key.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { STANDS } from '../entries/entry-store.ts';
import type { FrozenManifest, PeriodFacts } from './manifest.ts';

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

/** A period that its tenant's calendar has; it may have a row or not. */
interface CalendarPeriod {
  readonly tenantId: string;
  readonly period: Period;
}

/**
 * Reads the month's periods as the calendars have them, which close like the others where there was
 * no usage: of tenants that existed before their end, not before what is closed, and not after a
 * tenant left.
 */
export async function readCalendarPeriods(
  transaction: Transaction,
  tenants: readonly Tenant[],
  of: { readonly month: string; readonly now: InstantMs },
): Promise<Readonly<Record<'ended' | 'running', readonly CalendarPeriod[]>>> {
  const { rows } = await transaction.client.query<{ tenant_id: string; created_at: InstantMs }>(
    'select tenant_id, created_at from tenants where tenant_id = any($1)',
    [tenants.map((tenant) => tenant.tenantId)],
  );
  const createdAt = new Map(rows.map((row) => [row.tenant_id, row.created_at]));
  const createdAtOf = ({ tenantId }: Tenant) => {
    const at = createdAt.get(tenantId);
    if (at === undefined) throw new Error(`tenant "${tenantId}" was read, and has no row`);
    return at;
  };
  const periodsOf = periodsByCalendar(of.month);
  const idle = tenants.flatMap((tenant) =>
    periodsOf(tenant.calendar)
      .filter((period) => period.endsAt > createdAtOf(tenant))
      .filter(({ endsAt }) => tenant.closedUntil === null || endsAt > tenant.closedUntil)
      .filter(({ startsAt }) => tenant.leftAt === null || startsAt < tenant.leftAt)
      .map((period) => ({ tenantId: tenant.tenantId, period })),
  );
  const { ended = [], running = [] } = Object.groupBy(idle, ({ period }) =>
    period.endsAt <= of.now ? 'ended' : 'running',
  );
  return { ended, running };
}

/** Calendar arithmetic is slow, nobody can post meanwhile, and most tenants share a calendar. */
function periodsByCalendar(month: string): (calendar: Calendar) => readonly Period[] {
  const known = new Map<string, readonly Period[]>();
  return (calendar) => {
    const key = JSON.stringify(calendar);
    const periods = known.get(key) ?? periodsBeginningIn(calendar, month);
    known.set(key, periods);
    return periods;
  };
}

/** What stands against closing some of these periods, by `periodKey`; asked for all of them at once. */
export interface Objections {
  /** The earliest period before this one that is not closed: remainders are carried in order. */
  readonly earlierOpen: ReadonlyMap<string, EarlierPeriod>;
}

/** A period that holds up a later one, with the first few of its entries, as audit.entries shows them. */
interface EarlierPeriod {
  readonly start: string;
  /** A close that ended before its manifest was made left it shut. */
  readonly isShut: boolean;
  readonly entryIds: readonly string[];
}

/**
 * A period that holds up nobody although it is open (R12): a wrong clock or a history put usage without a
 * price into it, or usage that was taken back since; it ended before the tenant was there, and nothing was
 * closed before it. So there is no money in it and none is carried through it, and whatever comes later for
 * it is late usage.
 */
const HOLDS_UP_NOBODY = sql`p.state = 'open'
  and exists (select from tenants t where t.tenant_id = p.tenant_id and t.created_at >= p.ends_at)
  and not exists (select from closes c where c.tenant_id = p.tenant_id and c.period_start < p.period_start)
  and exists (select from entries_of_period(p.tenant_id, p.period_start) e
    where (e.outcome in ('unrated', 'unmeasured') and not e.is_reversal
      and not exists (select from corrections_of(e.entry_id)) or e.is_reversal))
  and not exists (select from entries_of_period(p.tenant_id, p.period_start) e
    where e.charge <> 0 and not e.is_reversal and not exists (select from corrections_of(e.entry_id)))`;

export async function readObjections(
  db: Kysely<Tables>,
  periods: readonly Pick<PeriodRow, 'tenantId' | 'periodStart'>[],
): Promise<Objections> {
  const keys = sql`unnest(${periods.map((period) => period.tenantId)}::text[],
    ${periods.map((period) => period.periodStart)}::date[]) k(t, s)`;
  const { rows } = await sql<ObjectionRow>`
    select b.t, b.s, b.earlier, b.shut, (select array_agg(few.id) from (
      select 'ent_' || e.entry_id as id from entries_of_period(b.t, b.earlier) e
      order by e.entry_id limit 3) few) as ids
    from (
      select k.t, k.s, min(p.period_start) as earlier,
        (array_agg(p.state order by p.period_start))[1] = 'shut' as shut from ${keys}
      join periods p on p.tenant_id = k.t and p.period_start < k.s and p.state <> 'closed'
      where not (${HOLDS_UP_NOBODY}) group by k.t, k.s
    ) b`.execute(db);
  return {
    earlierOpen: new Map(
      rows.map(({ t, s, earlier, shut, ids }) => [
        periodKey({ tenantId: t, periodStart: s }),
        { start: earlier, isShut: shut, entryIds: ids ?? [] },
      ]),
    ),
  };
}

interface ObjectionRow {
  readonly t: string;
  readonly s: string;
  readonly earlier: string;
  readonly shut: boolean;
  readonly ids: readonly string[] | null;
}

/** Entries of one model that counted the same units and have no charge yet, and one of them. */
export interface WaitingRow {
  readonly tenantId: string;
  readonly periodStart: string;
  readonly model: string;
  readonly outcome: 'unrated' | 'unmeasured';
  readonly entries: number;
  readonly sample: bigint;
  /** When the first and the last of their calls occurred; of late ones in an earlier period. */
  readonly firstAt: InstantMs;
  readonly lastAt: InstantMs;
}

/** Reads what holds up the close of these periods (R10). */
export async function readWaiting(
  db: Kysely<Tables>,
  periods: readonly Pick<PeriodRow, 'tenantId' | 'periodStart'>[],
): Promise<readonly WaitingRow[]> {
  const { rows } = await sql<Omit<WaitingRow, 'entries'> & { readonly entries: bigint }>`
    select k.t as "tenantId", k.s as "periodStart", e.requested_model as model, e.outcome,
      count(*) as entries, min(e.entry_id) as sample,
      min(e.occurred_at) as "firstAt", max(e.occurred_at) as "lastAt"
    from unnest(${periods.map((period) => period.tenantId)}::text[],
      ${periods.map((period) => period.periodStart)}::date[]) k(t, s)
    join entries e on e.tenant_id = k.t and e.period_start = k.s
    where e.outcome in ('unrated', 'unmeasured') and ${sql.raw(STANDS)}
    group by k.t, k.s, e.requested_model, e.outcome, e.service_tier, e.provider,
      e.uncached_input_tokens > 0, e.output_tokens > 0,
      (select array_agg(u order by u) from jsonb_object_keys(e.units) u)
    order by e.requested_model, sample`.execute(db);
  return rows.map((row) => ({ ...row, entries: Number(row.entries) }));
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

/** A period with what decides which remainder it takes. */
export interface CarriedTo extends Pick<PeriodRow, 'tenantId' | 'periodStart'> {
  readonly mode: 'shadow' | 'live';
  readonly currency: string;
  /** False for a close of before, which took the remainder of whatever close was the last. */
  readonly carriesApart: boolean;
}

/** What is carried into a period. */
export interface Carried {
  readonly carriedIn: bigint;
  /** What of it is of months that were billed, and came while the tenant was in shadow. */
  readonly carriedInDue: bigint;
}

/**
 * Reads what the close before carried on to each of these periods, in picodollars; nothing to a
 * tenant's first. What was never billed is carried to no bill, and what is left in one currency
 * stays in it, until the next period of its kind. What is due and came in months in shadow goes to the next live
 * one. The answer throws for a period that was not asked for.
 */
export async function readCarriedIn(
  db: Kysely<Tables>,
  periods: readonly CarriedTo[],
): Promise<(period: Pick<PeriodRow, 'tenantId' | 'periodStart'>) => Carried> {
  const apart = <Value>(value: (period: CarriedTo) => Value) =>
    periods.map((period) => (period.carriesApart ? value(period) : null));
  const { rows } = await sql<{ t: string; s: string; left_over: bigint; due: bigint }>`
    select k.t, k.s, coalesce(before.left_over, 0) as left_over, coalesce((
      select sum(c.carried_out_due) from closes c
      where k.m = 'live' and c.tenant_id = k.t and c.period_start < k.s and c.mode = 'shadow' and c.currency = k.c
        and (before.period_start is null or c.period_start > before.period_start)
    ), 0)::numeric(38, 0) as due
    from unnest(${periods.map((period) => period.tenantId)}::text[],
      ${periods.map((period) => period.periodStart)}::date[],
      ${apart(({ mode }) => mode)}::text[], ${apart(({ currency }) => currency)}::text[]) k(t, s, m, c)
    left join lateral (
      select period_start, carried_out - coalesce(carried_out_due, 0) as left_over from closes
      where tenant_id = k.t and period_start < k.s and (k.m is null or mode = k.m and currency = k.c)
      order by period_start desc limit 1
    ) before on true`.execute(db);
  const carried = new Map(
    rows.map(({ t, s, left_over: leftOver, due }) => [
      periodKey({ tenantId: t, periodStart: s }),
      { carriedIn: leftOver + due, carriedInDue: due },
    ]),
  );
  return ({ tenantId, periodStart }) => {
    const amounts = carried.get(periodKey({ tenantId, periodStart }));
    if (amounts === undefined) {
      throw new Error(`nobody asked what is carried into period ${periodStart} of "${tenantId}"`);
    }
    return amounts;
  };
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

/** A period's frozen facts and bytes, ready to be kept. */
export interface NewClose {
  readonly facts: PeriodFacts;
  readonly frozen: FrozenManifest;
  readonly mode: 'shadow' | 'live';
  readonly stripeCustomer: string | null;
}

/**
 * Inserts closes. Their manifests go as one piece of bytes that the statement cuts again: as texts of a list each of
 * their many quotation marks would be escaped here and read again there.
 */
export async function insertCloses(
  transaction: Transaction,
  closes: readonly NewClose[],
  closedAt: InstantMs,
): Promise<void> {
  const column = (value: (close: NewClose) => unknown) => closes.map(value);
  const manifests = closes.map(({ frozen }) => Buffer.from(frozen.text));
  await transaction.client.query(
    `insert into closes (tenant_id, period_start, manifest, manifest_hash, entries, currency,
       charge_exact, carried_in, billable_micro, carried_out, charge_total, mode, stripe_customer, carried_out_due, closed_at)
     select t, s, convert_from(substr($15::bytea, (1 + sum(bytes) over (order by n) - bytes)::int, bytes), 'UTF8'),
       hash, entries, currency, exact, carried_in, billable, carried_out, total, mode, customer, due, $16::timestamptz
     from unnest($1::text[], $2::date[], $3::int[], $4::text[], $5::bigint[], $6::text[],
       $7::numeric[], $8::numeric[], $9::numeric[], $10::numeric[], $11::numeric[], $12::text[], $13::text[],
       $14::numeric[]) with ordinality x(t, s, bytes, hash, entries, currency, exact, carried_in, billable, carried_out,
         total, mode, customer, due, n)`,
    [
      column(({ facts }) => facts.tenantId),
      column(({ facts }) => facts.periodStart),
      manifests.map((bytes) => bytes.length),
      column(({ frozen }) => frozen.hash),
      column(({ frozen }) => frozen.manifest.entries),
      column(({ facts }) => facts.currency),
      column(({ frozen }) => frozen.chargeExact),
      column(({ facts }) => facts.carriedIn),
      column(({ frozen }) => frozen.billable.billableMicro),
      column(({ frozen }) => frozen.billable.carriedOut),
      column(({ frozen }) => frozen.billable.total),
      column(({ mode }) => mode),
      column(({ stripeCustomer }) => stripeCustomer),
      column(({ frozen }) => frozen.carriedOutDue),
      Buffer.concat(manifests),
      formatInstant(closedAt),
    ],
  );
}
