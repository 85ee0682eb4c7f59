import type { Parts } from '../../parts.ts';
import type { BookAnswer, BookRequest, BooksAnswer } from './price-book-answer.ts';
import type { PriceBookDocument } from './price-book-document.ts';
import { parsePriceBook, takesAllFromBase } from './price-book-document.ts';
import { readBookDocuments, readBookVersions } from './price-book-store.ts';

/** Every version of every book. */
export async function listPriceBooks({
  database,
  clock,
}: Pick<Parts, 'database' | 'clock'>): Promise<BooksAnswer> {
  return readBookVersions(database, clock());
}

/** The versions of one book; throws a `Refusal` where there is none of that name. */
export async function showPriceBook(
  { database }: Pick<Parts, 'database'>,
  { book }: BookRequest,
): Promise<BookAnswer> {
  return (await readBookDocuments(database, book)).map(readStoredBook);
}

/**
 * A document as it was stored. Every one is kept with its caching, said or not; of a book that takes all from
 * its base it means nothing, and nobody may say it.
 */
function readStoredBook(stored: unknown): PriceBookDocument {
  const { caching, ...rest } = stored as PriceBookDocument;
  return parsePriceBook(takesAllFromBase(rest) ? rest : stored);
}
