import { hash } from 'node:crypto';
import { formatInstant, type InstantMs } from '../clock.ts';
import type { Database, Transaction } from '../database/database.ts';
import { ENTRIES_OF_BATCH } from '../database/entries-of-batch.ts';
import type { PublishedSeal } from './publication/published-seals.ts';
import {
  BEFORE_FIRST,
  hashBeside,
  type Seal,
  type SealedBatch,
  type SealedBeside,
} from './seal.ts';

/** A batch's row with the hashes of its entries, in the order of their ids. */
export interface BatchLeaves {
  readonly batch: SealedBatch;
  readonly leaves: Buffer;
}

/**
 * Reads batches in the order of their ids. Entries that were posted before there were hashes have none of their own, and
 * the view that makes theirs carries all columns of an entry, which nearly every batch is spared.
 */
export async function readLeaves(
  transaction: Transaction,
  batchIds: readonly bigint[],
): Promise<readonly BatchLeaves[]> {
  const { rows } = await transaction.client.query<BatchRow & { leaves: Buffer }>(
    `select b.batch_id, b.kind, b.recorded_at, b.entries, b.charge, b.cost, coalesce((
       select case when bool_and(e.entry_hash is not null)
         then string_agg(e.entry_hash, ''::bytea order by e.entry_id) end
       from unnest(array[b.batch_id]) batch(batch_id) ${ENTRIES_OF_BATCH}
     ), (
       select string_agg(l.leaf, ''::bytea order by l.entry_id) from batch_leaves l where l.batch_id = b.batch_id
     ), ''::bytea) as leaves
     from batches b where b.batch_id = any($1::bigint[]) order by b.batch_id`,
    [batchIds],
  );
  return rows.map((row) => ({ batch: toBatch(row), leaves: row.leaves }));
}

export interface BatchRow {
  readonly batch_id: bigint;
  readonly kind: string;
  readonly recorded_at: InstantMs;
  readonly entries: number;
  readonly charge: bigint;
  readonly cost: bigint;
}

export function toBatch(row: BatchRow): SealedBatch {
  const { kind, entries, charge, cost } = row;
  return { batchId: row.batch_id, kind, recordedAt: row.recorded_at, entries, charge, cost };
}

/** Reads the end of the chain, on a pool or on the connection of a transaction. */
export async function readLastSeal(
  client: Pick<Transaction['client'], 'query'>,
): Promise<Pick<Seal, 'number' | 'hash'>> {
  const { rows } = await client.query<{ seal_number: bigint; seal_hash: Buffer }>(
    'select seal_number, seal_hash from seals order by seal_number desc limit 1',
  );
  const [row] = rows;
  return row === undefined ? BEFORE_FIRST : { number: row.seal_number, hash: row.seal_hash };
}

/** Changes that no seal holds yet, oldest first; they leave the queue with this transaction. */
export async function takeChanges(
  transaction: Transaction,
  most: number,
): Promise<readonly bigint[]> {
  const { rows } = await transaction.client.query<{ change_id: bigint }>(
    `with taken as (
       delete from change_queue
       where change_id in (select change_id from change_queue order by change_id limit $1) returning change_id
     ) select change_id from taken order by change_id`,
    [most],
  );
  return rows.map((row) => row.change_id);
}

/** Reads the digest of what stands beside the entries of batches, by their ids. */
export async function readBeside(
  client: Pick<Transaction['client'], 'query'>,
  batchIds: readonly bigint[],
): Promise<ReadonlyMap<bigint, Buffer>> {
  const { rows } = await client.query<{ batch_id: bigint; digest: Buffer }>(
    'select batch_id, digest from batches_beside($1::bigint[])',
    [batchIds],
  );
  return new Map(rows.map((row) => [row.batch_id, row.digest]));
}

/** The digest over changes; null where one of them is gone. */
async function readChangesDigest(
  client: Pick<Transaction['client'], 'query'>,
  changeIds: readonly bigint[],
): Promise<Buffer | null> {
  // Nearly every batch goes without changes, and what is over nothing is known.
  if (changeIds.length === 0) return hash('sha256', '', 'buffer');
  const { rows } = await client.query<{ digest: Buffer | null }>(
    'select changes_digest($1::bigint[]) as digest',
    [changeIds],
  );
  return rows[0]?.digest ?? null;
}

/** Returns the digest over a batch's part and the changes that go with it. */
export async function sealedBeside(
  client: Pick<Transaction['client'], 'query'>,
  batch: Buffer | null,
  changeIds: readonly bigint[],
): Promise<SealedBeside> {
  const changes = await readChangesDigest(client, changeIds);
  if (changes === null) throw new Error('a change left the journal before it was sealed');
  return { digest: hashBeside({ batch, changes }), changeIds };
}

export async function insertSeals(transaction: Transaction, seals: readonly Seal[]): Promise<void> {
  const column = (value: (seal: Seal) => unknown) => seals.map(value);
  await transaction.client.query(
    `insert into seals (seal_number, batch_id, entries, root, prints, previous_hash, seal_hash, sealed_at, beside, change_ids)
     select n, b, e, r, p, f, h, at, d, string_to_array(c, ',')::bigint[]
     from unnest($1::bigint[], $2::bigint[], $3::int[], $4::bytea[], $5::bytea[], $6::bytea[],
       $7::bytea[], $8::timestamptz[], $9::bytea[], $10::text[]) x(n, b, e, r, p, f, h, at, d, c)`,
    [
      column((seal) => seal.number),
      column((seal) => seal.batchId),
      column((seal) => seal.entries),
      column((seal) => seal.root),
      column((seal) => seal.prints),
      column((seal) => seal.previousHash),
      column((seal) => seal.hash),
      column((seal) => formatInstant(seal.sealedAt)),
      column((seal) => seal.beside?.digest ?? null),
      column((seal) => seal.beside?.changeIds.join(',') ?? null),
    ],
  );
}

/** Reads the last seal of every UTC day since a seal, the newest day up to now. */
export async function readDayEnds(
  database: Database,
  after: bigint,
): Promise<readonly PublishedSeal[]> {
  const { rows } = await database.pool.query<{
    day: string;
    seal_number: bigint;
    seal_hash: string;
    sealed_at: InstantMs;
  }>(
    `select distinct on (day) (sealed_at at time zone 'UTC')::date as day, seal_number,
       encode(seal_hash, 'hex') as seal_hash, sealed_at
     from seals where seal_number > $1 order by day, seal_number desc`,
    [after],
  );
  return rows.map((row) => ({
    format: 'spanledger-published-seal-1',
    day: row.day,
    seal: row.seal_number,
    hash: row.seal_hash,
    sealed_at: formatInstant(row.sealed_at),
  }));
}

/** Finds the published seals that are no longer in the chain as they were published. */
export async function findUnknown(
  database: Database,
  published: readonly PublishedSeal[],
): Promise<readonly PublishedSeal[]> {
  const { rows } = await database.pool.query<{ n: number }>(
    `select k.n::int as n from unnest($1::bigint[], $2::text[]) with ordinality k(number, hash, n)
     left join seals s on s.seal_number = k.number
     where encode(s.seal_hash, 'hex') is distinct from k.hash order by k.n`,
    [published.map((seal) => seal.seal), published.map((seal) => seal.hash)],
  );
  return rows.flatMap((row) => published[row.n - 1] ?? []);
}

/** A seal as lists show it. */
export interface ListedSeal extends Pick<Seal, 'number' | 'batchId' | 'entries' | 'sealedAt'> {
  readonly hash: string;
}

/** Reads as many seals as are asked for, the newest first. */
export async function readSeals(database: Database, most: number): Promise<readonly ListedSeal[]> {
  const { rows } = await database.pool.query<{
    seal_number: bigint;
    batch_id: bigint | null;
    entries: number;
    seal_hash: string;
    sealed_at: InstantMs;
  }>(
    `select seal_number, batch_id, entries, seal_hash, sealed_at from audit.seals
     order by seal_number desc limit $1`,
    [most],
  );
  return rows.map((row) => ({
    number: row.seal_number,
    batchId: row.batch_id,
    entries: row.entries,
    hash: row.seal_hash,
    sealedAt: row.sealed_at,
  }));
}
