import { describe, expect, test } from 'vitest';
import { only, read, said, span, type Values } from '../../support/said-event.ts';

/** What producers divide further than their totals, each in a place of its own. */

const CLAUDE = 'claude-sonnet-4-5';
const WRITTEN = {
  anthropic: {
    usage: {
      ...{ input_tokens: 1000, cache_read_input_tokens: 1000, cache_creation_input_tokens: 3000 },
      cache_creation: { ephemeral_5m_input_tokens: 1000, ephemeral_1h_input_tokens: 2000 },
      server_tool_use: { web_search_requests: 2 },
    },
  },
};
const DRAWN = {
  google: {
    usageMetadata: {
      ...{ promptTokenCount: 10, candidatesTokenCount: 1300, totalTokenCount: 1310 },
      candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 1290 }],
    },
    groundingMetadata: { webSearchQueries: ['a', 'b'] },
  },
};

describe('the AI SDK leaves to the metadata of the provider', () => {
  test.each<[string, string, Values, object]>([
    [
      'what was written for an hour, and searches, from version 6 on',
      'ai',
      {
        'ai.operationId': 'ai.generateText.doGenerate',
        'ai.model.provider': 'anthropic.messages',
        'ai.model.id': CLAUDE,
        'ai.usage.inputTokens': 5000,
        'ai.usage.inputTokenDetails.noCacheTokens': 1000,
        'ai.usage.inputTokenDetails.cacheReadTokens': 1000,
        'ai.usage.inputTokenDetails.cacheWriteTokens': 3000,
        'ai.usage.outputTokens': 100,
        'ai.response.providerMetadata': JSON.stringify(WRITTEN),
      },
      {
        ...{ uncachedInput: 1000, cacheRead: 1000, cacheWrite: 1000, output: 100 },
        ...{ cache_write_1h_tokens: 2000, searches: 2 },
      },
    ],
    [
      'all that was written where version 7 does not say it',
      'gen_ai',
      {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'anthropic',
        'gen_ai.request.model': CLAUDE,
        'gen_ai.usage.input_tokens': 5000,
        'gen_ai.usage.cache_read.input_tokens': 1000,
        'gen_ai.usage.output_tokens': 100,
        'ai.response.providerMetadata': JSON.stringify(WRITTEN),
      },
      {
        ...{ uncachedInput: 1000, cacheRead: 1000, cacheWrite: 1000, output: 100 },
        ...{ cache_write_1h_tokens: 2000, searches: 2 },
      },
    ],
    [
      'the images that Gemini gave out, and what it searched for',
      'ai',
      {
        'ai.operationId': 'ai.generateText.doGenerate',
        'ai.model.provider': 'google.generative-ai',
        'ai.model.id': 'gemini-3-pro-image',
        'ai.usage.inputTokens': 10,
        'ai.usage.inputTokenDetails.noCacheTokens': 10,
        'ai.usage.outputTokens': 1300,
        'ai.response.providerMetadata': JSON.stringify(DRAWN),
      },
      { uncachedInput: 10, output: 10, output_image_tokens: 1290, searches: 2 },
    ],
    [
      'the cache that version 5 counts apart, in a tracer of any name',
      'our-tracer',
      {
        'ai.operationId': 'ai.generateText.doGenerate',
        'ai.model.provider': 'anthropic.messages',
        'ai.model.id': CLAUDE,
        'ai.usage.inputTokens': 1000,
        'ai.usage.outputTokens': 100,
        'ai.response.providerMetadata': JSON.stringify(WRITTEN),
      },
      {
        ...{ uncachedInput: 1000, cacheRead: 1000, cacheWrite: 1000, output: 100 },
        ...{ cache_write_1h_tokens: 2000, searches: 2 },
      },
    ],
  ])('%s', (_, scope, values, counts) => {
    const event = only(span(scope, values));
    expect(event['counts']).toEqual(counts);
    expect(event['source']).toBeUndefined();
  });

  test('and nothing where the span counts nothing itself', () => {
    const metadata = JSON.stringify(DRAWN);
    const values = { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'gemini-3-pro' };
    const event = only(span('gen_ai', { ...values, 'ai.response.providerMetadata': metadata }));
    expect(event['counts']).toEqual({});
  });
});

describe('a provider’s own usage, with an attribute for each count of it', () => {
  const chat = { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'gpt-4o-audio-preview' };
  const totals = { 'gen_ai.usage.input_tokens': 1000, 'gen_ai.usage.output_tokens': 500 };

  test.each<[string, Values, object]>([
    [
      'kinds of token',
      {
        ...{ ...chat, ...totals },
        'gen_ai.usage.prompt_tokens_details.audio_tokens': 800,
        'gen_ai.usage.completion_tokens_details.audio_tokens': 400,
      },
      {
        ...{ uncachedInput: 200, input_audio_tokens: 800 },
        ...{ output: 100, output_audio_tokens: 400 },
      },
    ],
    [
      'characters beside tokens only describe them',
      { ...chat, ...totals, 'gen_ai.usage.characters': 900 },
      { uncachedInput: 1000, output: 500 },
    ],
    [
      'the units of a search',
      {
        'gen_ai.operation.name': 'rerank',
        'gen_ai.request.model': 'rerank-v3.5',
        'gen_ai.usage.search_units': 3,
      },
      { search_units: 3 },
    ],
    [
      'the details of Pydantic AI about Gemini',
      {
        ...{ ...chat, 'gen_ai.provider.name': 'google-gla' },
        'gen_ai.usage.input_tokens': 1000,
        'gen_ai.usage.output_tokens': 1300,
        'gen_ai.usage.details.audio_prompt_tokens': 900,
        'gen_ai.usage.details.cached_content_tokens': 200,
        'gen_ai.usage.details.audio_cache_tokens': 150,
        'gen_ai.usage.details.image_candidates_tokens': 1290,
      },
      {
        ...{ uncachedInput: 50, cacheRead: 50, output: 10, output_image_tokens: 1290 },
        ...{ input_audio_tokens: 750, cache_read_audio_tokens: 150 },
      },
    ],
  ])('%s', (_, values, counts) => {
    expect(only(span('pydantic-ai', values))['counts']).toEqual(counts);
  });
});

describe('LangChain names what it divides after the tier', () => {
  const asked = { 'langsmith.span.kind': 'llm', 'gen_ai.request.model': 'gpt-5' };
  const input = { audio: 0, flex_cache_read: 100, flex: 400 };
  const output = { flex_reasoning: 64, flex: 36 };

  test.each<[string, Values]>([
    [
      'details beside the sums',
      {
        ...{ ...asked, 'gen_ai.usage.input_tokens': 500, 'gen_ai.usage.output_tokens': 100 },
        'gen_ai.usage.input_token_details': JSON.stringify(input),
        'gen_ai.usage.output_token_details': JSON.stringify(output),
      },
    ],
    [
      'one object',
      {
        ...asked,
        'langsmith.usage_metadata': JSON.stringify({
          ...{ input_tokens: 500, output_tokens: 100, total_tokens: 600 },
          ...{ input_token_details: input, output_token_details: output },
        }),
      },
    ],
    [
      'the buckets of Langfuse',
      {
        'langfuse.observation.type': 'generation',
        'langfuse.observation.model.name': 'gpt-5',
        'langfuse.observation.usage_details': JSON.stringify({
          ...{ input: 0, input_flex_cache_read: 100, input_flex: 400 },
          ...{ output: 0, output_flex_reasoning: 64, output_flex: 36, total: 600 },
        }),
      },
    ],
  ])('%s', (_, values) => {
    expect(only(span('langsmith', values))).toMatchObject({
      counts: { uncachedInput: 400, cacheRead: 100, output: 100, reasoning: 64 },
      tier: 'flex',
    });
  });
});

test('Langfuse counts beside both sides what is of none of them', () => {
  const counted = (details: object) => {
    const [item] = read(
      span('langfuse-sdk', {
        'langfuse.observation.type': 'generation',
        'langfuse.observation.model.name': CLAUDE,
        'langfuse.observation.usage_details': JSON.stringify(details),
      }),
    );
    return item?.kind === 'event' ? said(item.event) : item;
  };
  const sides = { input: 100, output: 50 };
  expect(counted({ ...sides, web_search_requests: 3 })).toMatchObject({
    counts: { uncachedInput: 100, output: 50, searches: 3 },
  });
  expect(counted({ images: 3 })).toMatchObject({ counts: { images: 3 } });
  expect(counted({ ...sides, tool_use_prompt_tokens: 30 })).toMatchObject({ source: 'assumed' });
  expect(counted({ ...sides, tool_use_prompt_tokens: 30, total: 150 })).not.toHaveProperty(
    'source',
  );
});

describe('what tells less than it might keeps what it tells', () => {
  const counted = (scope: string, values: Values) => only(span(scope, values))['counts'];

  test('the rest of a total that stands alone is on no side that its parts decide', () => {
    const values = {
      'gen_ai.operation.name': 'embeddings',
      'gen_ai.request.model': 'voyage-multimodal-3',
      'gen_ai.usage.total_tokens': 150,
      'gen_ai.usage.prompt_tokens_details.image_tokens': 50,
    };
    expect(counted('our-tracer', values)).toEqual({ uncachedInput: 150 });
  });

  test('Claude Code has totals by the names of the convention beside a cache by its own', () => {
    const values = {
      'span.type': 'llm_request',
      model: CLAUDE,
      'gen_ai.usage.input_tokens': 10,
      'gen_ai.usage.output_tokens': 5,
      cache_read_tokens: 100,
    };
    expect(counted('com.anthropic.claude_code', values)).toEqual({
      ...{ uncachedInput: 10, cacheRead: 100, output: 5 },
    });
  });

  test.each(['ai', 'langfuse-sdk'])(
    'a span of the AI SDK in “%s” counts in Langfuse’s object alone',
    (scope) => {
      const values = {
        'ai.operationId': 'ai.generateText.doGenerate',
        'ai.model.provider': 'openai.chat',
        'ai.model.id': 'gpt-5',
        'langfuse.observation.usage_details': JSON.stringify({ input: 10, output: 5 }),
      };
      expect(counted(scope, values)).toEqual({ uncachedInput: 10, output: 5 });
    },
  );
});
