import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../clock.ts';
import { eachRow } from '../database/cursor.ts';
import type { Database, Transaction } from '../database/database.ts';
import { ENTRIES_PER_BATCH } from '../database/entries-of-batch.ts';
import { copyLine } from '../ledger/entries/copy-line.ts';
import { type EntryRow, toEntry } from '../ledger/entries/entry-columns.ts';
import type { PeriodSeal } from './archive-answer.ts';
import { type Cell, cellsOf } from './archived-entry.ts';

/** A closed period, as what is archived of it is asked for. */
export interface PeriodToArchive {
  readonly tenantId: string;
  readonly periodStart: string;
  readonly manifestHash: string;
  /** The closed period of the tenant right before it. */
  readonly follows: { readonly period_start: string; readonly manifest_hash: string } | null;
}

/**
 * Reads the closed periods that begin in a month, or before its first day; of one tenant if one is
 * given.
 */
export async function readClosedPeriods(
  database: Database,
  of: { readonly first: string | null; readonly before: string; readonly tenantId: string | null },
): Promise<readonly PeriodToArchive[]> {
  const { rows } = await sql<PeriodToArchive>`
    select * from (
      select tenant_id as "tenantId", period_start::text as "periodStart", manifest_hash as "manifestHash",
        lag(json_build_object('period_start', period_start, 'manifest_hash', manifest_hash))
          over (partition by tenant_id order by period_start) as follows
      from closes
      where period_start < ${of.before}::date and (${of.tenantId}::text is null or tenant_id = ${of.tenantId})
    ) closed
    where ${of.first}::date is null or "periodStart"::date >= ${of.first}::date
    order by "tenantId", "periodStart"`.execute(database.kysely);
  return rows;
}

/** Reads the batches that have entries of a period, each with the seal that holds it. */
export async function readSealsOf(
  transaction: Transaction,
  { tenantId, periodStart }: PeriodToArchive,
): Promise<readonly PeriodSeal[]> {
  const { rows } = await transaction.client.query<PeriodSeal>(
    `select s.seal_number::text as seal, s.batch_id::text as batch_id, encode(s.seal_hash, 'hex') as hash
    from seals s where s.batch_id in (
      select distinct entry_id / ${ENTRIES_PER_BATCH} from entries_of_period($1, $2::date))
    order by s.seal_number`,
    [tenantId, periodStart],
  );
  return rows;
}

/** Hands on the entries of a period in the order in which the period's tree has them. */
export async function eachArchivedEntry(
  transaction: Transaction,
  { tenantId, periodStart }: PeriodToArchive,
  work: (cells: readonly Cell[]) => void,
): Promise<void> {
  const text = `
    select e.*, encode(b.salt, 'hex') as batch_salt
    from entries_of_period($1, $2::date) e join batches b on b.batch_id = e.entry_id / ${ENTRIES_PER_BATCH}
    order by e.entry_id`;
  await eachRow<EntryRow & ReadWith>(
    transaction,
    { text, values: [tenantId, periodStart] },
    (row) => {
      const { entry_id: entryId, batch_salt: salt } = row;
      const recordedAt = formatInstant(row.recorded_at);
      const line = copyLine(toEntry(row), { entryId, recordedAt, salt });
      work(cellsOf(line, salt));
    },
  );
}

interface ReadWith {
  readonly entry_id: bigint;
  readonly recorded_at: InstantMs;
  readonly batch_salt: string;
}
