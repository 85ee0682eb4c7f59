import { beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { importPriceBooks } from '../../../src/rating/books/import-price-books.ts';
import { parsePriceBook } from '../../../src/rating/books/price-book-document.ts';
import type { TestDatabase } from '../../support/database.ts';
import { freshDatabase } from '../../support/database.ts';
import { importBook, makeTenant, nativeEvent, receiveEvents } from '../../support/ledger.ts';

/** What an import says of what is posted already, and of the version before it. */

let database: TestDatabase;

const ROOT = {
  ...{ book: 'root', kind: 'charge', currency: 'USD', caching: 'work_done' },
  effective_from: '2026-01-01T00:00:00Z',
  models: [{ model: 'gpt-4o', per_million: { input: '3', output: '12' } }],
};
const FRIENDS = {
  ...{ book: 'friends', kind: 'charge', currency: 'USD', base: 'root', discount: '0.10' },
  effective_from: '2026-01-01T00:00:00Z',
};

beforeEach(async () => {
  database = await freshDatabase();
  for (const book of [ROOT, FRIENDS]) await importBook(database, book);
});

function imported(document: object, dry_run = false) {
  const request = { documents: [parsePriceBook(document)], dry_run };
  return importPriceBooks({ database, clock: systemClock }, request);
}

it('a new version of a base names the entries of a book that is laid over it', async () => {
  await makeTenant(database, 'acme', { priceBook: 'friends' });
  await receiveEvents(database, [nativeEvent()]);
  const models = [{ model: 'gpt-4o', per_million: { input: '6', output: '24' } }];
  const doubled = { ...ROOT, effective_from: '2026-10-01T00:00:00Z', models };
  expect(await imported(doubled)).toMatchObject([{ unchanged: { entries: 1 } }]);
});

it('a dry run tells the terms that change amounts without any row', async () => {
  const more = { ...FRIENDS, effective_from: '2026-10-01T00:00:00Z', discount: '0.5' };
  expect(await imported(more, true)).toMatchObject([
    { changes: [], terms: { before: { discount: '0.10' }, after: { discount: '0.5' } } },
  ]);
  const [stored] = await imported(more);
  expect(stored).not.toHaveProperty('terms');
});
