import { Refusal } from '../refusal.ts';
import type { Database, Transaction } from './database.ts';
import { isNotAllowed, mayOnlyRead } from './database.ts';

/** Work that follows a batch beside the hot path: a row in each waits until that is done. */
export type BatchQueue = 'fold_queue' | 'seal_queue';

/** One process at a time works on a queue; the others wait, and then find nothing to do. */
const LOCKS: Readonly<Record<BatchQueue, number>> = {
  fold_queue: 7_226_002,
  seal_queue: 7_226_003,
};

/**
 * Takes so many batches from a queue, oldest first, under the queue's lock until commit. The queue's rows come with their
 * batches, so a batch that commits late is taken late, and never missed; on a cluster all that was posted with it is on the
 * shards by then. Throws what Postgres says of a lock that is not to be had (55P03) where another process has it for longer
 * than is waited for; null waits forever.
 */
export async function takeBatches(
  transaction: Transaction,
  queue: BatchQueue,
  { most, longestWaitMs = null }: { readonly most: number; readonly longestWaitMs?: number | null },
): Promise<readonly bigint[]> {
  // Locks of rows that are taken later are waited for as always.
  if (longestWaitMs !== null) await setLockTimeout(transaction, longestWaitMs);
  await transaction.client.query('select pg_advisory_xact_lock($1)', [LOCKS[queue]]);
  if (longestWaitMs !== null) await setLockTimeout(transaction, 0);
  const { rows } = await transaction.client.query<{ batch_id: bigint }>(
    `delete from ${queue}
     where batch_id in (select batch_id from ${queue} order by batch_id limit $1)
     returning batch_id`,
    [most],
  );
  if (rows.length > 0) await transaction.client.query('select await_shards()');
  return rows.map((row) => row.batch_id);
}

async function setLockTimeout({ client }: Transaction, milliseconds: number): Promise<void> {
  await client.query("select set_config('lock_timeout', $1, true)", [`${milliseconds}ms`]);
}

/**
 * Whoever only reads may not take batches. Where none waits there is nothing to take, and all is as it would be;
 * else a `Refusal` says who takes them. Rethrows every other error.
 */
export async function refuseUntaken(
  database: Database,
  queue: BatchQueue,
  error: unknown,
): Promise<void> {
  if (!mayOnlyRead(error)) throw error;
  const { rows } = await database.pool.query<{ waiting: bigint }>(
    `select count(*) as waiting from ${queue}`,
  );
  const waiting = rows[0]?.waiting ?? 0n;
  if (waiting === 0n) return;
  const [why, whoMay] = isNotAllowed(error)
    ? ['this user may only read', 'let the owner of the ledger ask']
    : ['this database only reads', 'ask the server that writes'];
  throw new Refusal(
    'unavailable',
    `${waiting} recorded ${waiting === 1n ? 'batch is' : 'batches are'} not yet ${DONE[queue]}, and ${why}`,
    `ask again in a few seconds, when the worker has done it; or ${whoMay}`,
  );
}

const DONE: Readonly<Record<BatchQueue, string>> = {
  fold_queue: 'in the rollups',
  seal_queue: 'in the chain of seals',
};
