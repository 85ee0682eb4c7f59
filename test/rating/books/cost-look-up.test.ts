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

describe.skipIf(!existsSync(DATA))('of recorded calls', () => {
  const found = (pairs: readonly Pair[]) => {
    const distinct = [...new Map(pairs.map((pair) => [pair.join(' '), pair])).values()];
    return `${distinct.filter((pair) => costOf(...pair) !== null).length} of ${distinct.length}`;
  };

  test('a cost is found for all but models of servers of our own and of a wrong provider', () => {
    const lines = readFileSync(`${DATA}real-llm-calls-usage.jsonl`, 'utf8').trim().split('\n');
    const calls = lines.map((line) => JSON.parse(line));
    const pairs = calls.flatMap(({ provider, response_model, request_model }): Pair[] => {
      const model = response_model ?? request_model;
      return typeof model === 'string' ? [[provider, model]] : [];
    });
    expect(found(pairs)).toBe('34 of 46');
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
    expect(found(pairs)).toBe('171 of 177');
  });
});

interface RecordedRow {
  readonly model?: string;
  readonly extracted: readonly {
    readonly extractors: readonly { readonly provider_id: string }[];
  }[];
}
