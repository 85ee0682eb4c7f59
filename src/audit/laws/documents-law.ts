import type { Database } from '../../database/database.ts';
import { findChangedBooks } from '../../rating/books/changed-books-store.ts';
import type { LawReport } from './law.ts';
import { VIOLATIONS_NAMED } from './law.ts';

/**
 * Checks law 13: every version of a price book is what its document says, and the document is the
 * one that was imported.
 */
export async function checkDocuments(database: Database): Promise<LawReport> {
  const { checked, faults } = await findChangedBooks(database);
  const law = { law: 13, name: 'prices are those of the documents that were imported' };
  return { ...law, checked, violations: faults.slice(0, VIOLATIONS_NAMED) };
}
