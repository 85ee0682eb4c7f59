import type { Clock } from '../../clock.ts';
import { formatInstant } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { inTransaction } from '../../database/database.ts';
import { formatMinor } from '../../money.ts';
import type { Parts } from '../../parts.ts';
import { loadPriceCatalog } from '../../rating/books/price-book-store.ts';
import { DEFAULT_CURRENCY } from '../../rating/rate-event.ts';
import { Refusal } from '../../refusal.ts';
import { PeriodRoots } from '../../seals/period-roots-store.ts';
import { readTenant, readTenants } from '../../tenants/tenant-store.ts';
import { lockAgainstPosting } from '../posting/posting-store.ts';
import type { CloseAnswer, ClosedPeriod, CloseRequest } from './close-answer.ts';
import type { Objections, PeriodRow } from './close-store.ts';
import {
  insertCloses,
  insertIdlePeriods,
  lockShut,
  movePeriods,
  periodKey,
  readCarriedIn,
  readCloses,
  readObjections,
  readPeriodsOf,
} from './close-store.ts';
import { makeManifest } from './manifest.ts';
import type { PeriodGroups } from './period-groups-store.ts';
import { groupPeriods } from './period-groups-store.ts';

/**
 * Closes the periods that begin in a month and have ended (R17). They are shut first, in one moment in
 * which nobody posts; from then on late usage goes to the next period (R12), and the manifests are made
 * at leisure. A crash between the two leaves periods that are shut, and the next close goes on there.
 */
export async function closePeriods(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  request: CloseRequest,
): Promise<CloseAnswer> {
  const moment = await shutPeriods(database, clock, request);
  const catalog = await loadPriceCatalog(database.kysely);
  const refused: ClosedPeriod[] = [];
  await inTransaction(database, async (transaction) => {
    const roots = await PeriodRoots.open(transaction, moment.shut);
    await groupPeriods(database, { periods: moment.shut, catalog }, async (some) => {
      refused.push(...(await closeShut(database, clock, await roots.root(some))));
    });
  });
  const closed = await answersOfClosed(database, request, moment.shut);
  return [...closed, ...moment.others, ...refused].sort((a, b) =>
    a.tenant_id < b.tenant_id ? -1 : 1,
  );
}

interface ShutMoment {
  readonly shut: readonly PeriodRow[];
  readonly others: readonly ClosedPeriod[];
}

function shutPeriods(database: Database, clock: Clock, request: CloseRequest): Promise<ShutMoment> {
  return inTransaction(database, async (transaction) => {
    await lockAgainstPosting(transaction);
    const { kysely } = transaction;
    const tenants =
      request.tenant_id === null
        ? await readTenants(kysely, 'all')
        : [await readTenant(kysely, request.tenant_id)];
    const idle = { month: request.month, now: clock() };
    const running = await insertIdlePeriods(transaction, tenants, idle);
    const periods = await readPeriodsOf(kysely, request.month, request.tenant_id);
    if (periods.length + running.length === 0) refuseNothingToClose(request);
    const shut: PeriodRow[] = [];
    const known = new Set(periods.map((period) => periodKey(period.tenantId, period.periodStart)));
    const others = running
      .filter(({ tenantId, period }) => !known.has(periodKey(tenantId, period.startDate)))
      .map(({ tenantId, period }) => notEnded(tenantId, period.startDate, period.endsAt));
    const unclosed = periods.filter((period) => period.state !== 'closed');
    const objections = await readObjections(kysely, unclosed);
    for (const period of unclosed) {
      const objection = findObjection(period, objections, clock());
      if (objection === null) shut.push(period);
      else others.push(objection);
    }
    await movePeriods(transaction, shut, 'shut');
    return { shut, others };
  });
}

function refuseNothingToClose(request: CloseRequest): never {
  const whose = request.tenant_id === null ? 'any tenant' : `tenant "${request.tenant_id}"`;
  throw new Refusal(
    'not_found',
    `${whose} has no period that begins in ${request.month}`,
    'give the month in which the period begins, as YYYY-MM; "select * from audit.periods" lists them',
  );
}

const UNCLOSED = { charge_total: null, currency: null, manifest_hash: null } as const;

function notEnded(tenantId: string, periodStart: string, endsAt: number): ClosedPeriod {
  const detail = `ends at ${formatInstant(endsAt)}`;
  const of = { tenant_id: tenantId, period_start: periodStart };
  return { ...UNCLOSED, ...of, state: 'not_ended', detail };
}

function findObjection(
  period: PeriodRow,
  objections: Objections,
  now: number,
): ClosedPeriod | null {
  const key = periodKey(period.tenantId, period.periodStart);
  const { tenantId, periodStart } = period;
  const refused = (detail: string) => ({
    ...UNCLOSED,
    tenant_id: tenantId,
    period_start: periodStart,
    state: 'refused' as const,
    detail,
  });
  if (now < period.endsAt) return notEnded(period.tenantId, period.periodStart, period.endsAt);
  const earlier = objections.earlierOpen.get(key);
  if (earlier !== undefined) {
    const month = earlier.slice(0, 7);
    return refused(
      `its period from ${earlier} is still open; close ${month} first, remainders are carried in order`,
    );
  }
  const unrated = objections.unrated.get(key) ?? [];
  if (unrated.length > 0) {
    const models = unrated.map(({ model, entries }) => `${model} (${entries})`).join(', ');
    return refused(
      `entries without a price: ${models}; import a price for each model, then rerate ${period.periodStart.slice(0, 7)}`,
    );
  }
  return null;
}

/**
 * Closes some periods that are shut in one transaction; returns those that could not be closed after
 * all. A period that is shut takes no more entries, so what was summed before its row is locked still holds.
 */
function closeShut(
  database: Database,
  clock: Clock,
  some: readonly (PeriodGroups<PeriodRow> & { readonly entriesRoot: string })[],
): Promise<readonly ClosedPeriod[]> {
  return inTransaction(database, async (transaction) => {
    const locked = new Set(
      await lockShut(
        transaction,
        some.map(({ period }) => period),
      ),
    );
    const ours = some.filter(({ period }) => locked.has(period));
    const { wrong = [], right = [] } = Object.groupBy(ours, ({ currencies }) =>
      currencies.length > 1 ? 'wrong' : 'right',
    );
    const periods = right.map(({ period }) => period);
    const carriedIn = await readCarriedIn(transaction.kysely, periods);
    const closes = right.map(({ period, currencies, groups, entriesRoot }) => {
      const carried = carriedIn.get(periodKey(period.tenantId, period.periodStart)) ?? 0n;
      const currency = currencies[0] ?? DEFAULT_CURRENCY;
      const facts = { ...period, currency, carriedIn: carried, entriesRoot };
      return { facts, frozen: makeManifest(facts, groups) };
    });
    await insertCloses(transaction, closes, clock());
    await movePeriods(transaction, periods, 'closed');
    return wrong.map(({ period, currencies }) => refuseCurrencies(period, currencies));
  });
}

function refuseCurrencies(period: PeriodRow, currencies: readonly string[]): ClosedPeriod {
  return {
    ...UNCLOSED,
    tenant_id: period.tenantId,
    period_start: period.periodStart,
    state: 'refused',
    detail: `charges in ${currencies.join(' and ')}; one period has one currency, correct the entries of the other`,
  };
}

async function answersOfClosed(
  database: Database,
  request: CloseRequest,
  shut: readonly PeriodRow[],
): Promise<readonly ClosedPeriod[]> {
  const now = new Set(shut.map((period) => periodKey(period.tenantId, period.periodStart)));
  const closes = await readCloses(database, {
    month: request.month,
    tenantId: request.tenant_id,
  });
  return closes.map((close) => ({
    tenant_id: close.tenantId,
    period_start: close.periodStart,
    state: now.has(periodKey(close.tenantId, close.periodStart)) ? 'closed' : 'already_closed',
    detail: null,
    charge_total: formatMinor(close.chargeTotal, close.currency),
    currency: close.currency,
    manifest_hash: close.manifestHash,
  }));
}
