import type { Parts } from '../../parts.ts';
import type { BookAnswer, BookRequest, BooksAnswer } from './price-book-answer.ts';
import { readStoredBook } from './price-book-document.ts';
import { readBookDocuments, readBookVersions } from './price-book-store.ts';

/** Lists every version of every book. */
export async function listPriceBooks({
  database,
  clock,
}: Pick<Parts, 'database' | 'clock'>): Promise<BooksAnswer> {
  return readBookVersions(database, clock());
}

/** Shows the versions of one book; throws a `Refusal` where there is none of that name. */
export async function showPriceBook(
  { database }: Pick<Parts, 'database'>,
  { book }: BookRequest,
): Promise<BookAnswer> {
  return (await readBookDocuments(database, book)).map(readStoredBook);
}
