import type { Clock } from '../../clock.ts';
import { refuseUntaken, takeBatches } from '../../database/batch-queue.ts';
import type { Database } from '../../database/database.ts';
import { inTransaction } from '../../database/database.ts';
import { retryLostRace } from '../../database/lost-race.ts';
import type { Parts } from '../../parts.ts';
import { readHeld } from '../posting/held-store.ts';
import { inheritTags } from '../posting/inherit-tags.ts';
import { joinAttempts } from '../posting/join-attempts.ts';
import { joinReports } from '../posting/join-reports.ts';
import { countForBudgets } from './budget-count-store.ts';
import { foldBatches } from './rollup-store.ts';

/** Batches folded in one transaction, of up to some two thousand entries each: a second or two of work. */
export const BATCHES_A_FOLD = 64;

/**
 * Folds every batch that is committed; returns how many batches it folded. Throws a `Refusal` where it may not. It waits
 * for the folds of others, or so long, and then throws what Postgres says of a lock that is not to be had.
 */
export async function foldAll(
  database: Database,
  clock: Clock,
  longestWaitMs: number | null = null,
): Promise<number> {
  let folded = 0;
  try {
    for (;;) {
      const batches = await foldSome({ database, clock }, longestWaitMs);
      if (batches === 0) return folded;
      folded += batches;
    }
  } catch (error) {
    await refuseUntaken(database, 'fold_queue', error);
    return folded;
  }
}

/**
 * Does beside the hot path what needs whole, committed batches: joins the reports and the attempts of calls that came
 * in any order, gives calls the tags of the spans around them, and adds the entries to the rollups and to what budgets
 * count. A batch is queued by the transaction that posts it and taken from the queue by the one that folds it, so each
 * entry is counted once, whatever commits late. Returns how many batches it folded: so many as are folded in one
 * transaction, at the most.
 */
export function foldSome(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  longestWaitMs: number | null = null,
): Promise<number> {
  return retryLostRace(() =>
    inTransaction(database, async (transaction) => {
      const how = { most: BATCHES_A_FOLD, longestWaitMs };
      const batchIds = await takeBatches(transaction, 'fold_queue', how);
      if (batchIds.length === 0) return 0;
      const held = await readHeld(transaction, batchIds);
      await joinReports(transaction, batchIds, { held, at: clock() });
      if (held.nobodysCalls) await inheritTags(transaction, batchIds, clock());
      await joinAttempts(transaction, batchIds, clock());
      await foldBatches(transaction, batchIds);
      await countForBudgets(transaction, batchIds, clock());
      return batchIds.length;
    }),
  );
}
