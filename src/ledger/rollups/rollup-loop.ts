import { type Clock, pause } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { isNotPlanned } from '../../database/explain-fault.ts';
import type { Log } from '../../log.ts';
import { takeEndedHolds } from './ended-hold-store.ts';
import { foldWaiting } from './fold-batches.ts';

/**
 * The time that the rollups may be behind the ledger, beside the time of one fold. The calls of a
 * run and of a group fall together in a longer fold: twenty thousand entries at once cost half of
 * ten times two.
 */
const FOLD_EVERY_MS = 2_000;

/**
 * Folds new batches beside the hot path until the signal is aborted, and then what is left; holds that ended long ago
 * leave after each fold.
 */
export async function runRollupLoop(
  database: Database,
  of: { readonly clock: Clock; readonly log: Log },
  stop: AbortSignal,
): Promise<void> {
  // The queue of batches is durable: whatever is not folded now is folded next time.
  const fold = retried(of.log, {
    failing: 'rollups not folded',
    again: 'rollups folded again',
    work: () => foldWaiting(database, of.clock),
  });
  const forget = retried(of.log, {
    failing: 'ended holds not taken away',
    again: 'ended holds taken away again',
    work: () => takeEndedHolds(database, of.clock()),
  });
  while (!stop.aborted) {
    await pause(FOLD_EVERY_MS, stop);
    await fold();
    await forget();
  }
}

/** Does the work whenever it is called, and says once that it fails, and once that it no longer does. */
function retried(
  log: Log,
  of: {
    readonly failing: string;
    readonly again: string;
    readonly work: () => Promise<unknown>;
  },
): () => Promise<void> {
  let isFailing = false;
  return async () => {
    try {
      await of.work();
      if (isFailing) log.info(of.again);
      isFailing = false;
    } catch (error) {
      // A question without a plan stays without one, and a person has to hear of it.
      const level = isNotPlanned(error) ? 'error' : 'warn';
      if (!isFailing) log[level]({ error: String(error) }, of.failing);
      isFailing = true;
    }
  };
}
