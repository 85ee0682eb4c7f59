import { sql } from 'kysely';
import type { InstantMs } from '../../clock.ts';
import { type Database, inTransaction } from '../../database/database.ts';
import { ENTRIES_PER_BATCH } from '../../database/entries-of-batch.ts';
import { merkleRoot } from '../../seals/merkle-tree.ts';
import type { PublishedSeal } from '../../seals/publication/published-seals.ts';
import { hashBeside, hashSeal, PRINT_BYTES, printsOf, type Seal } from '../../seals/seal.ts';
import { type BatchRow, toBatch } from '../../seals/seal-store.ts';
import { type CopiedLeaves, readCopiedLeaves } from './copied-leaves-store.ts';
import type { LawReport, LawScope } from './law.ts';
import { VIOLATIONS_NAMED } from './law.ts';

/**
 * Checks law 8: every seal follows from the one before it and from its batch, and every entry gives
 * the hash that was sealed. Names the entry that was changed, removed or added, as far as the chain
 * goes back.
 */
export async function checkSeals(
  database: Database,
  scope: LawScope,
  published: readonly PublishedSeal[],
): Promise<LawReport> {
  const chain = await checkChain(database, scope);
  const violations = [
    ...chain.violations,
    ...(await sealsThatChanged(database, published)),
    ...(await batchesWithoutSeal(database)),
    ...(await changesWithoutSeal(database, scope)),
    ...(await changesThatWaitInVain(database)),
    ...(scope.kind === 'full' ? await entriesWithoutSeal(database) : []),
  ];
  return {
    law: 8,
    name: 'the seals verify from the first to the last',
    checked: chain.entries,
    range:
      scope.after.number === scope.through
        ? `entries, no seal since ${scope.through}`
        : `entries, seals ${scope.after.number + 1n} to ${scope.through}`,
    violations: [...new Set(violations)].slice(0, VIOLATIONS_NAMED),
  };
}

interface SealRow extends CopiedLeaves {
  readonly seal_number: bigint;
  readonly batch_id: bigint | null;
  readonly beside: Buffer | null;
  readonly change_ids: readonly bigint[] | null;
  /** What stands beside the entries now; null where a change is gone. */
  readonly computed_beside: Buffer | null;
  readonly entries: number;
  readonly root: Buffer;
  readonly prints: Buffer;
  readonly previous_hash: Buffer;
  readonly seal_hash: Buffer;
  readonly sealed_at: InstantMs;
  readonly batch: BatchRow | null;
}

/** Seals of one query: about twenty thousand entries, which Postgres hashes on one core. */
const SEALS_A_PAGE = 20;

/** Pages asked for at the same time, each on a connection of its own. */
const PAGES_AT_ONCE = 4;

async function checkChain(database: Database, scope: LawScope) {
  const violations: string[] = [];
  let entries = 0;
  let previous = scope.after;
  for await (const rows of readAhead(database, scope)) {
    for (const row of rows) {
      const seal = toSeal(row);
      violations.push(...linkFaults(seal, row.batch, previous));
      // Without the salt in the batch's row nothing can be said of its entries.
      if (row.batch !== null) violations.push(...(await contentFaults(database, seal, row)));
      violations.push(...besideFaults(seal, row.computed_beside));
      entries += seal.entries;
      previous = seal;
    }
    if (violations.length >= VIOLATIONS_NAMED) return { violations, entries };
  }
  if (previous.number < scope.through) violations.push(`seal ${scope.through} is gone`);
  return { violations, entries };
}

/**
 * Gives the pages of a run in their order, while the next ones are read already: so Postgres hashes entries in the time
 * in which the roots of those before are made here. A page misses the seals that are gone.
 */
async function* readAhead(
  database: Database,
  { after, through }: LawScope,
): AsyncGenerator<readonly SealRow[]> {
  const reading: Promise<readonly SealRow[]>[] = [];
  let next = after.number;
  const readNext = () => {
    const start = next;
    next += BigInt(SEALS_A_PAGE);
    const page = readSeals(database, start, next < through ? next : through);
    // It may fail while an earlier one is looked at; whoever waits for it hears that.
    page.catch(() => {});
    reading.push(page);
  };
  for (;;) {
    while (next < through && reading.length < PAGES_AT_ONCE) readNext();
    const page = reading.shift();
    if (page === undefined) return;
    yield await page;
  }
}

/** Reads some seals with what the entries of their batches give; neither becomes another while this reads. */
function readSeals(
  database: Database,
  after: bigint,
  through: bigint,
): Promise<readonly SealRow[]> {
  return inTransaction(database, async (transaction) => {
    const { rows } = await sql<
      Omit<SealRow, keyof CopiedLeaves> & Omit<BatchRow, 'batch_id'> & BesideRow
    >`
      select s.seal_number, s.batch_id, s.entries, s.root, s.prints, s.previous_hash, s.seal_hash, s.sealed_at,
        s.beside, s.change_ids, changes_digest(s.change_ids) as changes, d.digest as of_batch,
        b.kind, b.recorded_at, b.entries as batch_entries, b.charge, b.cost, encode(b.salt, 'hex') as salt
      from seals s left join batches b on b.batch_id = s.batch_id
      left join batches_beside(array(select t.batch_id from seals t where t.batch_id is not null
        and t.seal_number > ${after} and t.seal_number <= ${through})) d on d.batch_id = s.batch_id
      where s.seal_number > ${after} and s.seal_number <= ${through}
      order by s.seal_number`.execute(transaction.kysely);
    const salts = rows.flatMap(({ batch_id, salt }) =>
      batch_id === null || salt === null ? [] : [[String(batch_id), salt] as const],
    );
    const leavesOf = await readCopiedLeaves(transaction, new Map(salts));
    return rows.map(({ batch_entries, changes, of_batch, salt: _, ...row }) => ({
      ...row,
      ...(leavesOf.get(String(row.batch_id)) ?? NO_LEAVES),
      computed_beside: changes === null ? null : hashBeside({ batch: of_batch, changes }),
      batch:
        batch_entries === null || row.batch_id === null
          ? null
          : { ...row, batch_id: row.batch_id, entries: batch_entries },
    }));
  });
}

const NO_LEAVES: CopiedLeaves = { leaves: Buffer.alloc(0), differing: 0 };

interface BesideRow {
  readonly salt: string | null;
  readonly batch_entries: number | null;
  readonly changes: Buffer | null;
  readonly of_batch: Buffer | null;
}

function toSeal(row: SealRow): Seal {
  return {
    number: row.seal_number,
    batchId: row.batch_id,
    entries: row.entries,
    root: row.root,
    prints: row.prints,
    previousHash: row.previous_hash,
    hash: row.seal_hash,
    sealedAt: row.sealed_at,
    beside: row.beside === null ? null : { digest: row.beside, changeIds: row.change_ids ?? [] },
  };
}

function nameOf(seal: Pick<Seal, 'number' | 'batchId'>): string {
  return `seal ${seal.number} (${seal.batchId === null ? 'changes alone' : `batch ${seal.batchId}`})`;
}

/** Returns what is wrong with a seal itself: its place in the chain, its hash, its batch's row. */
function linkFaults(
  seal: Seal,
  batch: BatchRow | null,
  previous: Pick<Seal, 'number' | 'hash'>,
): readonly string[] {
  const faults: string[] = [];
  if (seal.number !== previous.number + 1n) {
    faults.push(`seal ${previous.number + 1n} is gone`);
  } else if (!seal.previousHash.equals(previous.hash)) {
    faults.push(
      `${nameOf(seal)} does not follow from seal ${previous.number}, one of them was changed`,
    );
  }
  if (batch === null && seal.batchId !== null) {
    faults.push(`${nameOf(seal)}: the batch's own row is gone`);
  } else if (!hashSeal(seal, batch === null ? null : toBatch(batch)).equals(seal.hash)) {
    faults.push(`${nameOf(seal)}: the seal or the batch's own row was changed`);
  }
  return faults;
}

/** Receipts, structure and changes of the journal, as they were sealed. */
function besideFaults(seal: Seal, computed: Buffer | null): readonly string[] {
  if (seal.beside === null || computed?.equals(seal.beside.digest) === true) return [];
  const [first, ...others] = seal.beside.changeIds;
  const changes =
    first === undefined ? '' : `, or one of the changes ${first} to ${others.at(-1) ?? first}`;
  return [
    `${nameOf(seal)}: receipts or structure of its batch${changes} were changed, added or removed`,
  ];
}

async function contentFaults(
  database: Database,
  seal: Seal,
  row: Pick<SealRow, 'leaves' | 'differing'>,
): Promise<readonly string[]> {
  const isWhole = row.differing === 0 && merkleRoot(row.leaves).equals(seal.root);
  if (!isWhole) return entryFaults(database, seal);
  const hasPrints = printsOf(row.leaves).equals(seal.prints);
  return hasPrints ? [] : [`${nameOf(seal)}: its prints were changed`];
}

/** Names the entries of a batch that are not as they were sealed, in their order. */
async function entryFaults(database: Database, seal: Seal): Promise<readonly string[]> {
  const { rows } = await sql<{ place: number; leaf: Buffer; differs: boolean }>`
    select place, leaf, coalesce(entry_hash <> computed_hash, false) as differs
    from batch_leaves where batch_id = ${seal.batchId} order by place`.execute(database.kysely);
  const byPlace = new Map(rows.map((row) => [row.place, row]));
  const places = new Set([...Array(seal.entries).keys(), ...byPlace.keys()]);
  const faults = [...places].flatMap((place) => {
    const entry = byPlace.get(place);
    const print = seal.prints.subarray(place * PRINT_BYTES, (place + 1) * PRINT_BYTES);
    const fault = entryFault(entry, place < seal.entries ? print : null);
    const entryId = (seal.batchId ?? 0n) * BigInt(ENTRIES_PER_BATCH) + BigInt(place);
    return fault === null ? [] : [`ent_${entryId} ${fault}, see ${nameOf(seal)}`];
  });
  return faults.length > 0 ? faults : [`${nameOf(seal)}: its root is not that of its entries`];
}

function entryFault(
  entry: { readonly leaf: Buffer; readonly differs: boolean } | undefined,
  print: Buffer | null,
): string | null {
  if (entry === undefined) return 'was removed';
  if (print === null) return 'was added';
  if (entry.differs) return 'was changed: its columns do not give its hash';
  return print.equals(entry.leaf.subarray(0, PRINT_BYTES))
    ? null
    : 'was changed, and its hash with it';
}

/** Seals that are known from elsewhere: published ones, and those that earlier runs found sound. */
async function sealsThatChanged(
  database: Database,
  published: readonly PublishedSeal[],
): Promise<readonly string[]> {
  const numbers = published.map((seal) => seal.seal);
  const hashes = published.map((seal) => Buffer.from(seal.hash, 'hex'));
  const { rows } = await sql<{ seal_number: bigint; origin: string; is_gone: boolean }>`
    select k.seal_number, k.origin, s.seal_number is null as is_gone
    from (
      select seal_number, seal_hash, 'verified before' as origin from verifications where seal_number > 0
      union
      select n, h, 'published' from unnest(${numbers}::bigint[], ${hashes}::bytea[]) p(n, h)
    ) k left join seals s on s.seal_number = k.seal_number
    where s.seal_hash is distinct from k.seal_hash
    order by k.seal_number, k.origin limit ${VIOLATIONS_NAMED}`.execute(database.kysely);
  return rows.map((row) =>
    row.is_gone
      ? `seal ${row.seal_number}, ${row.origin}, is gone`
      : `seal ${row.seal_number} is not the one that was ${row.origin}: it, or one before it, was rewritten`,
  );
}

async function batchesWithoutSeal(database: Database): Promise<readonly string[]> {
  const { rows } = await sql<{ batch_id: bigint }>`
    select b.batch_id from batches b
    where not exists (select 1 from seals s where s.batch_id = b.batch_id)
      and not exists (select 1 from seal_queue q where q.batch_id = b.batch_id)
    order by b.batch_id limit ${VIOLATIONS_NAMED}`.execute(database.kysely);
  return rows.map((row) => `batch ${row.batch_id} has no seal, and waits for none`);
}

/**
 * Changes that no seal holds, and that wait for none: no trigger of ours wrote them, or somebody took them from the queue. An
 * incremental run looks at those that came after what an earlier one saw, which only later seals can hold.
 */
async function changesWithoutSeal(
  database: Database,
  { after, changes }: LawScope,
): Promise<readonly string[]> {
  const { rows } = await sql<{ change_id: bigint; of_table: string; row_key: string }>`
    select c.change_id, c.of_table, c.row_key::text from changes c
    where c.change_id > ${changes.after}
      and not exists (select from (select unnest(s.change_ids) as change_id from seals s
        where s.seal_number > ${after.number}) sealed where sealed.change_id = c.change_id)
      and not exists (select from change_queue q where q.change_id = c.change_id)
    order by c.change_id limit ${VIOLATIONS_NAMED}`.execute(database.kysely);
  return rows.map(
    (row) =>
      `change ${row.change_id}, of ${row.of_table} ${row.row_key}, has no seal, and waits for none`,
  );
}

/** What waits for a seal is in the journal, once; the queue is short. */
async function changesThatWaitInVain(database: Database): Promise<readonly string[]> {
  const { rows } = await sql<{ change_id: bigint; times: bigint }>`
    select q.change_id, count(*) as times from change_queue q left join changes c on c.change_id = q.change_id
    group by q.change_id having count(*) > 1 or bool_or(c.change_id is null)
    order by q.change_id limit ${VIOLATIONS_NAMED}`.execute(database.kysely);
  return rows.map(({ change_id, times }) =>
    times > 1n
      ? `change ${change_id} waits ${times} times for its seal`
      : `change ${change_id} waits for its seal, and is not in the journal`,
  );
}

async function entriesWithoutSeal(database: Database): Promise<readonly string[]> {
  const batch = sql`e.entry_id / ${sql.lit(ENTRIES_PER_BATCH)}`;
  const { rows } = await sql<{ entry_id: bigint }>`
    select e.entry_id from entries_of_ledger() e
    where not exists (select 1 from seals s where s.batch_id = ${batch})
      and not exists (select 1 from seal_queue q where q.batch_id = ${batch})
    order by e.entry_id limit ${VIOLATIONS_NAMED}`.execute(database.kysely);
  return rows.map((row) => `ent_${row.entry_id} was added: its batch has no seal`);
}
