import type { Parts } from '../../parts.ts';
import { saveDefaultBook } from './default-book-store.ts';
import type { DefaultBookAnswer, DefaultBookRequest } from './price-book-answer.ts';

/** Names the book that a tenant without one of its own pays by (R15). */
export function nameDefaultBook(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  request: DefaultBookRequest,
): Promise<DefaultBookAnswer> {
  return saveDefaultBook(database, request, clock());
}
