import { randomBytes } from 'node:crypto';
import { to as copyTo } from 'pg-copy-streams';
import type { Transaction } from '../../database/database.ts';
import { ENTRIES_OF_BATCH } from '../../database/entries-of-batch.ts';
import { copiedColumns, hashCopied, withSigns } from '../../ledger/entries/copied-line.ts';
import { NULL } from '../../ledger/entries/copy-text.ts';

/** What the entries of a batch give. */
export interface CopiedLeaves {
  /** Their hashes in the order of their ids, as they hold them; those of before there were any, as their columns give them. */
  readonly leaves: Buffer;
  /** How many hold another hash than their columns give. */
  readonly differing: number;
}

/**
 * Reads the entries of batches, by the ids and the salts of these, and makes the hash of each again. Postgres copies them
 * out, since that is nearly the text that is hashed and costs it a fifth of making the hash itself.
 */
export async function readCopiedLeaves(
  { client }: Transaction,
  saltOf: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, CopiedLeaves>> {
  if (saltOf.size === 0) return new Map();
  await client.query(
    "set local time zone 'UTC'; set local datestyle = 'ISO'; set local bytea_output = 'hex'",
  );
  const batches = `unnest('{${[...saltOf.keys()].join(',')}}'::bigint[]) batch(batch_id)`;
  const mark = randomBytes(MARK_BYTES).toString('hex');
  const columns = `batch.batch_id, e.entry_id, e.entry_hash, ${copiedColumns(mark)}`;
  const copied = client.query(
    copyTo(`copy (select ${columns} from ${batches} ${ENTRIES_OF_BATCH}) to stdout`),
  );
  copied.setEncoding('utf8');
  const found = new Map<string, CopiedEntry[]>();
  let rest = '';
  for await (const chunk of copied) {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) addEntry(found, line, { saltOf, mark });
  }
  return new Map([...found].map(([batchId, entries]) => [batchId, leavesOf(entries)]));
}

/** So many that nobody can know the mark of a run before it. */
const MARK_BYTES = 16;

interface CopiedEntry {
  readonly entryId: number;
  readonly leaf: string;
  readonly differs: boolean;
}

/** Of bytes, Postgres copies out a backslash, which is doubled as any is, and an x before them. */
const BYTES_BEGIN = '\\\\x';

function addEntry(
  found: Map<string, CopiedEntry[]>,
  line: string,
  { saltOf, mark }: { readonly saltOf: ReadonlyMap<string, string>; readonly mark: string },
): void {
  const batchEnd = line.indexOf('\t');
  const idEnd = line.indexOf('\t', batchEnd + 1);
  const hashEnd = line.indexOf('\t', idEnd + 1);
  const batchId = line.slice(0, batchEnd);
  const entryId = line.slice(batchEnd + 1, idEnd);
  const kept = line.slice(idEnd + 1, hashEnd);
  const given = { mark, entryId, salt: saltOf.get(batchId) ?? '' };
  const rest = line.slice(hashEnd + 1);
  const isHashOf = (hash: string) => kept === `${BYTES_BEGIN}${hash}`;
  let computed = hashCopied(rest, given);
  // So few entries have such signs that none is looked through for them whose hash is right without.
  if (!isHashOf(computed)) computed = hashCopied(withSigns(rest), given);
  const differs = kept !== NULL && !isHashOf(computed);
  // What was cut out of a line would keep all of it in memory.
  const leaf = differs ? kept.slice(BYTES_BEGIN.length) : computed;
  const entry = { entryId: Number(entryId), leaf, differs };
  const others = found.get(batchId);
  if (others === undefined) found.set(batchId, [entry]);
  else others.push(entry);
}

/** A look-up by id gives them in their order nearly always, and promises it never. */
function leavesOf(entries: CopiedEntry[]): CopiedLeaves {
  entries.sort((a, b) => a.entryId - b.entryId);
  const leaves = Buffer.from(entries.map(({ leaf }) => leaf).join(''), 'hex');
  return { leaves, differing: entries.filter(({ differs }) => differs).length };
}
