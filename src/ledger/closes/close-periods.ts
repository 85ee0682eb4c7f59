import { inTransaction } from '../../database/database.ts';
import type { Parts, ProgressPart } from '../../parts.ts';
import { byTenantAndStart } from '../../periods/period-order.ts';
import { present } from '../../present.ts';
import { loadPriceCatalog } from '../../rating/books/price-book-store.ts';
import type { PriceCatalog } from '../../rating/books/price-catalog.ts';
import { readTenants } from '../../tenants/tenant-store.ts';
import { foldAll } from '../rollups/fold-batches.ts';
import type { CloseAnswer, CloseRequest } from './close-answer.ts';
import { insertCloses, readCarriedIn } from './close-store.ts';
import { answersOfClosed } from './closed-answers.ts';
import type { SummedPeriod } from './each-period.ts';
import { eachPeriod, roundsOf } from './each-period.ts';
import { MANIFEST_FORMAT, makeManifest } from './manifest.ts';
import { readCurrencies } from './period-currencies.ts';
import type { PeriodRow } from './period-store.ts';
import { lockShut, movePeriods } from './period-store.ts';
import { planClose } from './plan-close.ts';
import { shutPeriods } from './shut-periods.ts';

/**
 * Closes the periods that begin in a month and have ended (R17). They are shut first, in one moment; the
 * manifests are made at leisure. A crash between the two leaves periods shut, and the next close goes
 * on there.
 */
export async function closePeriods(
  { database, clock, onProgress }: Pick<Parts, 'database' | 'clock'> & ProgressPart,
  request: CloseRequest,
): Promise<CloseAnswer> {
  if (request.dry_run === true) return (await planClose({ database, clock }, request)).answer;
  // Second reports of calls are taken back while their month is open.
  await foldAll(database, clock);
  const { shut, others } = await shutPeriods(database, clock, request);
  const catalog = await loadPriceCatalog(database.kysely);
  let frozen = 0;
  for (const round of roundsOf(shut)) {
    await eachPeriod(database, round, async (some) => {
      await freezePeriods({ database, clock }, catalog, some);
      frozen += some.length;
      onProgress?.(frozen, shut.length);
    });
  }
  const closed = await answersOfClosed(database, request, shut);
  return [...closed, ...others].sort(byTenantAndStart);
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
    const carriedInto = await readCarriedIn(
      transaction.kysely,
      periods.map(({ carried }) => carried),
    );
    const closes = periods.map(({ carried, stripeCustomer, groups, entriesRoot }) => {
      const { mode, carriesApart: _, ...period } = carried;
      const of = { format: MANIFEST_FORMAT, entriesRoot, carriesDue: mode === 'shadow' };
      const facts = { ...period, ...carriedInto(period), ...of };
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
