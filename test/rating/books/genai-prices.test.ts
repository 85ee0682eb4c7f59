import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { calcPrice } from '@pydantic/genai-prices';
import { expect, test } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { totalInput } from '../../../src/events/event.ts';
import { EVENT_PROVIDERS } from '../../../src/rating/books/genai-names.ts';
import type { PriceCatalog } from '../../../src/rating/books/price-catalog.ts';
import { findCost } from '../../../src/rating/books/price-catalog.ts';
import type { UnitAmounts } from '../../../src/rating/rate-usage.ts';
import { amountOf } from '../../../src/rating/rate-usage.ts';
import type { FurtherUnits } from '../../../src/units.ts';
import { countsOfResponse, type Interface } from '../../support/provider-counts.ts';
import { seededCatalog } from '../../support/seeded-catalog.ts';

/** Recorded responses of providers with what they cost; it lies beside the checkout, where it is. */
const recorded = fileURLToPath(
  new URL('../../../../shared/data/genai-prices-usages.json', import.meta.url),
);

interface Row {
  readonly body: object;
  readonly model: string;
  readonly extracted: readonly {
    readonly extractors: readonly {
      readonly provider_id: string;
      readonly api_flavor: string;
      readonly input_price?: string;
      readonly output_price?: string;
    }[];
  }[];
}

/** Which interface of which provider reports usage in which form. */
const FLAVORS: Readonly<Record<string, Interface>> = {
  'openai/chat': 'openai_chat',
  'openai/responses': 'openai_responses',
  'openai/embeddings': 'openai_embeddings',
  'azure/chat': 'openai_chat',
  'azure/responses': 'openai_responses',
  'azure/embeddings': 'openai_embeddings',
  'azure/anthropic': 'anthropic',
  'anthropic/default': 'anthropic',
  'google/default': 'gemini',
  'google/anthropic': 'anthropic',
  'aws/anthropic': 'anthropic',
  'aws/default': 'bedrock_converse',
  'groq/default': 'openai_chat',
  'mistral/default': 'openai_chat',
  'deepseek/chat': 'openai_chat',
  'openrouter/chat': 'openai_chat',
};

/** When the package's prices are asked for: its newest ones hold then. */
const AT = parseInstant('2026-11-22T00:00:00Z');

/** Why a response does not cost what the reference says, told apart by what can be computed. */
type Reason =
  /** The book has no name of the model, in any spelling, that the package knows by a pattern. */
  | 'no row'
  /** Audio was counted and the package has no price of it; the reference counts it as text. */
  | 'no price'
  /** The package, asked directly, says what we say: its rates are not those of the reference. */
  | 'other rates'
  /** The package has two prices by the hour of the day; a book keeps one, and says so in its notes. */
  | 'hour';

/** Provider, model, reason, and how many responses. */
const DIFFERING: readonly string[] = [
  'aws openai.gpt-5.6-luna: other rates (2)',
  'azure gpt-4o-audio-preview-2024-12-17: no price (1)',
  'azure gpt-5.6-sol: other rates (16)',
  'cerebras qwen-3-coder-480b: no row (1)',
  'deepseek deepseek-r1-distill-llama-70b: no row (2)',
  'deepseek deepseek-v4-flash: hour (3)',
  'google claude-sonnet-4-5-20250929: other rates (2)',
  'google google/gemini-2.0-flash-exp:free: no row (1)',
  'mistral ministral-8b-latest: other rates (1)',
  'mistral mistral-medium-latest: other rates (24)',
  'openai gpt-4o-audio-preview-2024-12-17: no price (1)',
  'openai gpt-5.6-sol: other rates (10)',
];

test('recorded responses cost what the reference says, but for the listed models', ({ skip }) => {
  skip(!existsSync(recorded), 'the recorded responses are absent');
  const rows: Row[] = JSON.parse(readFileSync(recorded, 'utf8'));
  const priced = rows.flatMap(casesOf);
  const catalog = seededCatalog();
  const differing = priced.flatMap((one) => {
    const ours = costOf(catalog, one);
    return ours === one.expected
      ? []
      : [`${one.provider} ${one.row.model}: ${reasonOf(one, ours)}`];
  });
  const counts = Map.groupBy(differing, (name) => name);
  const table = [...counts].map(([name, all]) => `${name} (${all.length})`).sort();
  expect(table).toEqual(DIFFERING);
  expect({ priced: priced.length, differing: differing.length }).toEqual({
    priced: 2545,
    differing: 64,
  });
});

interface Case {
  readonly row: Row;
  readonly flavor: Interface;
  readonly provider: string;
  readonly expected: bigint;
}

function casesOf(row: Row): readonly Case[] {
  return row.extracted.flatMap(({ extractors }) =>
    extractors.flatMap(({ provider_id, api_flavor, input_price, output_price }) => {
      const flavor =
        FLAVORS[`${provider_id}/${api_flavor}`] ?? (api_flavor === 'chat' ? 'openai_chat' : null);
      const isPriced = input_price !== undefined || output_price !== undefined;
      if (flavor === null || !isPriced) return [];
      return [
        { row, flavor, provider: provider_id, expected: pico(input_price) + pico(output_price) },
      ];
    }),
  );
}

function reasonOf({ row, flavor, provider }: Case, ours: bigint | null): Reason {
  const usage = countsOfResponse(flavor, row.body);
  if (ours === null || usage === null) return usage?.units == null ? 'no row' : 'no price';
  const counts = {
    input_tokens: totalInput(usage),
    cache_read_tokens: usage.cacheRead,
    cache_write_tokens: usage.cacheWrite,
    output_tokens: usage.output,
  };
  const options = { providerId: provider, timestamp: new Date(AT) };
  const theirs = calcPrice(counts, row.model, options)?.total_price ?? 0;
  return pico(String(theirs)) === ours ? 'other rates' : 'hour';
}

function costOf(catalog: PriceCatalog, { row, flavor, provider }: Case): bigint | null {
  const usage = countsOfResponse(flavor, row.body);
  if (usage === null) return null;
  const found = findCost(catalog, 'USD', {
    provider: EVENT_PROVIDERS[provider]?.[0] ?? provider,
    model: row.model,
    serviceTier: 'standard',
    contextTokens: BigInt(totalInput(usage)),
    at: AT,
  });
  if (found === null) return null;
  const tokens = {
    uncachedInput: BigInt(usage.uncachedInput),
    cacheRead: BigInt(usage.cacheRead),
    cacheWrite: BigInt(usage.cacheWrite),
    output: BigInt(usage.output),
    callShare: 0n,
    units: usage.units === null ? null : bigUnits(usage.units),
  };
  return amountOf(tokens, found.rate, 'pass_through');
}

function bigUnits(units: FurtherUnits): UnitAmounts {
  return Object.fromEntries(Object.entries(units).map(([name, count]) => [name, BigInt(count)]));
}

/** The reference's decimals, some of them sums of floats, to the nearest picodollar. */
function pico(price: string | undefined): bigint {
  return BigInt(Math.round(Number(price ?? 0) * 1e12));
}
