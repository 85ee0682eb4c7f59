import type { Parts } from '../../parts.ts';
import type {
  BookAnswer,
  BookRequest,
  BooksAnswer,
  ImportAnswer,
  ImportRequest,
} from './price-book-answer.ts';
import { parsePriceBook } from './price-book-document.ts';
import { importPriceBook, readBookDocuments, readBookVersions } from './price-book-store.ts';

/** Stores books as new versions (R15), in their order; an identical one changes nothing. */
export async function importPriceBooks(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  { documents }: ImportRequest,
): Promise<ImportAnswer> {
  const versions: ImportAnswer[number][] = [];
  for (const document of documents) {
    const answer = await importPriceBook(database, document, clock());
    const { book, effective_from, models } = document;
    versions.push({ book, effective_from, models: models.length, answer });
  }
  return versions;
}

/** Every version of every book. */
export async function listPriceBooks({ database }: Pick<Parts, 'database'>): Promise<BooksAnswer> {
  return readBookVersions(database);
}

/** The versions of one book; throws a `Refusal` where there is none of that name. */
export async function showPriceBook(
  { database }: Pick<Parts, 'database'>,
  { book }: BookRequest,
): Promise<BookAnswer> {
  return (await readBookDocuments(database, book)).map(parsePriceBook);
}
