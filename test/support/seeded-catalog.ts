import { parseInstant } from '../../src/clock.ts';
import { seedCostBook } from '../../src/rating/books/genai-seed.ts';
import { buildCatalog, type PriceCatalog } from '../../src/rating/books/price-catalog.ts';
import { buildRates } from '../../src/rating/books/rate-index.ts';
import { ratesOfRow } from '../../src/rating/books/rates-of-row.ts';

/** The catalog of a ledger whose one book is the seeded book of costs, from the start of 2025. */
export function seededCatalog(): PriceCatalog {
  const documents = seedCostBook({
    book: 'providers',
    effectiveFrom: '2025-01-01T00:00:00Z',
    currency: 'USD',
  });
  return buildCatalog(
    documents.map((document) => ({
      book: document.book,
      effectiveFrom: parseInstant(document.effective_from),
      kind: document.kind,
      currency: document.currency,
      caching: 'work_done',
      baseBook: null,
      costFactor: null,
      baseFactor: null,
      rates: buildRates(
        document.models.map((model) => ({
          rateId: 1n,
          book: document.book,
          provider: model.provider ?? null,
          model: model.model,
          serviceTier: model.service_tier,
          aboveInputTokens: BigInt(model.above_input_tokens),
          ...ratesOfRow(model),
        })),
      ),
    })),
  );
}
