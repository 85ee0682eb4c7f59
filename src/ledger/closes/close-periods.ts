import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { inTransaction } from '../../database/database.ts';
import { formatMinor, formatPico } from '../../money.ts';
import type { Parts } from '../../parts.ts';
import { DEFAULT_CURRENCY } from '../../rating/rate-event.ts';
import { foldAll } from '../rollups/fold-batches.ts';
import type { CloseAnswer, ClosedPeriod, CloseRequest } from './close-answer.ts';
import type { CloseRow, PeriodRow } from './close-store.ts';
import {
  insertCloses,
  lockShut,
  movePeriods,
  periodKey,
  readCarriedIn,
  readCloses,
} from './close-store.ts';
import type { SummedPeriod } from './each-period.ts';
import { eachPeriod } from './each-period.ts';
import { MANIFEST_FORMAT, makeManifest } from './manifest.ts';
import { refusedPeriod, shutPeriods } from './shut-periods.ts';

/**
 * Closes the periods that begin in a month and have ended (R17). They are shut first, in one moment; the
 * manifests are made at leisure. A crash between the two leaves periods shut, and the next close goes
 * on there.
 */
export async function closePeriods(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  request: CloseRequest,
): Promise<CloseAnswer> {
  // Second reports of calls are taken back while their month is open.
  await foldAll(database, clock);
  const { shut, others } = await shutPeriods(database, clock, request);
  const refused: ClosedPeriod[] = [];
  await eachPeriod(database, shut, async (some) => {
    refused.push(...(await freezePeriods(database, clock, some)));
  });
  const closed = await answersOfClosed(database, request, shut);
  return [...closed, ...others, ...refused].sort((a, b) => (a.tenant_id < b.tenant_id ? -1 : 1));
}

/**
 * Freezes some shut periods in one transaction; returns those that could not be closed after all. A
 * shut period takes no more entries, so what was summed before its row is locked still holds.
 */
function freezePeriods(
  database: Database,
  clock: Clock,
  some: readonly SummedPeriod<PeriodRow>[],
): Promise<readonly ClosedPeriod[]> {
  return inTransaction(database, async (transaction) => {
    const locked = new Set(
      await lockShut(
        transaction,
        some.map(({ period }) => period),
      ),
    );
    const ours = some.filter(({ period }) => locked.has(period));
    const { mixed = [], sound = [] } = Object.groupBy(ours, ({ currencies }) =>
      currencies.length > 1 ? 'mixed' : 'sound',
    );
    const periods = sound.map(({ period }) => period);
    const carriedIn = await readCarriedIn(transaction.kysely, periods);
    const closes = sound.map(({ period, currencies, groups, entriesRoot }) => {
      const currency = currencies[0] ?? DEFAULT_CURRENCY;
      const format = MANIFEST_FORMAT;
      const facts = { ...period, currency, carriedIn: carriedIn(period), format, entriesRoot };
      return { facts, frozen: makeManifest(facts, groups) };
    });
    await insertCloses(transaction, closes, clock());
    await movePeriods(transaction, periods, 'closed');
    return mixed.map(({ period, currencies }) => refuseCurrencies(period, currencies));
  });
}

function refuseCurrencies(period: PeriodRow, currencies: readonly string[]): ClosedPeriod {
  return refusedPeriod(
    period,
    `charges in ${currencies.join(' and ')}; one period has one currency, correct the entries of the other`,
  );
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
    detail: detailOf(close),
    charge_total: formatMinor(close.chargeTotal, close.currency),
    currency: close.currency,
    manifest_hash: close.manifestHash,
  }));
}

/** A credit that exceeds what was used is named, since nothing is billed and nothing is paid out. */
function detailOf({ carriedOut, currency }: CloseRow): string | null {
  if (carriedOut >= 0n) return null;
  return `${formatPico(-carriedOut)} ${currency} more was credited than charged; that is carried on`;
}
