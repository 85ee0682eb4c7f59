import type { InstantMs } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { inTransaction } from '../../database/database.ts';
import type { PriceBookDocument } from './price-book-document.ts';
import { loadPriceCatalog, type StoredBook, storePriceBook } from './price-book-store.ts';
import type { PriceCatalog } from './price-catalog.ts';

/** The answer that importing some books would give, and the prices that would hold then. */
export interface ForeseenImports {
  /** One for each document, in their order. */
  readonly stored: readonly StoredBook[];
  readonly catalog: PriceCatalog;
}

/**
 * Imports books in a transaction that is taken back, so that what is foreseen, and what is refused, is what an import
 * would do; nothing of it is kept.
 */
export async function foreseeImports(
  database: Database,
  documents: readonly PriceBookDocument[],
  at: InstantMs,
): Promise<ForeseenImports> {
  try {
    return await inTransaction(database, async (transaction) => {
      const stored: StoredBook[] = [];
      for (const document of documents) {
        stored.push(await storePriceBook(transaction, document, at));
      }
      throw new TakenBack({ stored, catalog: await loadPriceCatalog(transaction.kysely) });
    });
  } catch (error) {
    if (error instanceof TakenBack) return error.foreseen;
    throw error;
  }
}

/** Takes the transaction back, and carries what was seen in it. */
class TakenBack extends Error {
  readonly foreseen: ForeseenImports;

  constructor(foreseen: ForeseenImports) {
    super('the imports are taken back');
    this.foreseen = foreseen;
  }
}
