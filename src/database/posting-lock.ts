import type { Transaction } from './database.ts';

/**
 * The lock is held shared by whoever posts, and exclusively by whoever changes what posting relies on: a
 * close for the instant in which it shuts periods, and a change of a tenant's calendar.
 */
export const POSTING_LOCK = 7_226_001;

/** Waits for every posting transaction under way and holds up new ones, until commit. */
export async function lockAgainstPosting(transaction: Transaction): Promise<void> {
  await transaction.client.query('select pg_advisory_xact_lock($1)', [POSTING_LOCK]);
}
