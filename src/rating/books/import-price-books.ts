import type { Parts } from '../../parts.ts';
import type {
  BookAnswer,
  BookRequest,
  BooksAnswer,
  ImportAnswer,
  ImportRequest,
} from './price-book-answer.ts';
import type { PriceBookDocument } from './price-book-document.ts';
import { parsePriceBook } from './price-book-document.ts';
import { importPriceBook, readBookDocuments, readBookVersions } from './price-book-store.ts';

/** Stores books as new versions (R15); an identical one changes nothing. None is stored unless all can be read. */
export async function importPriceBooks(
  parts: Pick<Parts, 'database' | 'clock'>,
  request: ImportRequest,
): Promise<ImportAnswer> {
  return storePriceBooks(parts, request.documents.map(parsePriceBook));
}

/** Stores books that were read already, in their order. */
export async function storePriceBooks(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  documents: readonly PriceBookDocument[],
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
