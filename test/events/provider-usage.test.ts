import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { totalInput } from '../../src/events/event.ts';
import { normalizeProviderUsage, type UsageFlavor } from '../../src/events/provider-usage.ts';

const recorded = new URL('../../../shared/data/genai-prices-usages.json', import.meta.url);

/** Of the extractors that the data set names for a body, those of the flavors that we read. */
const FLAVORS: Readonly<Record<string, UsageFlavor>> = {
  'openai/chat': 'openai_chat',
  'openai/responses': 'openai_responses',
  'openai/embeddings': 'openai_embeddings',
  'anthropic/default': 'anthropic',
  'google/default': 'gemini',
  'aws/default': 'bedrock_converse',
  'cohere/default': 'cohere',
  'cohere/embeddings': 'cohere',
};

/** The rows where we differ on purpose, with what the data set expects, what we say, and why. */
const DIFFERING = [
  {
    usage: { completion_tokens: 6, prompt_tokens: 66, total_tokens: 100 },
    flavor: 'openai_chat',
    expected: { input: 66, output: 6, reasoning: 0 },
    // 100 - 66 - 6 = 28; 6 + 28 = 34.
    ours: { input: 66, output: 34, reasoning: 28 },
    reason: 'Gemini behind an OpenAI interface: 28 tokens are only in the total, and are thoughts',
  },
];

interface Row {
  readonly body: { readonly usage?: object };
  readonly extracted: readonly {
    readonly extractors: readonly { readonly provider_id: string; readonly api_flavor: string }[];
    readonly usage: Readonly<Record<string, number>>;
  }[];
}

interface Case {
  readonly row: number;
  readonly flavor: UsageFlavor;
  readonly body: Row['body'];
  readonly expected: object;
}

function casesOf({ body, extracted }: Row, row: number): Case[] {
  return extracted.flatMap(({ extractors, usage }) =>
    extractors.flatMap(({ provider_id, api_flavor }) => {
      const flavor = FLAVORS[`${provider_id}/${api_flavor}`];
      if (flavor === undefined) return [];
      const expected = {
        input: usage['input_tokens'] ?? 0,
        output: usage['output_tokens'] ?? 0,
        cacheRead: usage['cache_read_tokens'] ?? 0,
        cacheWrite: usage['cache_write_tokens'] ?? 0,
        reasoning: usage['output_reasoning_tokens'] ?? 0,
      };
      return [{ row, flavor, body, expected }];
    }),
  );
}

function oursOf(flavor: UsageFlavor, body: unknown): object | null {
  const buckets = normalizeProviderUsage(flavor, body);
  if (buckets === null) return null;
  const { uncachedInput: _, units: __, ...rest } = buckets;
  return { input: totalInput(buckets), ...rest };
}

test('the recorded responses of providers give the expected token counts, but for the listed rows', () => {
  if (!existsSync(recorded))
    return console.log('skipped: the recorded provider responses are absent');
  const rows: Row[] = JSON.parse(readFileSync(recorded, 'utf8'));
  const cases = rows.flatMap(casesOf);
  const differing = cases.filter(
    ({ flavor, body, expected }) =>
      JSON.stringify(sorted(oursOf(flavor, body))) !== JSON.stringify(sorted(expected)),
  );
  expect(rows).toHaveLength(1177);
  expect(new Set(cases.map(({ row }) => row)).size).toBe(1177);
  expect(
    differing.map(({ flavor, body, expected }) => ({
      flavor,
      usage: body.usage,
      expected,
      ours: oursOf(flavor, body),
    })),
  ).toEqual(
    DIFFERING.map(({ flavor, usage, expected, ours }) => ({
      flavor,
      usage,
      expected: { ...expected, cacheRead: 0, cacheWrite: 0 },
      ours: { ...ours, cacheRead: 0, cacheWrite: 0 },
    })),
  );
});

function sorted(counts: object | null) {
  return Object.entries(counts ?? {}).sort(([one], [other]) => (one < other ? -1 : 1));
}

describe('the rules of each provider', () => {
  test.each<[string, UsageFlavor, object, readonly number[]]>([
    [
      'OpenAI counts cache within the prompt: 100 - 60 - 10 = 30',
      'openai_chat',
      {
        usage: {
          prompt_tokens: 100,
          completion_tokens: 20,
          prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 10 },
          completion_tokens_details: { reasoning_tokens: 8 },
        },
      },
      [30, 60, 10, 20, 8],
    ],
    [
      'and so do its responses: 4020 - 4012 = 8',
      'openai_responses',
      {
        usage: {
          input_tokens: 4020,
          output_tokens: 5,
          input_tokens_details: { cache_write_tokens: 4012 },
        },
      },
      [8, 0, 4012, 5, 0],
    ],
    [
      'embeddings have no output',
      'openai_embeddings',
      { usage: { prompt_tokens: 7 } },
      [7, 0, 0, 0, 0],
    ],
    [
      'Anthropic counts cache beside the input',
      'anthropic',
      {
        usage: {
          input_tokens: 4,
          output_tokens: 202,
          cache_read_input_tokens: 1167,
          cache_creation_input_tokens: 30,
          output_tokens_details: { thinking_tokens: 50 },
        },
      },
      [4, 1167, 30, 202, 50],
    ],
    [
      'Gemini counts thoughts beside the output and tool prompts beside the input: 100 - 60 + 5, 20 + 9',
      'gemini',
      {
        usageMetadata: {
          promptTokenCount: 100,
          cachedContentTokenCount: 60,
          toolUsePromptTokenCount: 5,
          candidatesTokenCount: 20,
          thoughtsTokenCount: 9,
        },
      },
      [45, 60, 0, 29, 9],
    ],
    [
      'Bedrock counts cache beside the input, under two names',
      'bedrock_converse',
      {
        usage: {
          inputTokens: 4,
          outputTokens: 2,
          cacheReadInputTokens: 9,
          cacheWriteInputTokenCount: 3,
        },
      },
      [4, 9, 3, 2, 0],
    ],
    [
      'Cohere bills its billed units',
      'cohere',
      { meta: { billed_units: { input_tokens: 3 }, tokens: { input_tokens: 70 } } },
      [3, 0, 0, 0, 0],
    ],
    [
      'a cache larger than the prompt stands beside it',
      'openai_chat',
      {
        usage: {
          prompt_tokens: 4,
          completion_tokens: 2,
          prompt_tokens_details: { cached_tokens: 9 },
        },
      },
      [4, 9, 0, 2, 0],
    ],
  ])('%s', (_rule, flavor, body, [uncachedInput, cacheRead, cacheWrite, output, reasoning]) => {
    expect(normalizeProviderUsage(flavor, body)).toEqual({
      uncachedInput,
      cacheRead,
      cacheWrite,
      output,
      reasoning,
      units: null,
    });
  });

  test.each<[string, unknown]>([
    ['no usage', {}],
    ['an empty usage', { usage: {} }],
    ['a negative count', { usage: { prompt_tokens: -1 } }],
    ['a count in text', { usage: { prompt_tokens: '7' } }],
    ['half a token', { usage: { prompt_tokens: 7, completion_tokens: 0.5 } }],
    ['no body', null],
  ])('a body with %s has no usage, rather than one of zero', (_what, body) => {
    expect(normalizeProviderUsage('openai_chat', body)).toBeNull();
  });

  test('any body gives whole counts or none', () => {
    const flavors = fc.constantFrom(...Object.values(FLAVORS));
    fc.assert(
      fc.property(flavors, fc.jsonValue(), (flavor, usage) => {
        const buckets = normalizeProviderUsage(flavor, { usage, usageMetadata: usage });
        const { units = null, ...counts } = buckets ?? {};
        for (const count of Object.values(counts)) expect(count).toBeGreaterThanOrEqual(0);
        expect(units).toBeNull();
      }),
    );
  });
});
