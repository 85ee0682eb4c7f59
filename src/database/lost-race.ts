import { pause } from '../clock.ts';
import { sqlState } from './database.ts';

const UNIQUE_VIOLATION = '23505';
const DEADLOCK = '40P01';
const INTERNAL_ERROR = 'XX000';

/** The words alone tell that two changed a row of the catalogs at once, such as the rights on a table. */
const CATALOG_RACE = /^tuple concurrently (?:updated|deleted)$/;

/** Each lost race means that another transaction committed; so many in a row are a fault of ours. */
const MOST_TRIES = 25;
const LONGEST_PAUSE_MS = 20;

/**
 * Runs a transaction again when another one committed one of its keys first: what it reads the next
 * time shows that. Rethrows anything else, and the race itself when it is lost too often.
 */
export async function retryLostRace<Result>(
  transaction: () => Promise<Result>,
  onRollback: () => void = () => {},
): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await transaction();
    } catch (error) {
      onRollback();
      if (!isLostRace(error) || attempt === MOST_TRIES) throw error;
      await pause(Math.random() * Math.min(attempt, LONGEST_PAUSE_MS));
    }
  }
}

export function isLostRace(error: unknown): boolean {
  const state = sqlState(error);
  if (state === UNIQUE_VIOLATION || state === DEADLOCK) return true;
  return state === INTERNAL_ERROR && error instanceof Error && CATALOG_RACE.test(error.message);
}
