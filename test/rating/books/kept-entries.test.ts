import { beforeEach, expect, it } from 'vitest';
import { parseInstant, systemClock } from '../../../src/clock.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { nameDefaultBook } from '../../../src/rating/books/default-book.ts';
import { importPriceBooks } from '../../../src/rating/books/import-price-books.ts';
import { parsePriceBook } from '../../../src/rating/books/price-book-document.ts';
import { importPriceBook } from '../../../src/rating/books/price-book-store.ts';
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

it('a dry run of two versions of a discount foresees that both charge cached input as their base does', async () => {
  const cheap = { ...ROOT, book: 'cheap', caching: 'pass_through' };
  const deal = { ...FRIENDS, book: 'deal', base: 'cheap' };
  const later = { ...deal, effective_from: '2026-06-01T00:00:00Z' };
  const documents = [cheap, deal, later].map((document) => parsePriceBook(document));
  const planned = await importPriceBooks(
    { database, clock: systemClock },
    { documents, dry_run: true },
  );
  const passesOn = { caching: 'pass_through' };
  expect(planned[2]).toMatchObject({ terms: { before: passesOn, after: passesOn } });
});

it('a version names each month that a re-rating takes to reach what it leaves as it is', async () => {
  // given calls of three months, one before its tenant's anchor day and one that is late
  await makeTenant(database, 'acme', { priceBook: 'root' });
  await makeTenant(database, 'birch', { priceBook: 'root', anchorDay: 15 });
  const call = (event_id: string, occurred_at: string, tenant_id = 'acme') =>
    nativeEvent({ event_id, occurred_at, tenant_id });
  await receiveEvents(database, [call('a', '2026-09-20T00:00:00Z')]);
  await closePeriods(
    { database, clock: () => parseInstant('2026-10-01T00:00:00Z') },
    { month: '2026-09', tenant_id: 'acme' },
  );
  await receiveEvents(
    database,
    [
      call('late', '2026-09-21T00:00:00Z'),
      call('b', '2026-11-02T00:00:00Z', 'birch'),
      call('c', '2026-11-02T00:00:00Z'),
    ],
    '2026-11-03T00:00:00Z',
  );
  const doubled = { ...ROOT, effective_from: '2026-09-10T00:00:00Z' };
  // when a version takes in all of them
  const [version] = await imported(doubled);
  // then birch's call is of the period that began on 15 October, and the late one of September
  expect(version?.unchanged).toMatchObject({
    entries: 4,
    months: ['2026-09', '2026-10', '2026-11'],
  });
});

it('whoever names the default book hears of the one that was named to follow', async () => {
  const parts = { database, clock: () => parseInstant('2026-10-20T00:00:00Z') };
  const later = parseInstant('2026-11-01T00:00:00Z');
  const planned = await nameDefaultBook(parts, { book: 'friends', from: later });
  expect(planned).toMatchObject({ before: 'root', followed_by: null });
  expect(await nameDefaultBook(parts, { book: 'root' })).toMatchObject({
    effective_from: '2026-10-20T00:00:00.000Z',
    followed_by: { book: 'friends', effective_from: '2026-11-01T00:00:00.000Z' },
  });
  // The same instant withdraws it.
  await nameDefaultBook(parts, { book: 'root', from: later });
  expect((await nameDefaultBook(parts, { book: 'root' })).followed_by).toMatchObject({
    book: 'root',
  });
});

it('a version with a pattern that is kept already is unchanged, and another one is refused', async () => {
  const models = [{ model: 'gpt-4o*', per_million: { input: '1', output: '1' } }];
  const own = { ...ROOT, book: 'own', models };
  await expect(imported(own)).rejects.toThrow('is a pattern');
  // As it was before patterns were refused.
  await importPriceBook(database, parsePriceBook(own), systemClock());
  expect(await imported(own)).toMatchObject([{ answer: 'unchanged' }]);
  expect(await imported(own, true)).toMatchObject([{ answer: 'unchanged' }]);
  const later = { ...own, effective_from: '2026-02-01T00:00:00Z' };
  await expect(imported(later)).rejects.toThrow('is a pattern');
});
