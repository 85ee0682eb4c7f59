import { describe, expect, test } from 'vitest';
import { only, read } from '../../support/said-event.ts';

/** How versions of one producer differ from one another: each row is a body, and what it means. */

const LITELLM = {
  id: 'chatcmpl-1',
  call_type: 'acompletion',
  status: 'success',
  custom_llm_provider: 'openai',
  model: 'gpt-4o',
  prompt_tokens: 0,
  completion_tokens: 0,
  total_tokens: 0,
  startTime: 1_792_065_598,
  endTime: 1_792_065_600,
  metadata: { user_api_key_team_id: 'acme' },
  hidden_params: {},
};

describe('LiteLLM', () => {
  test.each<[string, object, object]>([
    [
      'a pass-through to Gemini has its usage under another name',
      {
        call_type: 'allm_passthrough_route',
        custom_llm_provider: 'gemini',
        response: {
          usageMetadata: {
            promptTokenCount: 100,
            candidatesTokenCount: 20,
            thoughtsTokenCount: 50,
            totalTokenCount: 170,
          },
        },
      },
      { counts: { uncachedInput: 100, output: 70, reasoning: 50 } },
    ],
    [
      'a reranker that is paid by tokens',
      {
        call_type: 'arerank',
        custom_llm_provider: 'jina_ai',
        response: { meta: { billed_units: { total_tokens: 120 } } },
      },
      { operation: 'rerank', counts: { uncachedInput: 120 } },
    ],
    [
      'what was spoken stands in messages',
      { call_type: 'aspeech', messages: [{ role: 'user', content: 'héllo' }] },
      { operation: 'speech', counts: { characters: 5 } },
    ],
  ])('%s', (_, fields, expected) => {
    expect(only({ ...LITELLM, ...fields })).toMatchObject(expected);
  });

  test.each([
    ['milliseconds', 1_792_065_600_000],
    ['a text of seconds', '1792065600.0'],
    ['a date and a time of Python', '2026-10-15 12:00:00.000'],
  ])('an end in %s is the same instant', (_, endTime) => {
    const [item] = read({ ...LITELLM, prompt_tokens: 1, total_tokens: 1, endTime });
    expect(item).toMatchObject({ event: { occurredAt: Date.UTC(2026, 9, 15, 12) } });
  });

  test.each([true, 'True'])('a cache hit of %j is one', (cache_hit) => {
    const [item] = read({ ...LITELLM, prompt_tokens: 1, total_tokens: 1, cache_hit });
    expect(item).toMatchObject({ event: { gatewayCache: 'exact' } });
  });

  test('counting tokens is no call', () => {
    expect(read({ ...LITELLM, call_type: 'acount_tokens' })).toMatchObject([{ kind: 'empty' }]);
  });

  test('a row of SpendLogs has the cached tokens among further values', () => {
    const row = {
      request_id: 'chatcmpl-9',
      call_type: 'acompletion',
      spend: 0.002,
      prompt_tokens: 10,
      completion_tokens: 5,
      total_tokens: 15,
      startTime: '2026-10-15T11:59:58Z',
      endTime: '2026-10-15T12:00:00Z',
      model: 'gpt-4o',
      custom_llm_provider: 'openai',
      cache_hit: 'False',
      team_id: 'acme',
      metadata: '{"additional_usage_values":{"cache_read_input_tokens":4}}',
    };
    expect(only(row)).toMatchObject({
      counts: { uncachedInput: 6, cacheRead: 4, output: 5 },
      cost: 'litellm 0.002',
    });
  });
});

test('LangWatch may count the hour of its cache beside what else was written', () => {
  const usage = { input_tokens: 100, output_tokens: 50, cache_creation_1h_tokens: 200 };
  const data = { occurred_at: '2026-10-15T12:00:00Z', model: 'openai/gpt-4o', usage };
  expect(only({ id: 'evt_1', type: 'gateway.request.completed', data })).toMatchObject({
    counts: { uncachedInput: 100, output: 50, cache_write_1h_tokens: 200 },
  });
});

describe('logs of Bedrock', () => {
  const LOG = {
    schemaType: 'ModelInvocationLog',
    timestamp: '2026-10-15T12:00:00Z',
    requestId: 'r1',
    modelId: 'anthropic.claude-sonnet-4-5-20250929-v1:0',
    requestMetadata: { tenant_id: 'acme' },
  };

  test.each<[string, object, object]>([
    [
      'counts that stand in the answer alone',
      {
        input: {},
        output: {
          outputBodyJson: {
            usage: {
              input_tokens: 10,
              output_tokens: 4,
              cache_read_input_tokens: 90,
              cache_creation_input_tokens: 80,
              cache_creation: { ephemeral_1h_input_tokens: 80 },
            },
          },
        },
      },
      { counts: { uncachedInput: 10, cacheRead: 90, cache_write_1h_tokens: 80, output: 4 } },
    ],
    [
      'an answer that was streamed, of which each part has some counts',
      {
        input: { inputTokenCount: 10 },
        output: {
          outputTokenCount: 5,
          outputBodyJson: [
            { message: { usage: { input_tokens: 10, cache_read_input_tokens: 7 } } },
            { usage: { output_tokens: 5 } },
          ],
        },
      },
      { operation: 'chat', counts: { uncachedInput: 10, cacheRead: 7, output: 5 } },
    ],
    [
      'pictures beside tokens of zero',
      {
        modelId: 'amazon.nova-canvas-v1:0',
        input: { inputTokenCount: 0 },
        output: { outputTokenCount: 0, outputBodyJson: { images: ['x', 'y'] } },
      },
      { operation: 'image', counts: { images: 2 } },
    ],
    [
      'a reranker',
      { modelId: 'cohere.rerank-v3-5:0', input: {}, output: {} },
      { operation: 'rerank', counts: {} },
    ],
  ])('%s', (_, fields, expected) => {
    expect(only({ ...LOG, ...fields })).toMatchObject(expected);
  });
});

test('a line of a batch of Gemini has the usage of its answer', () => {
  const usageMetadata = { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 };
  const response = { usageMetadata, modelVersion: 'gemini-2.5-flash', responseId: 'x' };
  const expected = {
    model: 'gemini-2.5-flash',
    tier: 'batch',
    response: 'x',
    counts: { uncachedInput: 10, output: 5 },
  };
  expect(only({ key: 'r1', response })).toMatchObject({ ...expected, provider: 'gcp.gemini' });
  expect(only({ request: { contents: [] }, response })).toMatchObject({
    ...expected,
    provider: 'gcp.vertex_ai',
  });
});

describe('results of batches that failed', () => {
  const responses = (body: object) => ({
    ...{ id: 'batch_req_1', custom_id: 'a', error: null },
    response: {
      status_code: 200,
      body: { id: 'resp_1', model: 'gpt-5', created_at: 1792065600, ...body },
    },
  });
  const usage = { input_tokens: 10, output_tokens: 5, total_tokens: 15 };
  const vertex = {
    status: 'Bad Request: {"error": {"code": 400, "status": "INVALID_ARGUMENT"}}',
    processed_time: '2026-10-15T12:00:00.826+00:00',
    request: { contents: [{ role: 'user', parts: [{ text: 'hello' }] }] },
    response: {},
  };

  test.each<[string, object, object]>([
    [
      "a response of OpenAI's that failed under a status of success",
      responses({ status: 'failed', error: { code: 'server_error' }, usage: null }),
      { model: 'gpt-5', status: 'error server_error', counts: {} },
    ],
    [
      'one that failed after it had used something',
      responses({ status: 'failed', error: { code: 'server_error' }, usage }),
      { status: 'error server_error', counts: { uncachedInput: 10, output: 5 } },
    ],
    [
      'one that was cancelled',
      responses({ status: 'cancelled', usage }),
      { status: 'cancelled null', counts: { uncachedInput: 10, output: 5 } },
    ],
    [
      'an error of Gemini without an answer',
      { key: 'r1', error: { code: 400, message: 'no', status: 'INVALID_ARGUMENT' } },
      { provider: 'gcp.gemini', model: 'unknown', status: 'error INVALID_ARGUMENT', counts: {} },
    ],
    [
      'an error of Vertex AI in its status',
      vertex,
      { provider: 'gcp.vertex_ai', model: 'unknown', status: 'error INVALID_ARGUMENT', counts: {} },
    ],
    [
      'an error of Vertex AI in words',
      { ...vertex, status: 'Internal Server Error: what was said' },
      { status: 'error Internal Server Error' },
    ],
  ])('%s', (_, line, expected) => {
    expect(only(line)).toMatchObject(expected);
  });

  test('an answer that is not whole is a success, as it is paid for', () => {
    const answered = only(responses({ status: 'incomplete', error: null, usage }));
    expect(answered).toMatchObject({ counts: { uncachedInput: 10, output: 5 } });
    expect(answered).not.toHaveProperty('status');
  });

  test('a result of Vertex AI that was received before its instant was read is the same event', () => {
    const digests = (line: object) =>
      read(line).flatMap((item) =>
        item.kind === 'event' ? [item.digest, ...(item.otherDigests?.() ?? [])].map(String) : [],
      );
    const { processed_time: _, ...undated } = vertex;
    expect(digests({ ...vertex, key: 'one' })).toContain(digests({ ...undated, key: 'one' })[0]);
  });

  test('what only looks like a line of Gemini or Vertex AI is none that failed', () => {
    const usage = { input_tokens: 500_000, output_tokens: 1 };
    const kinds = (body: object) => read(body).map(({ kind }) => kind);
    expect(kinds({ key: 'job-1', error: {}, status: 'ok', usage })).toEqual(['refused']);
    expect(kinds({ key: 'job-1', error: { code: 3 }, usage })).toEqual(['refused']);
    const answered = { model: 'm', usage: { prompt_tokens: 5 } };
    const like = { status: 'ok', request: { contents: [] }, response: answered };
    expect(kinds(like)).toEqual(['refused']);
  });

  test('a result of Vertex AI is of the instant that it names', () => {
    const usageMetadata = { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 };
    const response = { usageMetadata, modelVersion: 'gemini-2.5-flash', responseId: 'x' };
    const at = (line: object) => read(line).map((item) => 'event' in item && item.event.occurredAt);
    expect(at({ ...vertex, status: '', response })).toEqual([Date.UTC(2026, 9, 15, 12, 0, 0, 826)]);
    const { processed_time: _, ...undated } = vertex;
    const dated = { ...response, createTime: '2026-10-15T11:00:00Z' };
    expect(at({ ...undated, response: dated })).toEqual([Date.UTC(2026, 9, 15, 11)]);
  });

  test('an id is of one batch where its line has one of its own', () => {
    const ids = (line: object) => read(line).map((item) => 'event' in item && item.event.eventId);
    const errored = (request_id: string | null) => ({
      custom_id: 'request-1',
      result: {
        type: 'errored',
        error: { type: 'error', error: { type: 'overloaded_error' }, request_id },
      },
    });
    expect(ids(errored('req_1'))).toEqual(['req_1:request-1']);
    expect(ids(errored('req_2'))).toEqual(['req_2:request-1']);
    expect(ids(errored(null))).toEqual(['request-1']);
    const other = { ...vertex, request: { contents: [] } };
    expect(ids(vertex)).toEqual(ids({ ...vertex }));
    expect(ids(other)).not.toEqual(ids(vertex));
    expect(ids({ ...vertex, processed_time: '2026-10-16T12:00:00Z' })).not.toEqual(ids(vertex));
  });
});

describe('CloudEvents', () => {
  const CLOUD_EVENT = {
    specversion: '1.0',
    id: '1',
    source: 's',
    type: 'prompt',
    subject: 42,
    time: 1_792_065_600,
  };

  test.each<[string, object, object]>([
    [
      'counts of OpenAI',
      { model: 'gpt-4o', prompt_tokens: '100', completion_tokens: 20, total_tokens: 120 },
      { tenant: '42', model: 'gpt-4o', counts: { uncachedInput: 100, output: 20 } },
    ],
    [
      'the usage of Anthropic',
      {
        provider: 'anthropic',
        model: 'claude-sonnet-4-5',
        usage: { input_tokens: 10, output_tokens: 5, cache_read_input_tokens: 900 },
      },
      { counts: { uncachedInput: 10, cacheRead: 900, output: 5 } },
    ],
    [
      'the counts of Anthropic, without a usage around them',
      {
        provider: 'anthropic',
        model: 'claude-sonnet-4-5',
        input_tokens: 4,
        output_tokens: 202,
        cache_read_input_tokens: 1167,
        cache_creation_input_tokens: 500,
        cache_creation: { ephemeral_1h_input_tokens: 300, ephemeral_5m_input_tokens: 200 },
      },
      {
        counts: {
          uncachedInput: 4,
          cacheRead: 1167,
          cacheWrite: 200,
          cache_write_1h_tokens: 300,
          output: 202,
        },
      },
    ],
    [
      'the counts of Bedrock',
      { provider: 'bedrock', model: 'm', inputTokens: 8, outputTokens: 2, cacheReadInputTokens: 5 },
      { counts: { uncachedInput: 8, cacheRead: 5, output: 2 } },
    ],
    [
      'the counts of Ollama',
      { model: 'llama3', prompt_eval_count: 26, eval_count: 259 },
      { counts: { uncachedInput: 26, output: 259 } },
    ],
    [
      'every count of a native event',
      {
        model: 'gpt-5',
        input_tokens: '100',
        output_tokens: 50,
        reasoning_tokens: 30,
        input_audio_tokens: 40,
        images: 2,
        searches: 1,
        estimated: true,
      },
      {
        counts: {
          uncachedInput: 60,
          output: 50,
          reasoning: 30,
          input_audio_tokens: 40,
          images: 2,
          searches: 1,
        },
        source: 'estimated',
      },
    ],
    [
      'pictures alone',
      { model: 'dall-e-3', operation: 'image', images: 2 },
      { counts: { images: 2 } },
    ],
    [
      'bounds of a request, which are no counts',
      { model: 'gpt-4o', input_tokens: 5, output_tokens: 2, max_tokens: 100, maxOutputTokens: 99 },
      { counts: { uncachedInput: 5, output: 2 } },
    ],
    [
      'a sum beside its parts',
      { model: 'gpt-4o', tokens: 7, input_tokens: 5, output_tokens: 2 },
      { counts: { uncachedInput: 5, output: 2 } },
    ],
    [
      'tokens of no side',
      { model: 'gpt-4o', tokens: 150, type: 'total' },
      { counts: { uncachedInput: 150 }, source: 'assumed' },
    ],
    [
      'counts of OpenAI that were estimated',
      { model: 'gpt-4o', prompt_tokens: 100, completion_tokens: 20, estimated: true },
      { counts: { uncachedInput: 100, output: 20 }, source: 'estimated' },
    ],
    [
      'counts of OpenAI that were not',
      { model: 'gpt-4o', prompt_tokens: 100, completion_tokens: 20, estimated: false, images: 0 },
      { counts: { uncachedInput: 100, output: 20 } },
    ],
    [
      'a zero under a name that nobody knows',
      { model: 'gpt-4o', input_tokens: 5, output_tokens: 2, tool_tokens: 0 },
      { counts: { uncachedInput: 5, output: 2 } },
    ],
    [
      'what a model could take, and what is left',
      {
        ...{ model: 'gpt-4o', input_tokens: 5, output_tokens: 2, context_window_tokens: 128_000 },
        ...{ remaining_tokens: 9, requested_max_tokens: 100, limit_tokens: 7 },
      },
      { counts: { uncachedInput: 5, output: 2 } },
    ],
    [
      'tokens of one side, and searches',
      { model: 'gpt-4o', tokens: 206, type: 'output', searches: 2 },
      { counts: { output: 206, searches: 2 } },
    ],
  ])('%s', (_, data, expected) => {
    expect(only({ ...CLOUD_EVENT, data })).toMatchObject(expected);
  });

  test.each<[string, object, string]>([
    [
      'tokens under a name that nobody knows',
      { model: 'gpt-4o', input_tokens: 5, output_tokens: 2, exotic_tokens: 9 },
      'usage.exotic_tokens: is not a known field',
    ],
    [
      'counts of a provider beside those of an event',
      { model: 'gpt-4o', prompt_tokens: 5, completion_tokens: 2, images: 1 },
      'usage.prompt_tokens (and 1 more): is not a known field',
    ],
    [
      'tokens that are none of the counts beside them',
      { model: 'gpt-4o', tokens: 70, input_tokens: 5, output_tokens: 2 },
      'usage.tokens: is not a known field',
    ],
  ])('%s are refused by name', (_, data, detail) => {
    expect(read({ ...CLOUD_EVENT, data })).toMatchObject([
      { kind: 'refused', reason: 'invalid_field', detail: expect.stringContaining(detail) },
    ]);
  });
});
