import type { Clock, InstantMs } from '../../clock.ts';
import { formatInstant } from '../../clock.ts';
import type { Database, Transaction } from '../../database/database.ts';
import { inTransaction } from '../../database/database.ts';
import { lockAgainstPosting } from '../../database/posting-lock.ts';
import type { Period } from '../../periods/calendar.ts';
import { periodKey } from '../../periods/period-key.ts';
import { byTenantAndStart } from '../../periods/period-order.ts';
import { Refusal } from '../../refusal.ts';
import { readTenant, readTenants } from '../../tenants/tenant-store.ts';
import { insertPeriods } from '../posting/posting-store.ts';
import { readCalendarPeriods } from './calendar-periods-store.ts';
import type { ClosedPeriod, CloseRequest } from './close-answer.ts';
import { describeMixed } from './mixed-currencies.ts';
import type { Objections } from './objections-store.ts';
import { readObjections } from './objections-store.ts';
import type { MixedCurrencies } from './period-currencies-store.ts';
import { readMixedCurrencies } from './period-currencies-store.ts';
import type { PeriodRow } from './period-store.ts';
import { movePeriods, readPeriodsOf } from './period-store.ts';
import type { WaitingEntries } from './waiting-entries.ts';
import { findWaiting } from './waiting-entries.ts';

/** The periods of a request that are shut now and not yet closed, and why each of the others is not. */
interface ShutPeriods {
  readonly shut: readonly PeriodRow[];
  readonly others: readonly ClosedPeriod[];
}

/**
 * Shuts the periods that begin in a month and may be closed, in one moment in which nobody posts: from
 * then on late usage goes to the next period (R12). One that a close before this left shut is among them.
 */
export function shutPeriods(
  database: Database,
  clock: Clock,
  request: CloseRequest,
): Promise<ShutPeriods> {
  return inTransaction(database, async (transaction) => {
    await lockAgainstPosting(transaction);
    const { idle, closable, others } = await judgeMonth(transaction, request, clock());
    await insertPeriods(transaction, idle);
    await movePeriods(transaction, closable, 'shut');
    return { shut: closable, others };
  });
}

/** The periods that begin in a month and are not closed. */
interface JudgedMonth {
  /** The periods that may be closed now, by tenant and start. */
  readonly closable: readonly PeriodRow[];
  /** The periods in which nobody used anything, and which have no row yet. */
  readonly idle: readonly { readonly tenantId: string; readonly period: Period }[];
  readonly others: readonly ClosedPeriod[];
}

/** Judges which periods of a month may be closed, and says why each of the others may not. It only reads. */
export async function judgeMonth(
  transaction: Transaction,
  request: CloseRequest,
  now: InstantMs,
): Promise<JudgedMonth> {
  const { kysely } = transaction;
  const { month } = request;
  const { tenants, known, ended, running } = await readMonth(transaction, request, now);
  const keys = new Set(known.map((period) => periodKey(period)));
  const isIdle = (of: { readonly tenantId: string; readonly period: Period }) =>
    !keys.has(periodKey({ tenantId: of.tenantId, periodStart: of.period.startDate }));
  const idle = ended.filter(isIdle);
  if (known.length + ended.length + running.length === 0) refuseNothingToClose(request);
  const unclosed = [...known.filter(({ state }) => state !== 'closed'), ...idle.map(rowOf)].sort(
    byTenantAndStart,
  );
  const objections = await readObjections(kysely, unclosed);
  const waiting = await findWaiting(transaction, unclosed, { tenants, now });
  const mixed = await readMixedCurrencies(transaction, unclosed);
  const judged = judgePeriods(unclosed, { objections, waiting, mixed, month }, now);
  const early = running
    .filter(isIdle)
    .map((of) => notEnded(of.tenantId, of.period.startDate, of.period.endsAt));
  return {
    closable: judged.filter(({ objection }) => objection === null).map(({ period }) => period),
    idle,
    others: [...early, ...judged.flatMap(({ objection }) => objection ?? [])],
  };
}

/** Whether a period of a tenant begins in the month; none does of a tenant without usage that was made after it left. */
export async function hasPeriodIn(
  transaction: Transaction,
  request: CloseRequest,
  now: InstantMs,
): Promise<boolean> {
  const { known, ended, running } = await readMonth(transaction, request, now);
  return known.length + ended.length + running.length > 0;
}

async function readMonth(
  transaction: Transaction,
  { month, tenant_id: tenantId }: CloseRequest,
  now: InstantMs,
) {
  const { kysely } = transaction;
  const tenants =
    tenantId === null ? await readTenants(kysely, 'all') : [await readTenant(kysely, tenantId)];
  const ofCalendars = await readCalendarPeriods(transaction, tenants, { month, now });
  return { tenants, known: await readPeriodsOf(kysely, month, tenantId), ...ofCalendars };
}

function rowOf(of: { readonly tenantId: string; readonly period: Period }): PeriodRow {
  const { startDate, ...period } = of.period;
  return { ...period, tenantId: of.tenantId, periodStart: startDate, state: 'open' };
}

function refuseNothingToClose(request: CloseRequest): never {
  const { month, tenant_id: tenantId } = request;
  throw new Refusal(
    'not_found',
    tenantId === null
      ? `no tenant has a period that begins in ${month}`
      : `tenant "${tenantId}" has no period that begins in ${month}`,
    'give the month in which the period begins, as YYYY-MM; "select * from audit.periods" lists them',
  );
}

interface Against {
  readonly month: string;
  readonly objections: Objections;
  readonly waiting: ReadonlyMap<string, WaitingEntries>;
  readonly mixed: ReadonlyMap<string, MixedCurrencies>;
}

interface JudgedPeriod {
  readonly period: PeriodRow;
  readonly objection: ClosedPeriod | null;
}

/** Judges periods in their order. One that is closed along with those before it does not wait for them. */
function judgePeriods(
  periods: readonly PeriodRow[],
  against: Against,
  now: number,
): readonly JudgedPeriod[] {
  /** The first period of each tenant that is not closed now: those after it wait for it. */
  const held = new Map<string, string>();
  return periods.map((period) => {
    const heldBy = held.get(period.tenantId) ?? null;
    const objection = findObjection(period, against, { now, heldBy });
    if (objection !== null && heldBy === null) held.set(period.tenantId, period.periodStart);
    return { period, objection };
  });
}

function findObjection(
  period: PeriodRow,
  against: Against,
  { now, heldBy }: { readonly now: number; readonly heldBy: string | null },
): ClosedPeriod | null {
  const key = periodKey(period);
  const refused = (detail: string) => refusedPeriod(period, detail);
  if (now < period.endsAt) return notEnded(period.tenantId, period.periodStart, period.endsAt);
  const earlier = against.objections.earlierOpen.get(key);
  if (earlier?.start.startsWith(against.month) && heldBy !== null) {
    return refused(
      `its period from ${heldBy} comes first, remainders are carried in order: mend what stands against that one, and close ${against.month} again`,
    );
  }
  if (earlier !== undefined && !earlier.start.startsWith(against.month)) {
    const month = earlier.start.slice(0, 7);
    if (earlier.isShut) {
      return refused(
        `its period from ${earlier.start} was shut by a close that did not end; close ${month} again first, which goes on where that one stopped, since remainders are carried in order`,
      );
    }
    const few = earlier.entryIds.length === 0 ? '' : ` (${earlier.entryIds.join(', ')})`;
    return refused(
      `its period from ${earlier.start} is still open; close ${month} first, remainders are carried in order; or correct what only a wrong clock put there${few}`,
    );
  }
  const mixed = against.mixed.get(key);
  if (mixed !== undefined) return refused(describeMixed(mixed, against.month));
  const waiting = against.waiting.get(key);
  return waiting === undefined ? null : refused(describeWaiting(waiting));
}

/** Describes what has no charge yet, and each way to go on. */
function describeWaiting({ unrated, unmeasured, months }: WaitingEntries): string {
  const list = (waiting: WaitingEntries['unrated']) =>
    waiting.map(({ what, entries }) => `${what} (${entries})`).join(', ');
  const rerate = `then rerate ${months.join(' and ')}`;
  const forWant = [
    ...(unrated.length === 0
      ? []
      : [
          `entries without a price: ${list(unrated)}; import a price for each model, ${rerate}, or accept them as free`,
        ]),
    ...(unmeasured.length === 0
      ? []
      : [
          `entries without a measure: ${list(unmeasured)}; give their usage by a correction, accept them as free, or import a price for the call alone, ${rerate}`,
        ]),
  ];
  return forWant.join('; ');
}

function notEnded(tenantId: string, periodStart: string, endsAt: number): ClosedPeriod {
  const detail = `ends at ${formatInstant(endsAt)}`;
  const of = { tenant_id: tenantId, period_start: periodStart };
  return { ...UNCLOSED, ...of, state: 'not_ended', detail };
}

/** Returns the answer for a period that stays open, and why. */
function refusedPeriod(
  { tenantId, periodStart }: Pick<PeriodRow, 'tenantId' | 'periodStart'>,
  detail: string,
): ClosedPeriod {
  return {
    ...UNCLOSED,
    tenant_id: tenantId,
    period_start: periodStart,
    state: 'refused',
    detail,
  };
}

const UNCLOSED = { charge_total: null, currency: null, manifest_hash: null } as const;
