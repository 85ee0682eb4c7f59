import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { rerateMonth } from '../../../src/ledger/corrections/rerate-month.ts';
import { importPriceBooks } from '../../../src/rating/books/import-price-books.ts';
import { parsePriceBook } from '../../../src/rating/books/price-book-document.ts';
import { listPriceBooks } from '../../../src/rating/books/show-price-books.ts';
import { count, createDatabase, type TestDatabase } from '../../support/database.ts';
import { importBooks, nativeEvent, receiveEvents, sharedBook } from '../../support/ledger.ts';

/** A month under prices that are only proposed is what it would be after their import; nothing is written by the look. */

let database: TestDatabase;
let drop: () => Promise<void>;
const clock = () => parseInstant('2026-11-02T00:00:00Z');
const later = parsePriceBook(sharedBook('standard-2026-10-15'));
const deal = parsePriceBook({
  ...{ book: 'deal', kind: 'charge', currency: 'USD', effective_from: '2020-01-01T00:00:00Z' },
  ...{ base: 'standard', discount: '0.5', models: [] },
});
const month = { month: '2026-10', tenant_id: null, reason: 'a look', actor: 'ada' };

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  await importBooks(database, 'standard', 'cost');
  await receiveEvents(database, [
    nativeEvent({ event_id: 'early', occurred_at: '2026-10-10T00:00:00Z' }),
    nativeEvent({ event_id: 'after', occurred_at: '2026-10-16T00:00:00Z' }),
    nativeEvent({ event_id: 'other', occurred_at: '2026-10-16T00:00:00Z', tenant_id: 'birch' }),
  ]);
});

afterAll(() => drop());

const look = (of: object) => rerateMonth({ database, clock }, { ...month, dry_run: true, ...of });
const kept = async () =>
  Promise.all(
    ['entries', 'price_books', 'price_rates', 'default_price_books', 'changes'].map((table) =>
      count(database, table),
    ),
  );

it('everybody under another book pays by it, be it imported or proposed', async () => {
  const before = await kept();
  const { rows } = await look({ proposed: [deal], price_book: 'deal' });
  expect(rows.map((row) => [row.tenant_id, row.charge_before, row.charge_after])).toEqual([
    ['acme', '0.0084', '0.0042'],
    ['birch', '0.0042', '0.0021'],
  ]);
  expect(await kept()).toEqual(before);
  await expect(look({ price_book: 'deal' })).rejects.toThrow('there is no charge book "deal"');
});

it('what is proposed posts nothing', async () => {
  const posting = rerateMonth({ database, clock }, { ...month, dry_run: false, proposed: [later] });
  await expect(posting).rejects.toThrow('prices that are only proposed post nothing');
});

it('a look before the import shows what a look after it does, and the plan of the import what it answers', async () => {
  const before = await kept();
  const proposed = await look({ proposed: [later] });
  const plan = await importPriceBooks({ database, clock }, { documents: [later], dry_run: true });
  expect(await kept()).toEqual(before);

  const answer = await importPriceBooks({ database, clock }, { documents: [later] });
  expect(await look({})).toEqual(proposed);
  expect(proposed.rows.length).toBe(2);
  const [{ changes, terms: _, ...planned } = { changes: [], terms: null }] = plan;
  expect([{ ...planned, answer: 'imported' }]).toEqual(answer);
  expect(changes).toContainEqual(
    expect.objectContaining({
      model: 'gpt-4o',
      before: expect.objectContaining({ input: '3.00' }),
      after: expect.objectContaining({ input: '4.00' }),
    }),
  );
  const [again] = await importPriceBooks(
    { database, clock },
    { documents: [later], dry_run: true },
  );
  expect(again).toMatchObject({ answer: 'unchanged', takes_away: [] });
});

it('a plan is refused as the import would be, with bases that are in the same upload', async () => {
  const base = { ...deal, book: 'upper', base: 'lower', discount: undefined };
  const lower = parsePriceBook({ ...(sharedBook('standard') as object), book: 'lower' });
  const upper = parsePriceBook(base);
  const plan = (documents: readonly (typeof lower)[]) =>
    importPriceBooks({ database, clock }, { documents, dry_run: true });
  await expect(plan([upper])).rejects.toThrow('there is no price book "lower"');
  expect((await plan([lower, upper])).map(({ answer }) => answer)).toEqual([
    'would_import',
    'would_import',
  ]);
  const other = { ...later, models: later.models.slice(1) };
  await expect(plan([other])).rejects.toThrow('a version is immutable');
  const books = await listPriceBooks({ database, clock });
  expect(books.map(({ book }) => book)).not.toContain('lower');
});
