import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { canonicalProvider } from '../../../src/events/provider-name.ts';
import { findCost } from '../../../src/rating/books/price-catalog.ts';
import { seededCatalog } from '../../support/seeded-catalog.ts';

const CATALOG = seededCatalog();

/** The input price of a million tokens in dollars that the seeded book has; null where it has none. */
function costOf(provider: string | null, model: string): number | null {
  const found = findCost(CATALOG, 'USD', {
    provider: provider === null ? null : canonicalProvider(provider),
    model,
    serviceTier: 'standard',
    contextTokens: 10n,
    at: parseInstant('2026-11-22T00:00:00Z'),
  });
  return found === null ? null : Number(found.rate.input) / 1_000_000;
}

describe('the cost of a call is found', () => {
  test.each<[provider: string | null, model: string, input: number]>([
    ['OpenAI', 'gpt-4o', 2.5],
    ['azure', 'gpt-4o', 2.5],
    ['azure', 'gpt-35-turbo', 0.5],
    ['az.ai.openai', 'gpt-4.1', 2],
    ['openai', 'openai/gpt-4o', 2.5],
    [null, 'openai/gpt-4o', 2.5],
    ['litellm', 'openai/gpt-4o', 2.5],
    ['openrouter', 'openai/gpt-4o', 2.5],
    ['openai', 'gpt-5-nano-2025-08-07', 0.05],
    ['openai', 'openai.gpt-5.5', 5],
    ['amazon-bedrock', 'us.anthropic.claude-sonnet-4-20250514-v1:0', 3],
    ['bedrock', 'bedrock/eu-central-1/anthropic.claude-3-haiku-20240307-v1:0', 0.25],
    [null, 'bedrock/us.anthropic.claude-3-5-sonnet-20241022-v2:0', 3],
    [
      'aws.bedrock',
      'arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-20250514-v1:0',
      3,
    ],
    ['AWS', 'arn:aws:bedrock:us-west-2::foundation-model/amazon.nova-lite-v1:0', 0.06],
    ['gemini', 'models/gemini-2.5-pro', 1.25],
    ['vertex_ai', 'publishers/google/models/gemini-2.5-flash', 0.3],
    ['gcp.vertex.agent', 'gemini-2.5-flash', 0.3],
    ['vertex_ai', 'claude-sonnet-4@20250514', 3],
    [null, 'anthropic/claude-3-5-sonnet-latest', 3],
    ['anthropic', 'claude-sonnet-4-5-20250929', 3],
    ['anthropic', 'claude-3-haiku-48k-20240307', 0.25],
    ['azure', 'azure/global-standard/gpt-4o', 2.5],
    ['azure', 'computer-use-preview-2025-03-11', 3],
    ['groq', 'meta-llama/Llama-4-Scout-17B-16E-Instruct', 0.11],
  ])('%s %s', (provider, model, input) => {
    expect(costOf(provider, model)).toBe(input);
  });

  test.each<[provider: string | null, model: string, because: string]>([
    ['vllm', 'gpt-4o', 'nobody is paid by the token for a model of our own'],
    ['openai', 'facebook/opt-125m', 'an SDK of OpenAI speaks to a server of our own'],
    ['azure', 'my-deployment', 'only a file of deployments says what it runs'],
    ['google', 'gemini-2.5-flash-preview-99-99', 'a preview has a price of its own'],
    [null, 'a-model-of-nobody', 'nobody offers it'],
  ])('and is unknown of %s %s: %s', (provider, model) => {
    expect(costOf(provider, model)).toBeNull();
  });
});

/** Recorded calls; they lie beside the checkout, where they are. */
const DATA = fileURLToPath(new URL('../../../../shared/data/', import.meta.url));

type Pair = readonly [provider: string, model: string];

/** Of whom no price is published, and why. */
const ANOTHER_SERVER = 'an SDK of OpenAI speaks to a server of our own, which takes no money';
const ANOTHER_SELLER =
  'the provider that is named does not sell it: an SDK of one speaks to another';

/** The pairs of recorded calls without a cost; a map of deployments or the true provider gives them one. */
const UNPRICED_CALLS = {
  'openai meta-llama/Llama-3.2-1B-Instruct': ANOTHER_SERVER,
  'openai intfloat/e5-mistral-7b-instruct': ANOTHER_SERVER,
  'openai facebook/opt-125m': ANOTHER_SERVER,
  'openai mistral-tiny': ANOTHER_SELLER,
  'openai magistral-small-latest': ANOTHER_SELLER,
  'openai mistral-small-latest': ANOTHER_SELLER,
  'openai ministral-8b-latest': ANOTHER_SELLER,
  'openai qwen/qwen3-32b': ANOTHER_SELLER,
  'openai qwen/qwen3-30b-a3b-instruct-2507': ANOTHER_SELLER,
  'openai zai-glm-4.7': ANOTHER_SELLER,
  'openai llama3-8b-8192': ANOTHER_SELLER,
};

/** The same of what the reference prices by the beginning of a name. */
const UNPRICED_REFERENCES = {
  'deepseek deepseek-r1-distill-llama-70b': ANOTHER_SELLER,
  'cerebras qwen-3-coder-480b': 'its row in the list has no price',
  'google google/gemini-2.0-flash-exp:free':
    'it is the free variant of a router, which bills nothing',
};

describe.skipIf(!existsSync(DATA))('of recorded calls', () => {
  const unpriced = (pairs: readonly Pair[]) => {
    const distinct = new Map(pairs.map((pair) => [pair.join(' '), pair]));
    const missing = [...distinct].filter(([, pair]) => costOf(...pair) === null);
    return { of: distinct.size, missing: missing.map(([name]) => name).sort() };
  };

  test('a cost is found for all but models of servers of our own and of a wrong provider', () => {
    const lines = readFileSync(`${DATA}real-llm-calls-usage.jsonl`, 'utf8').trim().split('\n');
    const calls = lines.map((line) => JSON.parse(line));
    const pairs = calls.flatMap(({ provider, response_model, request_model }): Pair[] => {
      const model = response_model ?? request_model;
      return typeof model === 'string' ? [[provider, model]] : [];
    });
    expect(unpriced(pairs)).toEqual({ of: 46, missing: Object.keys(UNPRICED_CALLS).sort() });
  });

  test('a cost is found for nearly every provider and model that the reference has a price of', () => {
    const rows: RecordedRow[] = JSON.parse(readFileSync(`${DATA}genai-prices-usages.json`, 'utf8'));
    const pairs = rows.flatMap(({ model, extracted }) =>
      extracted.flatMap(({ extractors }) =>
        extractors.flatMap((one): Pair[] =>
          model !== undefined && 'input_price' in one ? [[one.provider_id, model]] : [],
        ),
      ),
    );
    expect(unpriced(pairs)).toEqual({ of: 177, missing: Object.keys(UNPRICED_REFERENCES).sort() });
  });
});

interface RecordedRow {
  readonly model?: string;
  readonly extracted: readonly {
    readonly extractors: readonly { readonly provider_id: string }[];
  }[];
}
