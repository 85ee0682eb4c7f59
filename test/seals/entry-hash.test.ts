import fc from 'fast-check';
import { expect, it } from 'vitest';
import { inTransaction } from '../../src/database/database.ts';
import { COPY_COLUMNS } from '../../src/ledger/entries/copy-line.ts';
import type { NewEntry } from '../../src/ledger/entries/entry.ts';
import { copyEntries, insertBatch } from '../../src/ledger/posting/posting-store.ts';
import { anyEntry } from '../support/any-entry.ts';
import { freshDatabase, textRows } from '../support/database.ts';

const CASES = Number(process.env['SPANLEDGER_CASES'] ?? 400);

it('the hash that the worker writes is the one that Postgres makes of the row, whatever the row holds', async () => {
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

  // A session's own ways of writing dates are nobody's business.
  const differing = await inTransaction(database, async ({ client }) => {
    await client.query("set local time zone 'Asia/Tokyo'; set local datestyle = 'German, DMY'");
    const { rows } = await client.query<{ differing: number; equal: number }>(
      `select count(*) filter (where entry_hash is distinct from computed_hash)::int as differing,
         count(*) filter (where entry_hash = computed_hash)::int as equal from batch_leaves`,
    );
    return rows[0];
  });
  expect(differing).toEqual({ differing: 0, equal: CASES });
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
