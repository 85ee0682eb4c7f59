import type { Clock } from '../clock.ts';
import { takeBatches } from '../database/batch-queue.ts';
import type { Database } from '../database/database.ts';
import { inTransaction } from '../database/database.ts';
import type { Seal } from './seal.ts';
import { sealBatch } from './seal.ts';
import { insertSeals, readLastSeal, readLeaves } from './seal-store.ts';

/** Batches sealed in one transaction: about twenty thousand entries. */
const BATCHES_A_TRANSACTION = 20;

/** What a run sealed. */
export interface SealReport {
  readonly seals: number;
  readonly entries: number;
  /** The newest of them; null where nothing was left to seal. */
  readonly last: Pick<Seal, 'number' | 'hash'> | null;
}

/** Seals every batch that is committed. */
export async function sealAll(database: Database, clock: Clock): Promise<SealReport> {
  const made: { seals: number; entries: number; last: SealReport['last'] } = {
    seals: 0,
    entries: 0,
    last: null,
  };
  for (;;) {
    const seals = await sealSome(database, clock);
    const last = seals.at(-1);
    if (last === undefined) return made;
    made.seals += seals.length;
    made.entries += seals.reduce((sum, seal) => sum + seal.entries, 0);
    made.last = { number: last.number, hash: last.hash };
  }
}

/** A batch leaves the queue in the transaction that seals it, so it is sealed once. */
function sealSome(database: Database, clock: Clock): Promise<readonly Seal[]> {
  return inTransaction(database, async (transaction) => {
    const batchIds = await takeBatches(transaction, 'seal_queue', BATCHES_A_TRANSACTION);
    if (batchIds.length === 0) return [];
    let previous = await readLastSeal(transaction.client);
    const sealedAt = clock();
    const seals: Seal[] = [];
    for (const { batch, leaves } of await readLeaves(transaction, batchIds)) {
      const seal = sealBatch(batch, { leaves, previous, sealedAt });
      seals.push(seal);
      previous = seal;
    }
    await insertSeals(transaction, seals);
    return seals;
  });
}
