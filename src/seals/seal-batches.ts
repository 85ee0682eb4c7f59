import type { Clock } from '../clock.ts';
import { refuseUntaken, takeBatches } from '../database/batch-queue.ts';
import type { Database } from '../database/database.ts';
import { inTransaction } from '../database/database.ts';
import type { Seal } from './seal.ts';
import { sealBatch } from './seal.ts';
import {
  insertSeals,
  readBeside,
  readLastSeal,
  readLeaves,
  sealedBeside,
  takeChanges,
} from './seal-store.ts';

/** Batches sealed in one transaction: about twenty thousand entries. */
const BATCHES_A_TRANSACTION = 20;

/** The result of a run of sealing. */
export interface SealReport {
  /** The number of batches; changes that were sealed alone are none. */
  readonly seals: number;
  readonly entries: number;
  /** The newest of them; null where nothing was left to seal. */
  readonly last: Pick<Seal, 'number' | 'hash'> | null;
}

/** Seals every batch that is committed. Throws a `Refusal` where it may not and one waits. */
export async function sealAll(database: Database, clock: Clock): Promise<SealReport> {
  const made: { seals: number; entries: number; last: SealReport['last'] } = {
    seals: 0,
    entries: 0,
    last: null,
  };
  try {
    for (;;) {
      const seals = await sealSome(database, clock);
      const last = seals.at(-1);
      if (last === undefined) return made;
      made.seals += seals.filter(({ batchId }) => batchId !== null).length;
      made.entries += seals.reduce((sum, seal) => sum + seal.entries, 0);
      made.last = { number: last.number, hash: last.hash };
    }
  } catch (error) {
    await refuseUntaken(database, 'seal_queue', error);
    return made;
  }
}

/** Changes that one seal holds at the most. */
const CHANGES_A_SEAL = 10_000;

/**
 * A batch leaves the queue in the transaction that seals it, so it is sealed once; so do the changes, which
 * go with the first batch, or alone where none waits.
 */
function sealSome(database: Database, clock: Clock): Promise<readonly Seal[]> {
  return inTransaction(database, async (transaction) => {
    const { client } = transaction;
    const batchIds = await takeBatches(transaction, 'seal_queue', {
      most: BATCHES_A_TRANSACTION,
    });
    let changeIds = await takeChanges(transaction, CHANGES_A_SEAL);
    if (batchIds.length + changeIds.length === 0) return [];
    let previous = await readLastSeal(client);
    const besides = await readBeside(client, batchIds);
    const sealedAt = clock();
    const seals: Seal[] = [];
    const waiting = batchIds.length === 0 ? [ALONE] : await readLeaves(transaction, batchIds);
    for (const { batch, leaves } of waiting) {
      const ofBatch = batch === null ? null : (besides.get(batch.batchId) ?? null);
      const beside = await sealedBeside(client, ofBatch, changeIds);
      const seal = sealBatch(batch, { leaves, previous, sealedAt, beside });
      seals.push(seal);
      previous = seal;
      changeIds = [];
    }
    await insertSeals(transaction, seals);
    return seals;
  });
}

/** Changes without a batch. */
const ALONE = { batch: null, leaves: Buffer.alloc(0) };
