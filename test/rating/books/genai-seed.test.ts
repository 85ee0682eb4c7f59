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
  test.each<[string, string, object]>([
    ['openai', 'gpt-4o-mini', { input: '0.15', output: '0.6', cache_read: '0.075' }],
    ['openai', 'gpt-4o-mini-2024-07-18', { input: '0.15', output: '0.6', cache_read: '0.075' }],
    ['azure.ai.openai', 'gpt-4o', { input: '2.5', output: '10', cache_read: '1.25' }],
    ['anthropic', 'claude-3-5-haiku-20241022', { input: '0.8', output: '4' }],
    ['aws.bedrock', 'anthropic.claude-3-5-sonnet-20241022-v2:0', { input: '3', output: '15' }],
    ['aws.bedrock', 'us.anthropic.claude-sonnet-4-20250514-v1:0', { input: '3' }],
    ['gcp.vertex_ai', 'claude-sonnet-4@20250514', { input: '3', output: '15' }],
    ['openai', 'text-embedding-3-small', { input: '0.02' }],
    ['openrouter', 'google/gemini-2.5-flash-lite', { cache_write: '0.083333' }],
    ['huggingface_together', 'Qwen/Qwen3-VL-8B-Instruct', { input: '0.18' }],
    ['openrouter', 'openai/gpt-oss-20b:free', { input: '0', output: '0' }],
    // 0.27 by day, 0.135 by night.
    ['deepseek', 'deepseek-chat', { input: '0.27', output: '1.1', cache_read: '0.07' }],
  ])('%s %s', (provider, model, rates) => {
    const [row] = rowsOf(latest(), provider, model);
    expect(row).toMatchObject({ service_tier: 'standard', above_input_tokens: 0, per_call: '0' });
    expect(row?.per_million).toMatchObject(rates);
  });

  test('a price of 12 for 1,000 requests is 0.012 for a call', () => {
    expect(rowsOf(latest(), 'perplexity', 'sonar')[0]?.per_call).toBe('0.012');
  });

  test('a long-context price is a second row, for all tokens of a call above the threshold', () => {
    for (const provider of ['gcp.gemini', 'gcp.vertex_ai']) {
      expect(rowsOf(latest(), provider, 'gemini-2.5-pro')).toMatchObject([
        { above_input_tokens: 0, per_million: { input: '1.25', output: '10' } },
        { above_input_tokens: 200_000, per_million: { input: '2.5', output: '15' } },
      ]);
    }
  });

  test('carries the further units, and the hour of an Anthropic cache at twice the input', () => {
    const { models } = latest();
    expect(models.some(({ per_million }) => per_million?.input_audio !== undefined)).toBe(true);
    expect(models.some(({ per_million }) => per_million?.cache_read_audio !== undefined)).toBe(
      true,
    );
    expect(models.some(({ per_thousand }) => per_thousand?.searches !== undefined)).toBe(true);
    const written = models.filter(
      ({ provider, per_million }) =>
        provider === 'anthropic' && per_million?.cache_write !== undefined,
    );
    expect(written.length).toBeGreaterThan(5);
    const wrong = written.filter(
      ({ per_million }) => Number(per_million?.cache_write_1h) !== 2 * Number(per_million?.input),
    );
    expect(wrong.map(({ model, per_million }) => ({ model, per_million }))).toEqual([]);
  });

  test('what has no price has none: output of an embedding, text of a transcription', () => {
    const [embedding] = rowsOf(latest(), 'openai', 'text-embedding-3-small');
    expect(embedding?.per_million).toEqual({ input: '0.02' });
    const [whisper] = rowsOf(latest(), 'openai', 'whisper-1');
    // $0.36 an hour is $0.006 a minute.
    expect(whisper).toMatchObject({ per_call: '0', per_second: { audio: '0.0001' } });
    expect(whisper?.per_million).toBeUndefined();
    const [ocr] = rowsOf(latest(), 'mistral_ai', 'mistral-ocr-2512');
    expect(ocr?.per_thousand).toEqual({ pages: '2' });
    expect(rowsOf(latest(), 'github-copilot', 'gpt-4o')).toEqual([]);
  });

  test.each([
    ['openai', 'gpt-4o', 'batch', { input: '1.25', output: '5', cache_read: '0.625' }],
    ['openai', 'o3', 'flex', { input: '1', output: '4', cache_read: '0.25' }],
    ['azure.ai.openai', 'gpt-4o', 'batch', { input: '1.25', output: '5' }],
    ['aws.bedrock', 'amazon.nova-lite-v1:0', 'batch', { input: '0.03', output: '0.12' }],
    ['anthropic', 'claude-sonnet-4-0', 'batch', { input: '1.5', output: '7.5' }],
    ['gcp.vertex_ai', 'gemini-2.5-flash', 'flex', { input: '0.15', output: '1.25' }],
    // What is read from a cache costs the same in a batch.
    [
      'gcp.gemini',
      'gemini-2.5-flash',
      'batch',
      { input: '0.15', output: '1.25', cache_read: '0.03' },
    ],
  ])('%s %s in tier %s costs half of the standard', (provider, model, tier, rates) => {
    const row = latest().models.find(
      (one) => one.provider === provider && one.model === model && one.service_tier === tier,
    );
    expect(row?.per_million).toMatchObject(rates);
  });

  test('no tier costs half where its provider does not say so', () => {
    const tiers = (provider: string) =>
      new Set(
        latest()
          .models.filter((row) => row.provider === provider)
          .map((row) => row.service_tier),
      );
    expect([...tiers('deepseek')]).toEqual(['standard']);
    expect([...tiers('azure.ai.openai')]).toEqual(['standard', 'batch', 'flex']);
    const bedrock = latest().models.filter(({ provider }) => provider === 'aws.bedrock');
    const halved = bedrock.filter((row) => row.service_tier === 'batch').map(({ model }) => model);
    expect(halved).toContain('us.anthropic.claude-sonnet-4-6-v1:0');
    expect(halved.filter((model) => /deepseek|openai/.test(model))).toEqual([]);
    expect([...tiers('anthropic')]).toEqual(['standard', 'batch']);
  });

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
