import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import {
  calcPrice,
  type MatchLogic,
  type ModelPrice,
  type Provider,
  waitForUpdate,
} from '@pydantic/genai-prices';
import { describe, expect, test } from 'vitest';
import { EVENT_PROVIDERS } from '../../../src/rating/books/genai-names.ts';
import { SEED_SOURCE, seedCostBook } from '../../../src/rating/books/genai-seed.ts';
import type {
  PriceBookDocument,
  PriceBookModel,
} from '../../../src/rating/books/price-book-document.ts';
import { Refusal } from '../../../src/refusal.ts';

const packageProviders: readonly Provider[] = (await waitForUpdate()) ?? [];

const documents = seedCostBook({
  book: 'provider-cost',
  effectiveFrom: '2025-01-01T00:00:00Z',
  currency: 'USD',
});

describe('the versions of the book', () => {
  test('are one at the start and one for each later date with other prices', () => {
    expect(documents.map(({ effective_from }) => effective_from)).toEqual([
      '2025-01-01T00:00:00Z',
      '2025-06-10T00:00:00Z',
      '2025-12-02T00:00:00Z',
      '2025-12-18T00:00:00Z',
      '2026-03-13T00:00:00Z',
      '2026-06-16T00:00:00Z',
      '2026-06-23T00:00:00Z',
      '2026-07-30T00:00:00Z',
      '2026-08-05T00:00:00Z',
      '2026-08-11T00:00:00Z',
      '2026-08-17T00:00:00Z',
      '2026-08-21T00:00:00Z',
      '2026-08-27T00:00:00Z',
      '2026-09-22T00:00:00Z',
      '2027-01-01T00:00:00Z',
    ]);
  });

  test('are one where no later date is known, with the instant as it was given', () => {
    const effectiveFrom = '2027-06-01T00:00:00+02:00';
    const only = seedCostBook({ book: 'provider-cost', effectiveFrom, currency: 'USD' });
    expect(only.map(({ effective_from }) => effective_from)).toEqual([effectiveFrom]);
  });

  test('name the package and the version that is installed', () => {
    const path = new URL(
      '../../../node_modules/@pydantic/genai-prices/package.json',
      import.meta.url,
    );
    const { name, version } = JSON.parse(readFileSync(path, 'utf8'));
    expect(SEED_SOURCE).toBe(`${name} ${version}`);
    for (const document of documents) {
      expect(document).toMatchObject({ kind: 'cost', currency: 'USD', source: SEED_SOURCE });
    }
  });

  test('tell what was lost on the way', () => {
    const notes = latest().notes ?? '';
    expect(notes).toMatch(/\d+ models without a price were left out\./);
    expect(notes).toContain('48 models have a price of input alone');
    expect(notes).toContain('batch of anthropic (https://docs.claude.com/');
    expect(notes).toContain('deepseek deepseek-chat');
    expect(notes).toContain('cache_write_mtok 0.08333333333333334 to 0.083333');
    expect(notes).toContain('storage_searches_kcount');
    expect(notes).not.toContain('input_audio_mtok');
  });

  test('an instant that is none is refused', () => {
    const seed = () =>
      seedCostBook({ book: 'provider-cost', effectiveFrom: 'October', currency: 'USD' });
    expect(seed).toThrow(Refusal);
    expect(seed).toThrow('effective_from: "October" is not an instant');
  });
});

describe('the rates of a row', () => {
  test('a dated price begins with its date', () => {
    const o3 = documents.map((each) => rowsOf(each, 'openai', 'o3')[0]?.per_million?.input);
    expect(o3.slice(0, 2)).toEqual(['10', '2']);
  });

  test('a price for certain hours does not begin before the dated price that it follows', () => {
    // 0.14 all day until 17 August 2026; from then on 0.22, and 0.44 in the dear hours.
    const inputs = documents.map((document) => [
      document.effective_from.slice(0, 10),
      rowsOf(document, 'deepseek', 'deepseek-v4-flash')[0]?.per_million?.input,
    ]);
    expect(Object.fromEntries(inputs)).toMatchObject({
      '2026-08-11': '0.14',
      '2026-08-17': '0.44',
    });
  });

  test('is a plain decimal with at most six decimals and no zeros at its end', () => {
    const rates = documents.flatMap(({ models }) =>
      models.flatMap(({ per_call, per_million }) => [
        per_call,
        ...Object.values(per_million ?? {}),
      ]),
    );
    expect(rates.filter((rate = '') => !/^(?:0|[1-9]\d*)(?:\.\d{0,5}[1-9])?$/.test(rate))).toEqual(
      [],
    );
  });

  test('is what the package answers on that date, to six decimals', () => {
    let compared = 0;
    const differing: object[] = [];
    for (const document of documents) {
      for (const row of document.models) {
        if (row.service_tier !== 'standard') continue;
        const answers = packageAnswers(document, row);
        if (answers.length === 0) continue;
        compared += 1;
        const rates = ratesInMillionths(row);
        // Forty thousand matchers of their own would take most of this test's time.
        if (!answers.some((answer) => isDeepStrictEqual(answer, rates)))
          differing.push({ row, answers });
      }
    }
    expect(differing).toEqual([]);
    expect(compared).toBeGreaterThan(40_000);
  });
});

describe('names', () => {
  test('every provider of the package has its name in events', () => {
    const ids = packageProviders.map(({ id }) => id);
    expect(Object.keys(EVENT_PROVIDERS).toSorted()).toEqual(ids.toSorted());
  });

  test('every id and every whole name that the package lists has a row, or no price by tokens', () => {
    const found = keysOf(latest());
    const missing = packageProviders.flatMap((provider) =>
      provider.models.flatMap((model) =>
        [model.id, ...equalsClauses(model.match)]
          .filter((name) => {
            const answer = calcPrice({}, name, { providerId: provider.id });
            return answer === null || answer.model_price['input_mtok'] !== undefined;
          })
          .filter(() => JSON.stringify(model.prices).includes('input_mtok'))
          .flatMap((name) => EVENT_PROVIDERS[provider.id]?.map((each) => `${each} ${name}`) ?? [])
          .filter((key) => !found.has(key)),
      ),
    );
    expect(missing).toEqual([]);
  });
});

function latest(): PriceBookDocument {
  return documents.at(-1)!;
}

function rowsOf(document: PriceBookDocument, provider: string, model: string): PriceBookModel[] {
  return document.models.filter(
    (row) => row.provider === provider && row.model === model && row.service_tier === 'standard',
  );
}

function keysOf(document: PriceBookDocument): ReadonlySet<string> {
  return new Set(document.models.map(({ provider, model }) => `${provider} ${model}`));
}

function equalsClauses(match: MatchLogic): string[] {
  if ('equals' in match) return [match.equals];
  return 'or' in match ? match.or.flatMap(equalsClauses) : [];
}

const UNITS = ['input_mtok', 'output_mtok', 'cache_read_mtok', 'cache_write_mtok'];

/** Rounded to millionths, which is the most that a book can say. */
function ratesInMillionths(row: PriceBookModel): number[] {
  const { input, output, cache_read, cache_write } = row.per_million ?? {};
  return [input ?? '0', output ?? '0', cache_read ?? '0', cache_write ?? '0'].map((rate) =>
    Math.round(Number(rate) * 1e6),
  );
}

/** The package's own rates at the start of a version, at each hour where they differ by the hour. */
function packageAnswers(document: PriceBookDocument, row: PriceBookModel): number[][] {
  const id = Object.entries(EVENT_PROVIDERS).find(([, names]) =>
    names.includes(row.provider ?? ''),
  );
  const hours = row.model.includes('deepseek') ? [0, 3, 8, 17] : [0];
  return hours.flatMap((hour) => {
    const timestamp = new Date(Date.parse(document.effective_from) + hour * 3_600_000);
    const answer = calcPrice({}, row.model, { providerId: id![0], timestamp });
    if (answer === null || Object.keys(answer.model_price).length === 0) return [];
    return [ratesAbove(answer.model_price, row.above_input_tokens)];
  });
}

function ratesAbove(prices: ModelPrice, above: number): number[] {
  return UNITS.map((unit) => {
    const price = prices[unit] ?? 0;
    if (typeof price === 'number') return Math.round(price * 1e6);
    const reached = price.tiers.filter(({ start }) => above >= start);
    return Math.round((reached.at(-1)?.price ?? price.base) * 1e6);
  });
}
