import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { foldAll } from '../../ledger/rollups/fold-batches.ts';
import type { PublishedSeal } from '../../seals/publication/published-seals.ts';
import { sealAll } from '../../seals/seal-batches.ts';
import type { LawReport, LawScope } from './law.ts';
import {
  checkClosedPeriods,
  checkPushes,
  checkReceipts,
  checkSplits,
  checkStatements,
} from './laws-store.ts';
import { checkPrices } from './prices-law-store.ts';
import { checkRollups } from './rollups-law-store.ts';
import { insertVerification, openScope } from './scope-store.ts';
import { checkSeals } from './seals-law-store.ts';

/** What Stripe's summaries show, from whoever may ask Stripe; null where no Stripe is configured. */
export type StripeCheck = () => Promise<LawReport>;

export interface VerifyOptions {
  /**
   * `full` looks at everything. `incremental` looks at what came since the last run in which every law
   * held: new batches, new closes, and the sums of everything. An old entry that was tampered with is found
   * by a full run.
   */
  readonly scope: LawScope['kind'];
  /** Seals that were given away, to be found in the chain. */
  readonly published: readonly PublishedSeal[];
  readonly clock: Clock;
}

const EVERYTHING: Omit<VerifyOptions, 'clock'> = { scope: 'full', published: [] };

/**
 * Checks every law on the live database. Rollups and seals are brought up to date first, since being
 * behind is no violation. Law 6 needs Stripe and is checked where a Stripe is given.
 */
export async function verify(
  database: Database,
  checkStripe: StripeCheck | null,
  options: Pick<VerifyOptions, 'clock'> & Partial<VerifyOptions>,
): Promise<readonly LawReport[]> {
  const { scope: kind, published, clock } = { ...EVERYTHING, ...options };
  const startedAt = clock();
  await foldAll(database, clock);
  await sealAll(database, clock);
  const scope = await openScope(database, kind);
  const reports = [
    await checkReceipts(database, scope),
    await checkSplits(database, scope),
    await checkStatements(database, scope),
    await checkClosedPeriods(database, scope),
    await checkPushes(database),
    ...(checkStripe === null ? [] : [await checkStripe()]),
    await checkPrices(database, scope),
    await checkSeals(database, scope, published),
    await checkRollups(database, scope),
  ];
  if (reports.every((report) => report.violations.length === 0)) {
    await insertVerification(database, scope, { startedAt, finishedAt: clock() });
  }
  return reports.sort((a, b) => a.law - b.law);
}
