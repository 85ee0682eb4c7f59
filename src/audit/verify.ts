import type { Database } from '../database/database.ts';
import { foldAll } from '../ledger/fold-batches.ts';
import type { LawReport } from './law.ts';
import {
  checkClosedPeriods,
  checkPushes,
  checkReceipts,
  checkRollups,
  checkSplits,
  checkStatements,
} from './laws-store.ts';
import { checkPrices } from './prices-law-store.ts';

/** What Stripe's summaries show, from whoever may ask Stripe; null where no Stripe is configured. */
export type StripeCheck = () => Promise<LawReport>;

/**
 * Checks every law on the live database. Rollups are brought up to date first, since being behind is
 * no violation. Law 6 needs Stripe and is checked where a Stripe is given.
 */
export async function verify(
  database: Database,
  checkStripe: StripeCheck | null,
): Promise<readonly LawReport[]> {
  await foldAll(database);
  const reports = [
    await checkReceipts(database),
    await checkSplits(database),
    await checkStatements(database),
    await checkClosedPeriods(database),
    await checkPushes(database),
    ...(checkStripe === null ? [] : [await checkStripe()]),
    await checkPrices(database),
    await checkRollups(database),
  ];
  return reports.sort((a, b) => a.law - b.law);
}
