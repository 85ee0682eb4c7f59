import { inParallel } from '../../in-parallel.ts';
import { foldAll } from '../../ledger/rollups/fold-batches.ts';
import type { Parts, ProgressPart } from '../../parts.ts';
import type { PublishedSeal } from '../../seals/publication/published-seals.ts';
import { sealAll } from '../../seals/seal-batches.ts';
import { checkBudgetCounts } from './budgets-law-store.ts';
import { checkDocuments } from './documents-law.ts';
import { checkJournal } from './journal-law-store.ts';
import type { LawReport, LawScope } from './law.ts';
import { checkClosedPeriods, checkPushes, checkReceipts, checkSplits } from './laws-store.ts';
import { checkPeriods } from './periods-law-store.ts';
import { checkPrices } from './prices-law-store.ts';
import { checkRollups } from './rollups-law-store.ts';
import { checkSchema } from './schema-law.ts';
import { keepVerification, openScope } from './scope-store.ts';
import { checkSeals } from './seals-law-store.ts';

export interface LawParts extends Pick<Parts, 'database' | 'clock'> {
  /**
   * Law 6, from the room that may ask Stripe: what its summaries show is what is confirmed. Null where no
   * Stripe is configured.
   */
  readonly checkStripe: (() => Promise<LawReport>) | null;
}

interface LawRequest {
  /**
   * `full` looks at everything. `incremental` looks at what came since the last run in which every law
   * held: new batches, new closes, changes of what was decided, and the rollups of a sample of tenants. An
   * old entry that was tampered with is found by a full run.
   */
  readonly scope: LawScope['kind'];
  /** Seals that were given away, to be found in the chain. */
  readonly published: readonly PublishedSeal[];
  /**
   * Whether law 12 is left out, for whoever knows that the schema is the one that the migrations make: it is the
   * dearest in a small ledger. Such a run is not one from which a later run goes on.
   */
  readonly withoutSchema?: boolean;
}

/** Each law is mostly one long question, and Postgres answers several on several processors. */
const LAWS_AT_ONCE = 3;

/**
 * Checks every law on the live database. Rollups and seals are brought up to date first, since being
 * behind is no violation.
 */
export async function checkLaws(
  { database, clock, checkStripe, onProgress }: LawParts & ProgressPart,
  request: LawRequest,
): Promise<readonly LawReport[]> {
  const startedAt = clock();
  await foldAll(database, clock);
  await sealAll(database, clock);
  const scope = await openScope(database, request.scope);
  const { withoutSchema = false } = request;
  const checks: readonly (() => Promise<LawReport>)[] = [
    () => checkReceipts(database, scope),
    () => checkSplits(database, scope),
    () => checkPeriods(database, scope),
    () => checkClosedPeriods(database, scope),
    () => checkPushes(database, scope),
    ...(checkStripe === null ? [] : [checkStripe]),
    () => checkPrices(database, scope),
    () => checkSeals(database, scope, request.published),
    () => checkRollups(database, scope),
    () => checkBudgetCounts(database, scope),
    () => checkJournal(database, scope),
    ...(scope.kind === 'full' && !withoutSchema ? [() => checkSchema(database)] : []),
    ...(scope.kind === 'full' ? [() => checkDocuments(database)] : []),
  ];
  const reports: LawReport[] = [];
  await inParallel(checks, LAWS_AT_ONCE, async (check) => {
    reports.push(await check());
    onProgress?.(reports.length, checks.length);
  });
  if (!withoutSchema && reports.every((report) => report.violations.length === 0)) {
    await keepVerification(database, scope, { startedAt, finishedAt: clock() });
  }
  return reports.sort((a, b) => a.law - b.law);
}
