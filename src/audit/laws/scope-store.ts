import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { mayOnlyRead } from '../../database/database.ts';
import { ENTRIES_OF_BATCH } from '../../database/entries-of-batch.ts';
import { present } from '../../present.ts';
import { BEFORE_FIRST } from '../../seals/seal.ts';
import type { LawScope } from './law.ts';

/** A close writes its instant before it commits; none takes this long. */
const CLOSE_AT_MOST_MS = 3_600_000;

/**
 * Returns what this run is to look at: everything, or what came since the last run that found all
 * laws to hold.
 */
export async function openScope(database: Database, kind: LawScope['kind']): Promise<LawScope> {
  const { rows: ends } = await sql<{ seal: bigint; change: bigint }>`
    select coalesce((select max(seal_number) from seals), 0) as seal,
      coalesce((select max(change_id) from changes), 0) as change`.execute(database.kysely);
  const { seal: through, change } = present(ends[0], 'the end of the chain');
  const everything: LawScope = {
    kind: 'full',
    after: BEFORE_FIRST,
    through,
    changes: { after: 0n, through: change },
    closedSince: Number.NEGATIVE_INFINITY,
  };
  if (kind === 'full') return everything;
  const { rows } = await sql<{
    seal_number: bigint;
    seal_hash: Buffer;
    change_id: bigint | null;
    started_at: InstantMs;
  }>`
    select seal_number, seal_hash, change_id, started_at from verifications
    order by verification_id desc limit 1`.execute(database.kysely);
  const [mark] = rows;
  if (mark === undefined) return everything;
  return {
    ...everything,
    kind,
    after: { number: mark.seal_number, hash: mark.seal_hash },
    changes: { after: mark.change_id, through: change },
    closedSince: mark.started_at - CLOSE_AT_MOST_MS,
  };
}

/** Keeps how far every law was seen to hold, where this user may write it: an auditor keeps nothing here. */
export async function keepVerification(
  database: Database,
  scope: LawScope,
  at: { readonly startedAt: InstantMs; readonly finishedAt: InstantMs },
): Promise<void> {
  try {
    await insertVerification(database, scope, at);
  } catch (error) {
    if (!mayOnlyRead(error)) throw error;
  }
}

async function insertVerification(
  database: Database,
  scope: LawScope,
  at: { readonly startedAt: InstantMs; readonly finishedAt: InstantMs },
): Promise<void> {
  await sql`
    insert into verifications (started_at, finished_at, scope, seal_number, seal_hash, change_id)
    select ${formatInstant(at.startedAt)}, ${formatInstant(at.finishedAt)}, ${scope.kind}, ${scope.through},
      coalesce((select seal_hash from seals where seal_number = ${scope.through}), ${BEFORE_FIRST.hash}),
      ${scope.changes.through}`.execute(database.kysely);
}

/** Returns batches sealed after those that an earlier run looked at. */
export function batchesOf(scope: LawScope) {
  return sql`select batch_id from seals where seal_number > ${scope.after.number}`;
}

/**
 * Returns the entries that a run looks at, for a `from`: all of them, or those of the batches
 * above.
 */
export function entriesOf(scope: LawScope) {
  if (scope.kind === 'full') return sql`entries_of_ledger()`;
  return sql`(select e.* from (${batchesOf(scope)}) batch ${sql.raw(ENTRIES_OF_BATCH)})`;
}

/** The keys of a journaled table's rows whose changes were sealed after those that an earlier run looked at. */
export function changedRows(scope: LawScope, table: string) {
  return sql<{ row_key: unknown }>`
    select distinct c.row_key from seals s cross join lateral unnest(s.change_ids) i(change_id)
    join changes c on c.change_id = i.change_id
    where s.seal_number > ${scope.after.number} and s.seal_number <= ${scope.through} and c.of_table = ${table}`;
}
