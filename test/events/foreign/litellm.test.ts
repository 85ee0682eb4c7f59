import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { litellmTranslator } from '../../../src/events/foreign/litellm.ts';
import { readNativeEvent } from '../../../src/events/native-event.ts';

const PAYLOAD = {
  id: 'chatcmpl-1',
  litellm_call_id: 'c-1',
  trace_id: 't-1',
  call_type: 'acompletion',
  status: 'success',
  model: 'gpt-4o-mini',
  model_group: 'fast',
  custom_llm_provider: 'openai',
  prompt_tokens: 10,
  completion_tokens: 20,
  total_tokens: 30,
  cache_hit: null,
  startTime: 1795307696.717,
  endTime: 1795307697.2,
  end_user: 'u_42',
  request_tags: ['User-Agent: curl', 'support-chat'],
  metadata: {
    user_api_key_team_id: 'acme',
    usage_object: { prompt_tokens_details: { cached_tokens: 4 } },
  },
};

function translate(payload: object) {
  const [translation, ...others] = litellmTranslator.translate(payload);
  expect(others).toEqual([]);
  return translation?.event ?? {};
}

test('a successful call becomes a whole native event', () => {
  expect(litellmTranslator.recognizes(PAYLOAD)).toBe(true);
  expect(translate(PAYLOAD)).toEqual({
    event_id: 'c-1:success:chatcmpl-1',
    source: 'litellm',
    occurred_at: '2026-11-22T00:34:57.200Z',
    started_at: '2026-11-22T00:34:56.717Z',
    status: 'ok',
    operation: 'chat',
    call_id: 'c-1',
    provider: 'openai',
    requested_model: 'fast',
    executed_model: 'gpt-4o-mini',
    response_id: 'chatcmpl-1',
    usage: { input_tokens: 10, output_tokens: 20, cache_read_tokens: 4 },
    tenant_id: 'acme',
    user_id: 'u_42',
    feature: 'support-chat',
    agent_run_id: 't-1',
    tags: { requested_model_source: 'model_group' },
    trace_id: 'c-1',
  });
});

test('a failed call is an error with its class and without a response', () => {
  const failed = {
    ...PAYLOAD,
    id: 'c-1',
    status: 'failure',
    prompt_tokens: 0,
    completion_tokens: 0,
    total_tokens: 0,
    metadata: {},
    error_information: { error_class: 'RateLimitError', error_code: '429' },
  };
  const event = translate(failed);
  expect(event).toMatchObject({
    event_id: 'c-1:failure:c-1',
    status: 'error',
    error_type: 'RateLimitError',
    usage: { input_tokens: 0, output_tokens: 0 },
  });
  expect(event).not.toHaveProperty('response_id');
});

test('an answer from the gateway cache keeps the id of the first answer', () => {
  const hit = { ...PAYLOAD, id: 'chatcmpl-1_cache_hit1795307697.12', cache_hit: true };
  expect(translate(hit)).toMatchObject({
    event_id: 'c-1:success:chatcmpl-1_cache_hit1795307697.12',
    response_id: 'chatcmpl-1',
    gateway_cache: 'exact',
  });
});

describe('the requested model', () => {
  test.each<[string, string, object]>([
    ['gpt-4o', 'original_model_group', { metadata: { original_model_group: 'gpt-4o' } }],
    [
      'gpt-4',
      'requester_metadata',
      { metadata: { requester_metadata: { requested_model: 'gpt-4' } } },
    ],
    ['fast', 'model_group', {}],
    ['gpt-4o-mini', 'model', { model_group: '' }],
  ])('%s comes from %s', (model, source, fields) => {
    const event = translate({ ...PAYLOAD, ...fields });
    expect(event['requested_model']).toBe(model);
    expect(event['tags']).toMatchObject({ requested_model_source: source });
  });
});

describe('the event id', () => {
  test('is missing when the payload identifies nothing, so that the schema refuses the event', () => {
    expect(translate({ ...PAYLOAD, id: '', litellm_call_id: null })).not.toHaveProperty('event_id');
  });

  test('does without a call id', () => {
    expect(translate({ ...PAYLOAD, litellm_call_id: null })['event_id']).toBe(
      ':success:chatcmpl-1',
    );
  });

  test('stands for long ids by their hash, and tells them apart', () => {
    const ids = ['a', 'b'].map(
      (end) => translate({ ...PAYLOAD, id: 'x'.repeat(300) + end })['event_id'],
    );
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
  });
});

test.each([
  ['completion', 'chat'],
  ['atext_completion', 'text_completion'],
  ['aembedding', 'embeddings'],
  ['aresponses', 'chat'],
  ['anthropic_messages', 'chat'],
  ['agenerate_content', 'generate_content'],
  ['agenerate_content_stream', 'generate_content'],
  ['call_mcp_tool', 'execute_tool'],
  ['aimage_generation', 'image'],
  ['_arealtime', 'realtime'],
  ['avideo_generation', 'video'],
  ['allm_passthrough_route', 'chat'],
  ['something_new', 'something_new'],
])('the call type %s is the operation %s', (callType, operation) => {
  expect(translate({ ...PAYLOAD, call_type: callType })['operation']).toBe(operation);
});

test('a call that is no model call has no usage', () => {
  expect(translate({ ...PAYLOAD, call_type: 'call_mcp_tool' })).not.toHaveProperty('usage');
});

describe('tags, tier and usage', () => {
  const caller = {
    customer_id: 'globex',
    feature: 'search',
    agent_run_id: 'r',
    plan: 'gold',
    n: 1,
  };
  const metadata = { ...PAYLOAD.metadata, spend_logs_metadata: caller };

  test.each<[string, object, object]>([
    [
      'what the caller attached comes first',
      { metadata },
      { tenant_id: 'globex', feature: 'search', agent_run_id: 'r' },
    ],
    [
      'further metadata becomes tags, where it is text',
      { metadata },
      { tags: { plan: 'gold', requested_model_source: 'model_group' } },
    ],
    [
      'an organization comes before a team',
      { metadata: { ...PAYLOAD.metadata, user_api_key_org_id: 'org' } },
      { tenant_id: 'org' },
    ],
    [
      'an empty end user is none',
      { end_user: '', metadata: { user_api_key_user_id: 'key-user' } },
      { user_id: 'key-user' },
    ],
    [
      'the response names the tier',
      { response: { service_tier: 'flex' } },
      { service_tier: 'flex' },
    ],
    [
      'and goes before what the usage says, but for the fast mode of Anthropic',
      {
        response: { service_tier: 'priority' },
        metadata: { usage_object: { service_tier: 'standard', trafficType: 'ON_DEMAND' } },
      },
      { service_tier: 'priority' },
    ],
    [
      'which has a price of its own',
      {
        response: { service_tier: 'standard' },
        metadata: { usage_object: { service_tier: 'standard', speed: 'fast' } },
      },
      { service_tier: 'priority' },
    ],
    [
      'the batch interface is a tier',
      { hidden_params: { batch_models: ['m'] } },
      { service_tier: 'batch' },
    ],
    [
      'the usage of Anthropic names cache writes apart',
      {
        metadata: { usage_object: { cache_creation_input_tokens: 3, cache_read_input_tokens: 2 } },
      },
      {
        usage: { input_tokens: 10, output_tokens: 20, cache_read_tokens: 2, cache_write_tokens: 3 },
      },
    ],
    [
      'of Gemini a total beyond prompt and completion is thought',
      { total_tokens: 41, metadata: {}, custom_llm_provider: 'gemini' },
      { usage: { input_tokens: 10, output_tokens: 31, reasoning_tokens: 11 } },
    ],
    [
      'times may be text',
      { endTime: '2025-01-24 09:20:46.851954' },
      { occurred_at: '2025-01-24T09:20:46.851954Z' },
    ],
    ['an unknown status is handed on', { status: 'pending' }, { status: 'pending' }],
    ['a count in digits is a count', { prompt_tokens: '10' }, { usage: { input_tokens: 10 } }],
    [
      'a count of the wrong type is handed on',
      { prompt_tokens: 'ten' },
      { usage: { input_tokens: 'ten' } },
    ],
  ])('%s', (_rule, fields, expected) => {
    expect(translate({ ...PAYLOAD, ...fields })).toMatchObject(expected);
  });
});

test('a call type alone is not enough to be recognized', () => {
  expect(litellmTranslator.recognizes({ call_type: 'acompletion', status: 'success' })).toBe(false);
});

test('the translator never throws on a payload that it recognizes', () => {
  const fields = fc.dictionary(fc.constantFrom(...Object.keys(PAYLOAD)), fc.jsonValue());
  fc.assert(
    fc.property(fields, fc.jsonValue(), (payload, hidden) => {
      const whole = { ...payload, call_type: 'acompletion', hidden_params: hidden };
      expect(litellmTranslator.recognizes(whole)).toBe(true);
      expect(litellmTranslator.translate(whole)).toHaveLength(1);
    }),
  );
});

const recorded = new URL(
  '../../../shared/data/litellm/standard_logging_payload.fixture.json',
  import.meta.url,
);

test('a payload of a real LiteLLM is read', ({ skip }) => {
  skip(!existsSync(recorded), 'the recorded LiteLLM payload is absent');
  const payload = JSON.parse(readFileSync(recorded, 'utf8'));
  expect(litellmTranslator.recognizes(payload)).toBe(true);
  expect(translate(payload)).toMatchObject({
    occurred_at: '2025-01-24T09:20:46.851954Z',
    status: 'ok',
    requested_model: 'gpt-4o',
    tags: { requested_model_source: 'model' },
    usage: { input_tokens: 10, output_tokens: 20 },
  });
});

test('what failed before anybody said a model or a kind is a failed call of neither', () => {
  const { model: _, model_group: __, ...failed } = { ...PAYLOAD, status: 'failure' };
  const row = { ...failed, call_type: '', spend: 0, request_id: 'r-1', usage: null };
  for (const payload of [failed, row]) {
    const event = translate(payload);
    expect(event).toMatchObject({ status: 'error', requested_model: 'unknown' });
    expect(readNativeEvent(event, Date.UTC(2027, 0, 1)).kind).toBe('event');
  }
});

test('of two tenants of a caller the one in the more deliberate place counts, and two in one are refused', () => {
  const tenantOf = (spend: object, requester: object) => {
    const metadata = { spend_logs_metadata: spend, requester_metadata: requester };
    return readNativeEvent(translate({ ...PAYLOAD, metadata }), Date.UTC(2027, 0, 1));
  };
  expect(tenantOf({ customer_id: 'acme' }, { tenant_id: 'beta' })).toMatchObject({
    event: { tags: { tenantId: 'acme' } },
  });
  expect(tenantOf({ customer_id: 'acme', tenant_id: 'beta' }, {}).kind).toBe('refused');
});
