import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type CopiedLeaves, readCopiedLeaves } from '../../src/audit/laws/copied-leaves-store.ts';
import type { Database } from '../../src/database/database.ts';
import { inTransaction } from '../../src/database/database.ts';
import { COPY_COLUMNS } from '../../src/ledger/entries/copy-line.ts';
import type { NewEntry } from '../../src/ledger/entries/entry.ts';
import { copyEntries, insertBatch } from '../../src/ledger/posting/posting-store.ts';
import { present } from '../../src/present.ts';
import { anyEntry } from '../support/any-entry.ts';
import { freshDatabase, type TestDatabase, textRows } from '../support/database.ts';
import { tamper } from '../support/tamper.ts';

const CASES = Number(process.env['SPANLEDGER_CASES'] ?? 400);

/** A batch of entries that hold whatever the table takes. */
async function ledgerOfAny(): Promise<TestDatabase> {
  const database = await freshDatabase();
  const entries = fc
    .sample(anyEntry, CASES)
    .map((entry, index): NewEntry => ({ ...entry, eventId: `e-${index}` }));
  await inTransaction(database, async (transaction) => {
    await transaction.client.query(
      "insert into tenants (tenant_id, created_at) values ('acme', now())",
    );
    const batch = await insertBatch(transaction, { kind: 'correction', recordedAt: 1, entries });
    await copyEntries(transaction, entries, batch);
  });
  return database;
}

/** A session's own ways of writing dates and bytes are nobody's business. */
const ODD_SESSION =
  "set local time zone 'Asia/Tokyo'; set local datestyle = 'German, DMY'; set local bytea_output = 'escape'";

it('the hash that the worker writes is the one that Postgres makes of the row, whatever the row holds', async () => {
  const database = await ledgerOfAny();

  const differing = await inTransaction(database, async ({ client }) => {
    await client.query(ODD_SESSION);
    const { rows } = await client.query<{ differing: number; equal: number }>(
      `select count(*) filter (where entry_hash is distinct from computed_hash)::int as differing,
         count(*) filter (where entry_hash = computed_hash)::int as equal from batch_leaves`,
    );
    return rows[0];
  });
  expect(differing).toEqual({ differing: 0, equal: CASES });
});

async function leavesOf(database: Database): Promise<CopiedLeaves> {
  const [batch] = await textRows(
    database,
    "select batch_id, encode(salt, 'hex') as salt from batches",
  );
  const batchId = batch?.['batch_id'] ?? '';
  const leaves = await inTransaction(database, async (transaction) => {
    await transaction.client.query(ODD_SESSION);
    return readCopiedLeaves(transaction, new Map([[batchId, batch?.['salt'] ?? '']]));
  });
  return present(leaves.get(batchId), 'the leaves of a batch that has entries');
}

it('the hash that the worker writes is the one that law 8 makes of the row as it is copied out', async () => {
  const database = await ledgerOfAny();
  const { leaves, differing } = await leavesOf(database);
  expect(differing).toBe(0);
  const [kept] = await textRows(
    database,
    "select encode(string_agg(entry_hash, ''::bytea order by entry_id), 'hex') as hashes from entries",
  );
  expect(leaves.toString('hex')).toBe(kept?.['hashes']);
});

it.each([
  'source = source || chr(8)',
  "event_id = 'e-0' || chr(12)",
  "occurred_at = occurred_at + interval '1 microsecond'",
  "charge_version = '-infinity', charge_book = 'another'",
  "cost_version = 'infinity'",
  'not_due = case when not_due then null else true end',
  "further_tags = '{}'",
  "call_id = coalesce(call_id, '') || 'x'",
])(
  'an entry that was changed does not give its hash to law 8, and gives the one that Postgres makes: %s',
  async (change) => {
    const database = await ledgerOfAny();
    await tamper(database, `update entries set ${change} where event_id = 'e-0'`);
    expect((await leavesOf(database)).differing).toBe(1);
    await tamper(
      database,
      `update entries e set entry_hash = entry_hash(e, (select salt from batches)) where event_id like 'e-0%'`,
    );
    expect((await leavesOf(database)).differing).toBe(0);
  },
);

it('an entry without a hash has the one that its columns give', async () => {
  const database = await ledgerOfAny();
  const { leaves } = await leavesOf(database);
  await tamper(
    database,
    'alter table entries drop constraint entry_has_its_hash; update entries set entry_hash = null',
  );
  expect(await leavesOf(database)).toEqual({ leaves, differing: 0 });
});

it('the hash covers every column of an entry', async () => {
  const database = await freshDatabase();
  const rows = await textRows(
    database,
    "select column_name from information_schema.columns where table_name = 'entries' and table_schema = 'public'",
  );
  const columns = rows.map((row) => row['column_name']);
  expect(COPY_COLUMNS.split(', ').sort()).toEqual(columns.sort());
});
