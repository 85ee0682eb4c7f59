import { sql } from 'kysely';
import type { InstantMs } from '../../clock.ts';
import type { Database } from '../../database/database.ts';

/** What is posted, and not yet in what is made of it beside the hot path. */
export interface Behind {
  /** The last batch that was recorded; null before the first. */
  readonly lastBatchAt: InstantMs | null;
  /** Batches that are not in the rollups, and not in the chain of seals, yet. */
  readonly rollups: number;
  readonly seals: number;
}

/** Reads how many batches are not in the rollups yet, and the number of the last that was recorded. */
export async function readTail(
  database: Database,
): Promise<{ readonly waiting: number; readonly lastBatch: bigint }> {
  const { rows } = await database.pool.query<{ waiting: bigint; last: bigint | null }>({
    name: 'read-tail',
    text: `select (select count(*) from fold_queue) as waiting, (select max(batch_id) from batches) as last`,
  });
  return { waiting: Number(rows[0]?.waiting ?? 0n), lastBatch: rows[0]?.last ?? 0n };
}

export async function readBehind(database: Database): Promise<Behind> {
  const { rows } = await sql<{
    readonly at: InstantMs | null;
    readonly rollups: bigint;
    readonly seals: bigint;
  }>`
    select (select recorded_at from batches order by batch_id desc limit 1) as at,
      (select count(*) from fold_queue) as rollups,
      (select count(*) from seal_queue) as seals`.execute(database.kysely);
  const [row] = rows;
  if (row === undefined) throw new Error('a query without a table has one row');
  return { lastBatchAt: row.at, rollups: Number(row.rollups), seals: Number(row.seals) };
}
