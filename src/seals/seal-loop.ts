import { type Clock, pause } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { isNotPlanned } from '../database/explain-fault.ts';
import type { Log } from '../log.ts';
import { sealAll } from './seal-batches.ts';

/**
 * The time that an entry may stand unsealed, beside the time of one run: what is changed before
 * shows nowhere.
 */
const SEAL_EVERY_MS = 1_000;

/** Seals new batches beside the hot path until the signal is aborted, and then what is left. */
export async function runSealLoop(
  database: Database,
  of: { readonly clock: Clock; readonly log: Log },
  stop: AbortSignal,
): Promise<void> {
  let isFailing = false;
  do {
    await pause(SEAL_EVERY_MS, stop);
    try {
      await sealAll(database, of.clock);
      if (isFailing) of.log.info('batches sealed again');
      isFailing = false;
    } catch (error) {
      // The queue of batches is durable: whatever is not sealed now is sealed next time.
      // A question without a plan stays without one, and a person has to hear of it.
      const level = isNotPlanned(error) ? 'error' : 'warn';
      if (!isFailing) of.log[level]({ error: String(error) }, 'batches not sealed');
      isFailing = true;
    }
  } while (!stop.aborted);
}
