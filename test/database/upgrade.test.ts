import { readdir, readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { MIGRATIONS } from '../../src/database/migrate.ts';
import { freshDatabase, textRows } from '../support/database.ts';

/** Applies the migrations from one number up to, and without, another. */
async function applyMigrations(database: Database, from: string, to: string): Promise<void> {
  const names = (await readdir(MIGRATIONS)).filter((name) => /^\d{4}-.+\.sql$/.test(name)).sort();
  for (const name of names.filter((name) => name >= from && name < to)) {
    await database.pool.query(await readFile(MIGRATIONS + name, 'utf8'));
  }
}

async function withBooks(...books: readonly (readonly [string, 'charge' | 'cost'])[]) {
  const database = await freshDatabase({ schema: 'empty', connections: 2 });
  await applyMigrations(database, '0000', '0021');
  for (const [book, kind] of books) {
    await database.pool.query(
      `insert into price_books (book, effective_from, kind, currency, caching, document, document_hash, imported_at)
       values ($1, '2026-01-01Z', $2, 'USD', 'work_done', '{}', $1, '2026-01-02Z')`,
      [book, kind],
    );
  }
  await applyMigrations(database, '0021', '0022');
  return textRows(database, 'select book, effective_from from default_price_books');
}

it('the only charge book that an older ledger has becomes its default, since ever', async () => {
  expect(await withBooks(['list', 'charge'], ['cost', 'cost'])).toEqual([
    { book: 'list', effective_from: '-infinity' },
  ]);
});

it('of several charge books the one called "standard" becomes the default of an older ledger', async () => {
  expect(await withBooks(['deal', 'charge'], ['standard', 'charge'])).toEqual([
    { book: 'standard', effective_from: '-infinity' },
  ]);
});

it('an older ledger with several charge books of other names has no default, as it had none before', async () => {
  expect(await withBooks(['deal', 'charge'], ['list', 'charge'])).toEqual([]);
});
