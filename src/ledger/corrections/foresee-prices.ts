import type { Parts } from '../../parts.ts';
import { foreseeImports } from '../../rating/books/foresee-imports-store.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import type { ForeseenPrices } from '../posting/reference-cache.ts';
import type { RerateRequest } from './rerate-answer.ts';

/** Finds the prices that a look is made under; null where they are those of now. What is proposed posts nothing. */
export async function foreseePrices(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  { proposed = [], price_book: book, dry_run }: RerateRequest,
): Promise<ForeseenPrices | null> {
  if (proposed.length === 0 && book === undefined) return null;
  if (!dry_run) {
    throw new Refusal(
      'bad_request',
      'prices that are only proposed post nothing',
      advise`look at the difference in a dry run; then import the book with ${{ operation: 'price-book import' }}, and re-rate`,
    );
  }
  const { catalog } = await foreseeImports(database, proposed, clock());
  if (book === undefined) return { catalog, paysBy: null };
  const version = catalog.books.get(book)?.[0];
  if (version?.kind !== 'charge') {
    throw new Refusal(
      'not_found',
      `there is no charge book "${book}", neither imported nor proposed`,
      advise`see ${{ operation: 'price-book list' }}, or give the book's file, too`,
    );
  }
  return { catalog, paysBy: { book, currency: version.currency } };
}
