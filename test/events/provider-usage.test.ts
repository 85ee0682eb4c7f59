import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { totalInput } from '../../src/events/event.ts';
import { countsOfResponse, type Interface, textOfResponse } from '../support/provider-counts.ts';

const recorded = new URL('../../../shared/data/genai-prices-usages.json', import.meta.url);

/** Of the extractors that the data set names for a body, those of the flavors that we read. */
const FLAVORS: Readonly<Record<string, Interface>> = {
  'openai/chat': 'openai_chat',
  'openai/responses': 'openai_responses',
  'openai/embeddings': 'openai_embeddings',
  'anthropic/default': 'anthropic',
  'google/default': 'gemini',
  'aws/default': 'bedrock_converse',
  'cohere/default': 'cohere',
  'cohere/embeddings': 'cohere',
};

interface Row {
  readonly body: { readonly usage?: object };
  readonly extracted: readonly {
    readonly extractors: readonly { readonly provider_id: string; readonly api_flavor: string }[];
    readonly usage: Readonly<Record<string, number>>;
  }[];
}

interface Case {
  readonly row: number;
  readonly flavor: Interface;
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

/** What the recorded prices were made of: totals, with sound and pictures among them. */
function oursOf(flavor: Interface, body: unknown): object | null {
  const counts = textOfResponse(flavor, body);
  if (counts === null) return null;
  const { uncachedInput: _, units: __, ...rest } = counts;
  return { input: totalInput(counts), ...rest };
}

/**
 * The data set lists for a body every extractor that finds something in it, also those of other forms than
 * the body has. Ours goes by the form, and must be what one of them says.
 */
test('the recorded responses of providers give the expected token counts', ({ skip }) => {
  skip(!existsSync(recorded), 'the recorded provider responses are absent');
  const rows: Row[] = JSON.parse(readFileSync(recorded, 'utf8'));
  const differing = rows
    .map(casesOf)
    .filter(
      (cases) =>
        !cases.some(
          ({ flavor, body, expected }) =>
            JSON.stringify(sorted(oursOf(flavor, body))) === JSON.stringify(sorted(expected)),
        ),
    );
  expect(rows).toHaveLength(1177);
  expect(
    differing.map(([first]) => ({
      usage: first?.body,
      expected: first?.expected,
      ours: first && oursOf(first.flavor, first.body),
    })),
  ).toEqual([]);
});

function sorted(counts: object | null) {
  return Object.entries(counts ?? {}).sort(([one], [other]) => (one < other ? -1 : 1));
}

describe('the rules of each provider', () => {
  test.each<[string, Interface, object, readonly number[]]>([
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
    expect(countsOfResponse(flavor, body)).toEqual({
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
    ['a count in words', { usage: { prompt_tokens: 'seven' } }],
    ['half a token', { usage: { prompt_tokens: 7, completion_tokens: 0.5 } }],
    ['no body', null],
  ])('a body with %s has no usage, rather than one of zero', (_what, body) => {
    expect(countsOfResponse('openai_chat', body)).toBeNull();
  });

  test('any body gives whole counts or none', () => {
    const flavors = fc.constantFrom(...Object.values(FLAVORS));
    fc.assert(
      fc.property(flavors, fc.jsonValue(), (flavor, usage) => {
        const buckets = countsOfResponse(flavor, { usage, usageMetadata: usage });
        const { units = null, ...counts } = buckets ?? {};
        for (const count of Object.values(counts)) expect(count).toBeGreaterThanOrEqual(0);
        expect(units).toBeNull();
      }),
    );
  });
});
