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
