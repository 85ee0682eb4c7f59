import { writeFile } from 'node:fs/promises';
import { formatInstant } from '../../clock.ts';
import type { Parts } from '../../parts.ts';
import { SEED_SOURCE, seedCostBook } from './genai-seed.ts';
import { importPriceBooks } from './import-price-books.ts';
import type { SeedAnswer, SeedRequest } from './price-book-answer.ts';
import type { PriceBookDocument } from './price-book-document.ts';

/** Makes a cost book of the prices that a package carries, and imports its versions. */
export async function seedPriceBook(
  parts: Pick<Parts, 'database' | 'clock'>,
  request: SeedRequest,
): Promise<SeedAnswer> {
  const versions = await importPriceBooks(parts, { documents: documentsOf(request) });
  return { versions, written: null, source: SEED_SOURCE };
}

/** Writes the same book into a file, for review. */
export async function writePriceBook(request: SeedRequest, file: string): Promise<SeedAnswer> {
  const documents = documentsOf(request);
  await writeFile(file, `${JSON.stringify(documents, null, 1)}\n`);
  const versions = documents.map(({ book, effective_from, models }) => ({
    ...{ book, effective_from, models: models.length },
    answer: 'written' as const,
    ...{ became_default: false, takes_away: [], unchanged: null, of_version_before: null },
  }));
  return { versions, written: file, source: SEED_SOURCE };
}

function documentsOf({ book, from }: SeedRequest): readonly PriceBookDocument[] {
  return seedCostBook({ book, effectiveFrom: formatInstant(from), currency: 'USD' });
}
