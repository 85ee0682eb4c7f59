import type { Clock } from '../../clock.ts';
import { refuseUntaken, takeBatches } from '../../database/batch-queue.ts';
import type { Database } from '../../database/database.ts';
import { inTransaction } from '../../database/database.ts';
import { retryLostRace } from '../../database/lost-race.ts';
import type { ActParts, Parts } from '../../parts.ts';
import { readHeld } from '../joining/held-store.ts';
import { inheritTags } from '../joining/inherit-tags.ts';
import { joinAttempts } from '../joining/join-attempts.ts';
import { joinReports } from '../joining/join-reports.ts';
import { countForBudgets } from './budget-count-store.ts';
import { foldBatches } from './rollup-store.ts';

/** Batches folded in one transaction, of up to some two thousand entries each: a second or two of work. */
export const BATCHES_A_FOLD = 64;

/**
 * Folds every batch that is committed; returns how many batches it folded. Throws a `Refusal` where it may not. It waits
 * for the folds of others, or so long, and then throws what Postgres says of a lock that is not to be had.
 */
export function foldAll(
  database: Database,
  clock: Clock,
  longestWaitMs: number | null = null,
): Promise<number> {
  return foldUntil({ database, clock }, { isLast: (batches) => batches === 0, longestWaitMs });
}

/**
 * Folds the batches that are waiting, and not again and again those that are posted meanwhile: they wait for one another,
 * since entries cost the less the more of them are folded at once. Else as `foldAll`.
 */
export function foldWaiting(database: Database, clock: Clock): Promise<number> {
  const isLast = (batches: number) => batches < BATCHES_A_FOLD;
  return foldUntil({ database, clock }, { isLast, longestWaitMs: null });
}

/**
 * Folds what an act has posted, so that whoever did it reads it in the rollups. The act stands from its commit on: a fold
 * that does not come about fails no act, which somebody would do once more. Its batches wait for the next fold, and where
 * that cannot be made either, whoever asked for it is told why. The log has the cause at once.
 */
export async function foldPosted({ database, clock, log }: ActParts): Promise<void> {
  try {
    await foldAll(database, clock);
  } catch (error) {
    log?.warn(
      { error: String(error) },
      'what was posted is not folded, and waits for the next fold',
    );
  }
}

async function foldUntil(
  parts: Pick<Parts, 'database' | 'clock'>,
  how: {
    readonly isLast: (batches: number) => boolean;
    readonly longestWaitMs: number | null;
  },
): Promise<number> {
  let folded = 0;
  try {
    for (;;) {
      const batches = await foldSome(parts, how.longestWaitMs);
      folded += batches;
      if (how.isLast(batches)) return folded;
    }
  } catch (error) {
    await refuseUntaken(parts.database, 'fold_queue', error);
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
