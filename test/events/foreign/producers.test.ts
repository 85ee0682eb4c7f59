import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readBody } from '../../../src/events/read-body.ts';
import { GPT_4O, only, RECEIVED_AT, read, said, span } from '../../support/said-event.ts';

/**
 * A body of each producer that no scenario holds, in the shape that its documentation, source or recorded
 * output shows, with the disjoint counts that it means worked out beside it.
 */
const CALL = { operation: 'chat', tenant: 'acme' };

const LITELLM = {
  id: 'chatcmpl-1',
  call_type: 'acompletion',
  status: 'success',
  custom_llm_provider: 'openai',
  model: 'gpt-4o',
  model_group: 'gpt-4o',
  startTime: 1792065598,
  endTime: 1792065600,
  metadata: { user_api_key_team_id: 'acme' },
  hidden_params: {},
};

describe('LiteLLM', () => {
  test.each<[string, object, object]>([
    [
      'Gemini with tools: 165 - 100 - 40 = 25 of prompts of its tools, where reasoning of 0 is given',
      {
        custom_llm_provider: 'gemini',
        model: 'gemini-2.5-flash',
        prompt_tokens: 100,
        completion_tokens: 40,
        total_tokens: 165,
        metadata: { usage_object: { completion_tokens_details: { reasoning_tokens: 0 } } },
      },
      { operation: 'chat', counts: { uncachedInput: 125, output: 40 } },
    ],
    [
      'an hour in the cache, and web searches',
      {
        custom_llm_provider: 'anthropic',
        model: 'claude-sonnet-4-5',
        prompt_tokens: 1000,
        completion_tokens: 40,
        total_tokens: 1040,
        metadata: {
          usage_object: {
            cache_creation_input_tokens: 900,
            prompt_tokens_details: {
              cache_creation_token_details: { ephemeral_1h_input_tokens: 800 },
            },
            server_tool_use: { web_search_requests: 3 },
          },
        },
      },
      {
        counts: {
          uncachedInput: 100,
          cacheWrite: 100,
          cache_write_1h_tokens: 800,
          output: 40,
          searches: 3,
        },
      },
    ],
    [
      'pictures that are priced one by one',
      {
        call_type: 'aimage_generation',
        model: 'dall-e-3',
        prompt_tokens: 0,
        completion_tokens: 0,
        total_tokens: 0,
        response: { data: [{ url: 'a' }, { url: 'b' }] },
      },
      { operation: 'image', counts: { images: 2 } },
    ],
    [
      'sound by its seconds',
      { call_type: 'atranscription', model: 'whisper-1', response: { duration: 12.5 } },
      { operation: 'transcription', counts: { audio_ms: 12500 } },
    ],
    [
      'transcription and realtime, whose details have a name in the singular',
      {
        call_type: '_arealtime',
        model: 'gpt-realtime',
        prompt_tokens: 140,
        completion_tokens: 45,
        total_tokens: 185,
        metadata: {
          usage_object: {
            input_tokens: 140,
            output_tokens: 45,
            input_token_details: { text_tokens: 20, audio_tokens: 120, cached_tokens: 10 },
            output_token_details: { audio_tokens: 40 },
          },
        },
      },
      // 140 - 120 - 10 = 10; 45 - 40 = 5.
      {
        operation: 'realtime',
        counts: {
          uncachedInput: 10,
          cacheRead: 10,
          input_audio_tokens: 120,
          output: 5,
          output_audio_tokens: 40,
        },
      },
    ],
    [
      'ranking by search units',
      {
        call_type: 'arerank',
        custom_llm_provider: 'cohere',
        model: 'rerank-v3.5',
        response: { meta: { billed_units: { search_units: 2 } } },
      },
      { operation: 'rerank', counts: { search_units: 2 } },
    ],
    [
      'a call of which nothing was counted',
      { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
      { operation: 'chat', counts: {} },
    ],
    [
      'what it says of the cost',
      { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12, response_cost: 2.25e-7 },
      { cost: 'litellm 0.000000225', counts: { uncachedInput: 10, output: 2 } },
    ],
  ])('%s', (_what, fields, expected) => {
    expect(only({ ...LITELLM, ...fields })).toMatchObject(expected);
  });

  test('a row of SpendLogs says what the payload says', () => {
    const row = {
      request_id: 'chatcmpl-1',
      call_type: 'acompletion',
      spend: 0.001,
      model: 'gpt-4o',
      model_group: 'gpt-4o',
      custom_llm_provider: 'openai',
      prompt_tokens: 1000,
      completion_tokens: 100,
      total_tokens: 1100,
      startTime: '2026-10-15 12:00:00.100000',
      endTime: '2026-10-15T12:00:02Z',
      cache_hit: 'None',
      team_id: 'acme',
      end_user: 'u1',
      status: 'success',
      metadata: '{"usage_object":{"prompt_tokens_details":{"cached_tokens":400}}}',
    };
    expect(only(row)).toEqual({
      ...CALL,
      provider: 'openai',
      model: 'gpt-4o',
      counts: { uncachedInput: 600, cacheRead: 400, output: 100 },
      cost: 'litellm 0.001',
      user: 'u1',
      response: 'chatcmpl-1',
    });
  });
});

describe('results of batches, one a line', () => {
  test('OpenAI, Anthropic and Bedrock', () => {
    const lines = [
      {
        id: 'batch_req_1',
        custom_id: 'a',
        response: {
          status_code: 200,
          body: {
            id: 'chatcmpl-1',
            object: 'chat.completion',
            created: 1792065600,
            model: 'gpt-4o',
            metadata: { tenant_id: 'acme' },
            usage: {
              prompt_tokens: 100,
              completion_tokens: 20,
              total_tokens: 120,
              prompt_tokens_details: { cached_tokens: 60 },
            },
          },
        },
        error: null,
      },
      {
        custom_id: 'b',
        result: {
          type: 'succeeded',
          message: {
            id: 'msg_1',
            model: 'claude-sonnet-4-5',
            usage: {
              input_tokens: 10,
              output_tokens: 5,
              cache_read_input_tokens: 90,
              cache_creation_input_tokens: 30,
              cache_creation: { ephemeral_1h_input_tokens: 30, ephemeral_5m_input_tokens: 0 },
            },
          },
        },
      },
      {
        recordId: 'c',
        modelInput: {},
        modelOutput: {
          id: 'msg_2',
          model: 'claude-sonnet-4-5',
          usage: { input_tokens: 7, output_tokens: 3, cache_read_input_tokens: 0 },
        },
      },
    ];
    const items = read(lines.map((line) => JSON.stringify(line)).join('\n'));
    const events = items.map((item) => (item.kind === 'event' ? said(item.event) : item));
    const batch = { operation: 'chat', tier: 'batch' };
    expect(events).toEqual([
      {
        ...batch,
        provider: 'openai',
        model: 'gpt-4o',
        counts: { uncachedInput: 40, cacheRead: 60, output: 20 },
        tenant: 'acme',
        response: 'chatcmpl-1',
      },
      {
        ...batch,
        provider: 'anthropic',
        model: 'claude-sonnet-4-5',
        counts: { uncachedInput: 10, cacheRead: 90, cache_write_1h_tokens: 30, output: 5 },
        response: 'msg_1',
      },
      {
        ...batch,
        provider: 'aws.bedrock',
        model: 'claude-sonnet-4-5',
        counts: { uncachedInput: 7, output: 3 },
        response: 'msg_2',
      },
    ]);
  });

  test('a result without an instant is dated by its receipt, and is the same when it comes again', () => {
    const line = JSON.stringify({
      custom_id: 'b',
      result: {
        type: 'succeeded',
        message: { id: 'msg_1', model: 'm', usage: { input_tokens: 1, output_tokens: 1 } },
      },
    });
    const context = { litellmKey: null, attributes: {} };
    const first = readBody(line, { ...context, receivedAt: RECEIVED_AT });
    const second = readBody(line, { ...context, receivedAt: RECEIVED_AT + 60_000 });
    expect(first).toMatchObject([{ event: { occurredAt: RECEIVED_AT } }]);
    expect(digestOf(first)).toBe(digestOf(second));
  });
});

function digestOf([item]: ReturnType<typeof readBody>): string {
  return item?.kind === 'event' ? item.digest.toString('hex') : '';
}

describe('gateways and envelopes', () => {
  test('LangWatch counts audio beside the input, sends single envelopes and prefixed models', () => {
    const envelope = {
      id: 'e1',
      type: 'gateway.request.completed',
      data: {
        occurred_at: '2026-10-15T12:00:00Z',
        gateway_request_id: 'g1',
        model: 'openai/gpt-4o-audio',
        request_type: 'chat_completions',
        usage: {
          input_tokens: 100,
          output_tokens: 20,
          input_audio_tokens: 30,
          output_audio_tokens: 40,
        },
      },
    };
    expect(only(envelope)).toEqual({
      operation: 'chat',
      provider: 'openai',
      model: 'gpt-4o-audio',
      counts: { uncachedInput: 100, output: 20, input_audio_tokens: 30, output_audio_tokens: 40 },
      call: 'g1',
    });
  });

  test('Kong 3.6 has no part of a proxy, and counts in the singular', () => {
    const log = {
      request: { id: 'k1', uri: '/chat' },
      response: { status: 200 },
      started_at: 1792065598100,
      latencies: { request: 2200 },
      ai: {
        meta: { request_model: 'gpt-4o', response_model: 'gpt-4o', provider_name: 'openai' },
        usage: { prompt_token: 89, completion_token: 11, total_tokens: 100 },
      },
    };
    expect(only(log)).toMatchObject({ model: 'gpt-4o', counts: { uncachedInput: 89, output: 11 } });
  });

  test('Bedrock embeds without an output, whatever its profile is called', () => {
    const log = {
      schemaType: 'ModelInvocationLog',
      timestamp: '2026-10-15T12:00:00Z',
      requestId: 'b1',
      operation: 'InvokeModel',
      modelId: 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc',
      input: { inputTokenCount: 12 },
      output: {},
    };
    expect(only(log)).toMatchObject({ operation: 'embeddings', counts: { uncachedInput: 12 } });
  });

  test('a subscription of CloudWatch Logs may come in gzip and base64', () => {
    const log = {
      schemaType: 'ModelInvocationLog',
      requestId: 'b1',
      modelId: 'm',
      timestamp: '2026-10-15T12:00:00Z',
      input: { inputTokenCount: 1 },
      output: { outputTokenCount: 2 },
    };
    const envelope = {
      messageType: 'DATA_MESSAGE',
      logEvents: [
        { id: '1', timestamp: 1, message: JSON.stringify(log) },
        { id: '2', message: 'no JSON' },
      ],
    };
    const folded = gzipSync(JSON.stringify(envelope)).toString('base64');
    expect(read(folded).map(({ kind }) => kind)).toEqual(['event', 'refused']);
    expect(read({ awslogs: { data: folded } }).map(({ kind }) => kind)).toEqual([
      'event',
      'refused',
    ]);
    expect(read({ messageType: 'CONTROL_MESSAGE', logEvents: [] })).toMatchObject([
      { kind: 'empty' },
    ]);
  });

  test('a CloudEvent may carry its data in base64, as text, or as the tokens of one side', () => {
    const event = {
      specversion: '1.0',
      id: 'c1',
      source: '/s',
      subject: 'acme',
      time: '2026-10-15T12:00:00Z',
    };
    const data = {
      status: 'ok',
      requested_model: 'gpt-4o',
      usage: { input_tokens: 5, output_tokens: 1 },
    };
    const base64 = Buffer.from(JSON.stringify(data)).toString('base64');
    const counts = { uncachedInput: 5, output: 1 };
    expect(only({ ...event, data_base64: base64 })).toMatchObject({ tenant: 'acme', counts });
    expect(only({ ...event, data: JSON.stringify(data) })).toMatchObject({ counts });
    const tokens = { tokens: '7', model: 'gpt-4o', type: 'output' };
    expect(only({ ...event, data: tokens })).toMatchObject({
      model: 'gpt-4o',
      counts: { output: 7 },
    });
  });

  test('metrics, polls and tests hold nothing, and say so', () => {
    expect(read({ resourceMetrics: [] })).toMatchObject([{ kind: 'empty', source: 'otlp' }]);
    expect(read({ ...LITELLM, call_type: 'aretrieve_batch' })).toMatchObject([
      { kind: 'empty', source: 'litellm' },
    ]);
    expect(read({ Event: 's3:TestEvent', Bucket: 'b' })).toMatchObject([{ kind: 'empty' }]);
  });
});

describe("a provider's own usage object", () => {
  const NATIVE = {
    event_id: 'e1',
    occurred_at: '2026-10-15T12:00:00Z',
    status: 'ok',
    tenant_id: 'acme',
  };

  test.each<[string, object, object]>([
    [
      'Anthropic, with searches and an hour in the cache',
      {
        provider: 'anthropic',
        requested_model: 'claude-sonnet-4-5',
        provider_usage: {
          input_tokens: 10,
          output_tokens: 50,
          cache_read_input_tokens: 100,
          cache_creation_input_tokens: 30,
          cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
          server_tool_use: { web_search_requests: 2 },
        },
      },
      {
        counts: {
          uncachedInput: 10,
          cacheRead: 100,
          cacheWrite: 10,
          cache_write_1h_tokens: 20,
          output: 50,
          searches: 2,
        },
      },
    ],
    [
      'OpenRouter with a key of the caller: the fee and the bill of the provider',
      {
        provider: 'openrouter',
        requested_model: 'gpt-4o',
        provider_usage: {
          prompt_tokens: 10,
          completion_tokens: 5,
          total_tokens: 15,
          cost: 0.00005,
          is_byok: true,
          cost_details: { upstream_inference_cost: 0.001 },
        },
      },
      { cost: 'openrouter_byok 0.00105', counts: { uncachedInput: 10, output: 5 } },
    ],
    [
      'xAI, whose thoughts are beside the completion: 10 + 5 + 20 = 35, at 12,345,678 ticks',
      {
        provider: 'xai',
        requested_model: 'grok-4',
        provider_usage: {
          prompt_tokens: 10,
          completion_tokens: 5,
          total_tokens: 35,
          completion_tokens_details: { reasoning_tokens: 20 },
          cost_in_usd_ticks: 12345678,
        },
      },
      {
        provider: 'x_ai',
        cost: 'xai 0.0012345678',
        counts: { uncachedInput: 10, output: 25, reasoning: 20 },
      },
    ],
    [
      'Gemini, most of whose sound was cached, without saying how much: 80 + 90 - 100 = 70 are both',
      {
        provider: 'gemini',
        requested_model: 'gemini-2.5-flash',
        provider_usage: {
          promptTokenCount: 100,
          cachedContentTokenCount: 80,
          promptTokensDetails: [
            { modality: 'TEXT', tokenCount: 10 },
            { modality: 'AUDIO', tokenCount: 90 },
          ],
          candidatesTokenCount: 5,
          totalTokenCount: 105,
        },
      },
      { provider: 'gcp.gemini', counts: { cacheRead: 80, input_audio_tokens: 20, output: 5 } },
    ],
    [
      'sound by its duration',
      {
        operation: 'transcription',
        requested_model: 'whisper-1',
        provider_usage: { type: 'duration', seconds: 9 },
      },
      { counts: { audio_ms: 9000 } },
    ],
  ])('%s', (_what, fields, expected) => {
    expect(only({ ...NATIVE, ...fields })).toMatchObject(expected);
  });

  test('one that nobody knows waits as not understood, and two usages are one too many', () => {
    const unknown = { ...NATIVE, requested_model: 'm', provider_usage: { kilograms: 7 } };
    expect(read(unknown)).toMatchObject([{ kind: 'refused', reason: 'not_understood' }]);
    const both = {
      ...NATIVE,
      requested_model: 'm',
      usage: { input_tokens: 1, output_tokens: 1 },
      provider_usage: { prompt_tokens: 1 },
    };
    expect(read(both)).toMatchObject([{ kind: 'refused', reason: 'invalid_field' }]);
  });
});

test('a tag that is too long is cut and the event says so; a tenant stays told apart', () => {
  const event = (tenant: string) => {
    const [item] = read(span('gen_ai', { ...GPT_4O, feature: 'f'.repeat(300), tenant_id: tenant }));
    return item?.kind === 'event' ? item.event : null;
  };
  const [one, other] = [event(`${'t'.repeat(250)}1`), event(`${'t'.repeat(250)}2`)];
  expect(one?.tags.feature).toBe('f'.repeat(200));
  expect(one?.furtherTags).toEqual({ cut_off: 'tenant_id feature' });
  expect(one?.tags.tenantId).not.toBe(other?.tags.tenantId);
});
