import type { Database } from '../../database/database.ts';
import { inTransaction } from '../../database/database.ts';
import { formatMinor, formatPico } from '../../money.ts';
import type { Parts } from '../../parts.ts';
import { present } from '../../present.ts';
import { loadPriceCatalog } from '../../rating/books/price-book-store.ts';
import type { PriceCatalog } from '../../rating/books/price-catalog.ts';
import { readTenants } from '../../tenants/tenant-store.ts';
import { foldAll } from '../rollups/fold-batches.ts';
import type { CloseAnswer, ClosedPeriod, CloseRequest } from './close-answer.ts';
import type { PeriodRow } from './close-store.ts';
import { insertCloses, lockShut, movePeriods, periodKey, readCarriedIn } from './close-store.ts';
import type { CloseRow } from './closed-periods-store.ts';
import { readCloses } from './closed-periods-store.ts';
import type { SummedPeriod } from './each-period.ts';
import { eachPeriod } from './each-period.ts';
import { MANIFEST_FORMAT, makeManifest } from './manifest.ts';
import { readCurrencies } from './period-currencies.ts';
import { shutPeriods } from './shut-periods.ts';

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
  const catalog = await loadPriceCatalog(database.kysely);
  for (const round of roundsOf(shut)) {
    await eachPeriod(database, round, (some) => freezePeriods({ database, clock }, catalog, some));
  }
  const closed = await answersOfClosed(database, request, shut);
  return [...closed, ...others].sort((a, b) => (a.tenant_id < b.tenant_id ? -1 : 1));
}

/**
 * Freezes some shut periods in one transaction, with the mode in which they were shut and the customer of their
 * tenants (R19). A shut period takes no more entries, so what was summed before its row is locked still holds.
 */
function freezePeriods(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  catalog: PriceCatalog,
  some: readonly SummedPeriod<PeriodRow>[],
): Promise<void> {
  return inTransaction(database, async (transaction) => {
    const modes = await lockShut(
      transaction,
      some.map(({ period }) => period),
    );
    const ours = some.flatMap((summed) => {
      const mode = modes.get(summed.period);
      return mode === undefined ? [] : [{ ...summed, mode }];
    });
    const known = await readTenants(
      transaction.kysely,
      ours.map(({ period }) => period.tenantId),
    );
    const tenants = new Map(known.map((tenant) => [tenant.tenantId, tenant]));
    const currencyOf = await readCurrencies(transaction, { catalog, tenants }, ours);
    const periods = ours.map((summed) => {
      const { stripeCustomer } = present(tenants.get(summed.period.tenantId), 'a tenant');
      const { period, mode } = summed;
      const carried = { ...period, mode, currency: currencyOf(summed), carriesApart: true };
      return { ...summed, carried, stripeCustomer };
    });
    const carriedIn = await readCarriedIn(
      transaction.kysely,
      periods.map(({ carried }) => carried),
    );
    const closes = periods.map(({ carried, stripeCustomer, groups, entriesRoot }) => {
      const { mode, carriesApart: _, ...period } = carried;
      const of = { carriedIn: carriedIn(period), format: MANIFEST_FORMAT, entriesRoot };
      const facts = { ...period, ...of };
      return { facts, frozen: makeManifest(facts, groups), mode, stripeCustomer };
    });
    await insertCloses(transaction, closes, clock());
    await movePeriods(
      transaction,
      ours.map(({ period }) => period),
      'closed',
    );
  });
}

/** The periods that can be closed together: the first of each tenant, then the second, which takes its remainder. */
function roundsOf(shut: readonly PeriodRow[]): readonly (readonly PeriodRow[])[] {
  const rounds: PeriodRow[][] = [];
  for (const periods of Map.groupBy(shut, ({ tenantId }) => tenantId).values()) {
    for (const [index, period] of periods.entries()) {
      rounds[index] = [...(rounds[index] ?? []), period];
    }
  }
  return rounds;
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
