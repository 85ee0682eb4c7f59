import { describe, expect, test } from 'vitest';
import { readProviderUsage } from '../../src/events/provider-usage.ts';
import { readBody } from '../../src/events/read-body.ts';

const context = { receivedAt: 1_792_065_700_000, litellmKey: null, attributes: {} };

test('what the AI SDK from version 6 on counts holds what was cached and written', () => {
  const usage = {
    inputTokens: 100,
    inputTokenDetails: { noCacheTokens: 30, cacheReadTokens: 60, cacheWriteTokens: 10 },
    outputTokens: 20,
    outputTokenDetails: { textTokens: 15, reasoningTokens: 5 },
    totalTokens: 120,
  };
  for (const provider of ['openai', 'anthropic']) {
    expect(readProviderUsage({ usage, provider })).toMatchObject({
      assumed: false,
      usage: {
        input_tokens: 100,
        cache_read_tokens: 60,
        cache_write_tokens: 10,
        output_tokens: 20,
        reasoning_tokens: 5,
      },
    });
  }
});

test('what the AI SDK does not divide, the usage of the provider in it does', () => {
  const usage = {
    ...{ inputTokens: 5000, outputTokens: 1300, totalTokens: 6300 },
    inputTokenDetails: { noCacheTokens: 1000, cacheReadTokens: 1000, cacheWriteTokens: 3000 },
    raw: {
      ...{ input_tokens: 1000, output_tokens: 1300 },
      ...{ cache_read_input_tokens: 1000, cache_creation_input_tokens: 3000 },
      cache_creation: { ephemeral_5m_input_tokens: 1000, ephemeral_1h_input_tokens: 2000 },
      server_tool_use: { web_search_requests: 2 },
    },
  };
  expect(readProviderUsage({ usage, provider: 'anthropic' })).toEqual({
    assumed: false,
    unexplained: 0,
    usage: {
      ...{ input_tokens: 5000, cache_read_tokens: 1000, cache_write_tokens: 3000 },
      ...{ cache_write_1h_tokens: 2000, output_tokens: 1300, searches: 2 },
    },
  });
  const drawn = {
    ...{ inputTokens: 10, outputTokens: 1300, inputTokenDetails: { noCacheTokens: 10 } },
    raw: {
      ...{ promptTokenCount: 10, candidatesTokenCount: 1300 },
      candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 1290 }],
    },
  };
  expect(readProviderUsage({ usage: drawn, provider: 'google' }).usage).toEqual({
    ...{ input_tokens: 10, output_tokens: 1300, output_image_tokens: 1290 },
  });
});

test('what LangChain divides is within its sums, whoever the provider is, and names the tier', () => {
  const usage = {
    ...{ input_tokens: 500, output_tokens: 100, total_tokens: 600 },
    input_token_details: { audio: 20, cache_creation: 0, priority_cache_read: 100, priority: 380 },
    output_token_details: { priority_reasoning: 64, priority: 36 },
  };
  for (const provider of ['openai', 'anthropic']) {
    expect(readProviderUsage({ usage, provider }).usage).toEqual({
      ...{ input_tokens: 500, cache_read_tokens: 100, cache_write_tokens: 0 },
      ...{ input_audio_tokens: 20, output_tokens: 100, reasoning_tokens: 64 },
    });
  }
  const event = {
    ...{ event_id: 'e', occurred_at: '2026-10-15T12:00:00Z', status: 'ok' },
    ...{ requested_model: 'gpt-5', provider_usage: usage },
  };
  expect(readBody(JSON.stringify(event), context)).toMatchObject([
    { event: { serviceTier: 'priority' } },
  ]);
});

test('what the AI SDK of version 5 counts is what the provider calls its input', () => {
  const usage = { inputTokens: 100, cachedInputTokens: 60, outputTokens: 20, totalTokens: 120 };
  const inputOf = (provider: string) =>
    readProviderUsage({ usage: { ...usage, reasoningTokens: 5 }, provider }).usage?.[
      'input_tokens'
    ];
  expect(inputOf('openai')).toBe(100);
  expect(inputOf('anthropic.messages')).toBe(160);
});

describe('the thoughts that version 5 of the AI SDK hands on', () => {
  const within = { inputTokens: 32, outputTokens: 275, reasoningTokens: 151 };
  const read = (usage: object, provider: string | undefined, model: string) =>
    readProviderUsage({ usage, provider, model });

  test.each([
    ['openrouter', 'google/gemini-2.5-pro'],
    ['openrouter', 'x-ai/grok-4'],
    ['gateway', 'google/gemini-2.5-pro'],
    ['xai.responses', 'grok-4'],
    ['openai', 'grok-4'],
    ['google.generative-ai', 'gemini-2.5-pro'],
    [undefined, 'gemini-2.5-pro'],
  ])('are within the output of %s for %s, where the total says so', (provider, model) => {
    const expected = { input_tokens: 32, output_tokens: 275, reasoning_tokens: 151 };
    expect(read({ ...within, totalTokens: 307 }, provider, model)).toMatchObject({
      ...{ assumed: false, unexplained: 0, usage: expected },
    });
  });

  test.each([
    ['google.generative-ai', 'gemini-2.5-pro', 458, 32],
    ['xai.chat', 'grok-4', 458, 32],
    ['openrouter', 'google/gemini-2.5-pro', 458, 32],
    // The rest of Gemini's total is the prompts of its own tools.
    ['google.generative-ai', 'gemini-2.5-pro', 500, 74],
  ])(
    'are beside the output of %s for %s, where the total is %i',
    (provider, model, total, input) => {
      expect(read({ ...within, totalTokens: total }, provider, model)).toMatchObject({
        ...{ assumed: false, usage: { input_tokens: input, output_tokens: 426 } },
      });
    },
  );

  test.each([
    ['google.generative-ai', 'gemini-2.5-pro', 426],
    ['xai.chat', 'grok-4', 426],
    ['xai.responses', 'grok-4', 275],
    ['openrouter', 'google/gemini-2.5-pro', 275],
    [undefined, 'gemini-2.5-pro', 275],
  ])('are where %s itself has them for %s, without a total', (provider, model, output) => {
    expect(read(within, provider, model).usage).toMatchObject({ output_tokens: output });
  });
});

describe('a total without a count of either side', () => {
  test.each([
    ['Voyage', { text_tokens: 5, image_pixels: 2_000_000, total_tokens: 3576 }],
    ['Jina', { image_tokens: 3576, total_tokens: 3576 }],
    ['sound and video', { audio_tokens: 76, video_tokens: 3500, total_tokens: 3576 }],
  ])('is input beside the kinds of it that %s counts, and in doubt', (_, usage) => {
    expect(readProviderUsage({ usage })).toEqual({
      ...{ usage: { input_tokens: 3576, output_tokens: 0 }, assumed: true, unexplained: 0 },
    });
  });

  test.each(['output_text_tokens', 'thinking_tokens', 'written_tokens'])(
    'is no usage beside %s',
    (name) => {
      const usage = { text_tokens: 5, [name]: 3571, total_tokens: 3576 };
      expect(readProviderUsage({ usage }).usage).toBeUndefined();
    },
  );
});

test('what Perplexity found and read for an answer is paid for as input', () => {
  const usage = {
    prompt_tokens: 10,
    completion_tokens: 200,
    total_tokens: 210,
    citation_tokens: 1_000,
    num_search_queries: 2,
  };
  expect(readProviderUsage({ usage, provider: 'perplexity' })).toMatchObject({
    assumed: false,
    usage: { input_tokens: 1_010, output_tokens: 200, searches: 2 },
  });
});

test.each([
  ['mistral-small-latest', {}, 'mistral_ai'],
  ['llama-3.1-8b-instant', { queue_time: 0.1 }, 'groq'],
  ['deepseek-ai/DeepSeek-V3', {}, null],
  ['gpt-4o-mini', {}, 'openai'],
])(
  'a result of a batch of %s in the form of OpenAI is of whoever answered',
  (model, timed, provider) => {
    const usage = { prompt_tokens: 5, completion_tokens: 6, total_tokens: 11, ...timed };
    const body = { id: 'cmpl-1', object: 'chat.completion', created: 1_792_065_600, model, usage };
    const line = { id: 'b-1', custom_id: 'c', response: { status_code: 200, body }, error: null };
    expect(readBody(JSON.stringify(line), context)).toMatchObject([
      { kind: 'event', event: { provider, serviceTier: 'batch', usage: { output: 6 } } },
    ]);
  },
);

test('a batch of events of somebody else is not taken for one of LangWatch', () => {
  const batch = [{ type: 'generation-create', body: { model: 'gpt-4o', usage: { input: 5 } } }];
  expect(readBody(JSON.stringify({ batch }), context)).toMatchObject([
    { kind: 'refused', reason: 'unknown_format' },
  ]);
});

test('a batch that LiteLLM retrieves ran on the models that it names, whatever group asked for it', () => {
  const payload = {
    id: 'batch_1',
    call_type: 'aretrieve_batch',
    status: 'success',
    custom_llm_provider: 'azure',
    model: '',
    model_group: 'nightly',
    prompt_tokens: 100,
    completion_tokens: 50,
    total_tokens: 150,
    endTime: 1_792_065_600.3,
    hidden_params: { batch_models: ['gpt-4o-mini', 'gpt-4o-mini'] },
  };
  expect(readBody(JSON.stringify(payload), context)).toMatchObject([
    { event: { requestedModel: 'nightly', executedModel: 'gpt-4o-mini', serviceTier: 'batch' } },
  ]);
});

test('Pipecat counts what is spoken in characters', () => {
  const attributes = {
    'gen_ai.operation.name': 'tts',
    'gen_ai.system': 'cartesia',
    'gen_ai.request.model': 'sonic-2',
    'metrics.character_count': 88,
  };
  const span = {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'a000000000000000',
    name: 'tts',
    endTimeUnixNano: '1792065600000000000',
    attributes,
  };
  const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
  expect(readBody(body, context)).toMatchObject([
    { event: { operation: 'speech', usage: { units: { characters: 88 } } } },
  ]);
});

describe('a usage object of another interface', () => {
  test('version 4 of the AI SDK has names of its own', () => {
    const usage = { promptTokens: 100, completionTokens: 10, totalTokens: 110 };
    expect(readProviderUsage({ usage, provider: 'openai' })).toEqual({
      ...{ usage: { input_tokens: 100, output_tokens: 10 }, assumed: false, unexplained: 0 },
    });
    // It hands on what Anthropic calls its input, and nothing of the cache.
    expect(readProviderUsage({ usage, provider: 'anthropic' })).toMatchObject({ assumed: true });
  });

  test.each([
    ['mistral', 'mistral-large'],
    ['openrouter', 'anthropic/claude-sonnet-4.5'],
  ])('the package of %s divides its names as a chat does', (provider, model) => {
    const usage = {
      ...{ promptTokens: 100, completionTokens: 10, totalTokens: 110 },
      promptTokensDetails: { cachedTokens: 80 },
      completionTokensDetails: { reasoningTokens: 4 },
    };
    expect(readProviderUsage({ usage, provider, model })).toMatchObject({
      assumed: false,
      usage: {
        ...{ input_tokens: 100, cache_read_tokens: 80 },
        ...{ output_tokens: 10, reasoning_tokens: 4 },
      },
    });
  });

  test.each([
    { promptTokens: 100, completionTokens: 10 },
    { totalInputTokens: 600, totalOutputTokens: 10 },
  ])('%o beside the counts of a provider take nothing of them away', (others) => {
    const counts = { input_tokens: 100, output_tokens: 10, cache_read_input_tokens: 500 };
    const { usage } = readProviderUsage({ usage: { ...counts, ...others }, provider: 'anthropic' });
    expect(usage).toEqual({ input_tokens: 600, output_tokens: 10, cache_read_tokens: 500 });
  });

  test('a session of Nova Sonic says what of it was spoken', () => {
    const sides = (speechTokens: number, textTokens: number) => ({ speechTokens, textTokens });
    const usage = {
      ...{ totalInputTokens: 1000, totalOutputTokens: 500, totalTokens: 1500 },
      details: {
        total: { input: sides(900, 100), output: sides(400, 100) },
        delta: { input: sides(9, 1), output: sides(4, 1) },
      },
    };
    expect(readProviderUsage({ usage, provider: 'aws.bedrock' })).toMatchObject({
      assumed: false,
      usage: {
        ...{ input_tokens: 1000, input_audio_tokens: 900 },
        ...{ output_tokens: 500, output_audio_tokens: 400 },
      },
    });
  });
});
