import { writeFile } from 'node:fs/promises';
import { formatInstant } from '../../clock.ts';
import type { Parts } from '../../parts.ts';
import { SEED_SOURCE, seedCostBook } from './genai-seed.ts';
import { importPriceBooks } from './import-price-books.ts';
import type { SeedAnswer, SeedRequest } from './price-book-answer.ts';
import type { PriceBookDocument } from './price-book-document.ts';
import { COSTED_BY } from './price-catalog.ts';
import { buildRates } from './rate-index.ts';
import { ratesOfRow } from './rates-of-row.ts';

/** Makes a cost book of the prices that a package carries, and imports its versions. */
export async function seedPriceBook(
  parts: Pick<Parts, 'database' | 'clock'>,
  request: SeedRequest,
): Promise<SeedAnswer> {
  const documents = documentsOf(request);
  const versions = await importPriceBooks(parts, { documents });
  return { versions, written: null, source: SEED_SOURCE, ...unpriced(request, documents) };
}

/** Writes the same book into a file, for review. */
export async function writePriceBook(request: SeedRequest, file: string): Promise<SeedAnswer> {
  const documents = documentsOf(request);
  await writeFile(file, `${JSON.stringify(documents, null, 1)}\n`);
  const versions = documents.map(({ book, effective_from, models }) => ({
    book,
    effective_from,
    models: models.length,
    answer: 'written' as const,
    became_default: false,
    takes_away: [],
    unchanged: null,
    of_version_before: null,
  }));
  return { versions, written: file, source: SEED_SOURCE, ...unpriced(request, documents) };
}

/** The deployments whose model the newest version has no price for, as a call of it would be looked for. */
function unpriced(
  { deployments }: SeedRequest,
  documents: readonly PriceBookDocument[],
): Pick<SeedAnswer, 'deployments_without_price'> {
  const newest = documents.at(-1);
  if (deployments.length === 0 || newest === undefined) return { deployments_without_price: [] };
  const rates = buildRates(
    newest.models.map((row) => ({
      rateId: 0n,
      book: newest.book,
      provider: row.provider ?? null,
      model: row.model,
      serviceTier: row.service_tier,
      aboveInputTokens: BigInt(row.above_input_tokens),
      ...ratesOfRow(row),
    })),
  );
  const hasPrice = (asked: (typeof deployments)[number]) =>
    COSTED_BY.some((match) => rates.find(asked, 'standard', match).length > 0);
  const without = deployments.filter((asked) => !hasPrice(asked));
  return { deployments_without_price: without.map(({ name }) => name) };
}

function documentsOf({ book, from }: SeedRequest): readonly PriceBookDocument[] {
  return seedCostBook({ book, effectiveFrom: formatInstant(from), currency: 'USD' });
}
