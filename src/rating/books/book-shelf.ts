import { parseInstant } from '../../clock.ts';
import type { Parts } from '../../parts.ts';
import { Refusal } from '../../refusal.ts';
import type { PriceBookDocument } from './price-book-document.ts';
import { showPriceBook } from './show-price-books.ts';

/** The versions of a book, oldest first; throws a `Refusal` where there is none. */
export type BookShelf = (book: string) => Promise<readonly PriceBookDocument[]>;

/** Makes a shelf of the versions that are imported. */
export function shelfOf(parts: Pick<Parts, 'database'>): BookShelf {
  return (book) => showPriceBook(parts, { book });
}

/** Makes a shelf with versions on it that are only proposed. */
export function shelfWith(
  parts: Pick<Parts, 'database'>,
  proposed: readonly PriceBookDocument[],
): BookShelf {
  return async (book) => {
    const own = proposed.filter((document) => document.book === book);
    if (own.length === 0) return showPriceBook(parts, { book });
    const known = await knownOr(parts, book);
    const added = own.filter((one) => !known.some((other) => beginOf(other) === beginOf(one)));
    return [...known, ...added].sort((a, b) => beginOf(a) - beginOf(b));
  };
}

async function knownOr(
  parts: Pick<Parts, 'database'>,
  book: string,
): Promise<readonly PriceBookDocument[]> {
  try {
    return await showPriceBook(parts, { book });
  } catch (error) {
    if (error instanceof Refusal && error.kind === 'not_found') return [];
    throw error;
  }
}

function beginOf({ effective_from }: PriceBookDocument): number {
  return parseInstant(effective_from);
}
