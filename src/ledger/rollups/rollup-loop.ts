import { type Clock, pause } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { isNotPlanned } from '../../database/explain-fault.ts';
import type { Log } from '../../log.ts';
import { foldAll } from './fold-batches.ts';

/**
 * The time that the rollups may be behind the ledger, beside the time of one fold. The calls of a
 * run and of a group fall together in a longer fold: twenty thousand entries at once cost half of
 * ten times two.
 */
const FOLD_EVERY_MS = 2_000;

/** Folds new batches beside the hot path until the signal is aborted, and then what is left. */
export async function runRollupLoop(
  database: Database,
  of: { readonly clock: Clock; readonly log: Log },
  stop: AbortSignal,
): Promise<void> {
  let isFailing = false;
  while (!stop.aborted) {
    await pause(FOLD_EVERY_MS, stop);
    try {
      await foldAll(database, of.clock);
      if (isFailing) of.log.info('rollups folded again');
      isFailing = false;
    } catch (error) {
      // The queue of batches is durable: whatever is not folded now is folded next time.
      // A question without a plan stays without one, and a person has to hear of it.
      const level = isNotPlanned(error) ? 'error' : 'warn';
      if (!isFailing) of.log[level]({ error: String(error) }, 'rollups not folded');
      isFailing = true;
    }
  }
}
