import { describe, expect, test } from 'vitest';
import { GPT_4O, only, read, span, type Values } from '../../support/said-event.ts';

/** Instrumentations whose own names and ways to count a scenario would only repeat, read in their sources. */

const CLAUDE = {
  'gen_ai.operation.name': 'chat',
  'gen_ai.provider.name': 'anthropic',
  'gen_ai.request.model': 'claude-sonnet-4-5',
};

function ofVersion(name: string, version: string | null, values: Values) {
  const [resource] = span(name, values).resourceSpans;
  const [scoped] = resource?.scopeSpans ?? [];
  const scope = version === null ? { name } : { name, version };
  return { resourceSpans: [{ scopeSpans: [{ ...scoped, scope }] }] };
}

describe("Traceloop's instrumentation of Anthropic for JavaScript", () => {
  const NAME = '@traceloop/instrumentation-anthropic';
  const counted = (input: number) => ({
    ...CLAUDE,
    ...{ 'gen_ai.usage.input_tokens': input, 'gen_ai.usage.output_tokens': 50 },
    ...{ 'gen_ai.usage.total_tokens': input + 50, 'gen_ai.usage.cache_read.input_tokens': 400 },
  });
  const counts = { uncachedInput: 1000, cacheRead: 400, output: 50 };

  test.each([
    ['0.27.0', 1000],
    ['0.9.1', 1000],
    ['0.27.1', 1400],
    ['0.28.0', 1400],
    ['v1.2.0', 1400],
  ])('of version %s', (version, input) => {
    const said = only(ofVersion(NAME, version, counted(input)));
    expect(said).toMatchObject({ counts });
    expect(said).not.toHaveProperty('source');
  });

  test('of a version that it does not say is in doubt', () => {
    expect(only(ofVersion(NAME, null, counted(1000)))).toMatchObject({ counts, source: 'assumed' });
  });
});

describe("OpenInference's instrumentations of Bedrock", () => {
  const counted = (model: string, prompt: number, total: number | null) => ({
    ...{ 'openinference.span.kind': 'LLM', 'llm.provider': 'aws', 'llm.model_name': model },
    ...{ 'llm.token_count.prompt': prompt, 'llm.token_count.completion': 50 },
    'llm.token_count.prompt_details.cache_read': 400,
    'llm.token_count.prompt_details.cache_write': 100,
    ...(total === null ? {} : { 'llm.token_count.total': total }),
  });
  const claude = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';

  test.each([
    ['JavaScript', '@arizeai/openinference-instrumentation-bedrock', claude, 1000, null],
    ['Python, of Claude', 'openinference.instrumentation.bedrock', claude, 1500, null],
    ['Python, by Converse', 'openinference.instrumentation.bedrock', claude, 1000, 1550],
    [
      'Python, of Nova',
      'openinference.instrumentation.bedrock',
      'amazon.nova-pro-v1:0',
      1000,
      1050,
    ],
  ])('for %s', (_, scope, model, prompt, total) => {
    const said = only(span(scope, counted(model, prompt, total)));
    const counts = { uncachedInput: 1000, cacheRead: 400, cacheWrite: 100, output: 50 };
    expect(said).toMatchObject({ counts });
    expect(said).not.toHaveProperty('source');
  });
});

test("Anthropic's SDKs count cache within the input, in whatever language", () => {
  const values = { ...CLAUDE, 'gen_ai.usage.input_tokens': 1000, 'gen_ai.usage.output_tokens': 50 };
  const cached = { ...values, 'gen_ai.usage.cache_read.input_tokens': 400 };
  const said = only(span('com.anthropic.sdk.python', cached));
  expect(said).toMatchObject({ counts: { uncachedInput: 600, cacheRead: 400, output: 50 } });
  expect(said).not.toHaveProperty('source');
});

describe("LangWatch's gateway", () => {
  const SCOPE = 'langwatch-service-aigateway';
  const call = {
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': 'openai/gpt-audio',
    'langwatch.gateway_request_id': '01K1',
    'langwatch.reserved.request_metadata': '{"customer_id":"globex"}',
    'langwatch.end_user_id': 'eu-1',
  };
  const none = {
    ...{ 'gen_ai.usage.input_tokens': 0, 'gen_ai.usage.output_tokens': 0 },
    'gen_ai.usage.total_tokens': 0,
  };

  test('counts cache apart and an hour within what was written, and the cost in millionths', () => {
    const values = {
      ...{ ...CLAUDE, ...call, 'gen_ai.provider.name': 'anthropic', tenant_id: '' },
      ...{ 'gen_ai.usage.input_tokens': 20_000, 'gen_ai.usage.output_tokens': 210 },
      ...{ 'gen_ai.usage.total_tokens': 36_509, 'gen_ai.usage.cost': 3808 },
      'gen_ai.usage.cache_read.input_tokens': 8443,
      'gen_ai.usage.cache_creation.input_tokens': 7856,
      'gen_ai.usage.cache_creation_1h.input_tokens': 5000,
    };
    expect(only(span(SCOPE, values))).toMatchObject({
      counts: {
        ...{ uncachedInput: 20_000, cacheRead: 8443, cacheWrite: 2856, output: 210 },
        cache_write_1h_tokens: 5000,
      },
      cost: 'langwatch 0.003808',
      ...{ tenant: 'globex', user: 'eu-1', call: '01K1' },
    });
  });

  test('counts cache within the input in its spans of itself, which name a system', () => {
    const values = {
      ...{ 'gen_ai.operation.name': 'chat', 'gen_ai.system': 'anthropic' },
      ...{ 'gen_ai.request.model': 'claude-opus-4-7', 'langwatch.cost_usd': 0.003808 },
      ...{ 'gen_ai.usage.input_tokens': 36_299, 'gen_ai.usage.output_tokens': 210 },
      ...{ 'gen_ai.usage.cache_read.input_tokens': 8443, 'gen_ai.usage.total_tokens': 36_509 },
    };
    expect(only(span(SCOPE, values))).toMatchObject({
      counts: { uncachedInput: 27_856, cacheRead: 8443, output: 210 },
      cost: 'langwatch 0.003808',
    });
  });

  test.each<[string, string, Values, object]>([
    [
      'tokens of sound',
      'chat',
      {
        ...{ 'gen_ai.usage.input_tokens': 100, 'gen_ai.usage.output_tokens': 20 },
        ...{ 'gen_ai.usage.total_tokens': 1020, 'gen_ai.usage.input_audio_tokens': 600 },
        'gen_ai.usage.output_audio_tokens': 300,
      },
      { uncachedInput: 100, output: 20, input_audio_tokens: 600, output_audio_tokens: 300 },
    ],
    [
      'seconds of sound',
      'transcription',
      { ...none, 'gen_ai.usage.audio_seconds': 12.5 },
      { audio_ms: 12_500 },
    ],
    ['characters', 'speech', { ...none, 'gen_ai.usage.input_chars': 43 }, { characters: 43 }],
    [
      'tokens of pictures, which their number only describes',
      'image',
      {
        ...{ 'gen_ai.usage.input_tokens': 14, 'gen_ai.usage.output_tokens': 0 },
        ...{ 'gen_ai.usage.total_tokens': 210, 'gen_ai.usage.output_image_tokens': 196 },
        'gen_ai.usage.image_count': 1,
      },
      { uncachedInput: 14, output_image_tokens: 196 },
    ],
    ['pictures', 'image', { ...none, 'gen_ai.usage.image_count': 2 }, { images: 2 }],
  ])('counts %s', (_, operation, values, counts) => {
    const said = only(span(SCOPE, { ...call, 'gen_ai.operation.name': operation, ...values }));
    expect(said).toMatchObject({ operation, counts });
    expect(said).not.toHaveProperty('source');
  });
});

test.each([
  ['langwatch.customer.id', 'langwatch.user.id'],
  ['langwatch.customer_id', 'langwatch.user_id'],
])("a customer is known by %s, as LangWatch's SDKs write it", (customer, user) => {
  const values = { ...GPT_4O, tenant_id: '', [customer]: 'globex', [user]: 'u1' };
  expect(only(span('langwatch', values))).toMatchObject({ tenant: 'globex', user: 'u1' });
});

describe('LiveKit', () => {
  test('names cached tokens of sound as Langfuse takes them', () => {
    const values = {
      ...{ ...GPT_4O, 'gen_ai.request.model': 'gpt-realtime' },
      ...{ 'gen_ai.usage.input_tokens': 1000, 'gen_ai.usage.output_tokens': 200 },
      ...{ 'gen_ai.usage.input_text_tokens': 300, 'gen_ai.usage.input_audio_tokens': 700 },
      ...{ 'gen_ai.usage.input_cached_tokens': 600, 'gen_ai.usage.output_text_tokens': 50 },
      'gen_ai.usage.output_audio_tokens': 150,
    };
    expect(only(span('livekit-agents', values))).toMatchObject({
      counts: { cacheRead: 600, input_audio_tokens: 400, output: 50, output_audio_tokens: 150 },
    });
  });

  test.each([
    [
      'characters',
      { characters_count: 120, input_tokens: 0, output_tokens: 0 },
      { characters: 120 },
    ],
    [
      'tokens',
      { characters_count: 120, input_tokens: 30, output_tokens: 400 },
      { uncachedInput: 30, output_audio_tokens: 400 },
    ],
  ])('says what was spoken in an object of its own, in %s', (_, counted, counts) => {
    const metadata = { model_name: 'sonic-2', model_provider: 'Cartesia' };
    const metrics = JSON.stringify({ type: 'tts_metrics', ...counted, metadata });
    expect(
      only(span('livekit-agents', { 'lk.tts_metrics': metrics }, 'tts_request')),
    ).toMatchObject({ ...{ operation: 'speech', provider: 'cartesia', model: 'sonic-2', counts } });
  });
});

test('pictures and video that OpenRouter counts are no text', () => {
  const values = {
    ...{ ...GPT_4O, 'gen_ai.usage.output_tokens': 1300 },
    ...{ 'gen_ai.usage.output_tokens.image': 1290, 'gen_ai.usage.input_tokens.video': 200 },
  };
  expect(only(span('openrouter', values))).toMatchObject({
    counts: { uncachedInput: 800, input_video_tokens: 200, output: 10, output_image_tokens: 1290 },
  });
});

test("Laminar's names of sound and of what is written for an hour are known", () => {
  const values = {
    ...{ ...CLAUDE, 'gen_ai.usage.input_tokens': 1000, 'gen_ai.usage.output_tokens': 200 },
    ...{ 'gen_ai.usage.audio_input_tokens': 300, 'gen_ai.usage.audio_output_tokens': 100 },
    'gen_ai.usage.cache_creation_input_tokens': 200,
    'gen_ai.usage.cache_creation.input_tokens.ephemeral_1h': 150,
  };
  expect(only(span('lmnr', values))).toMatchObject({
    counts: {
      ...{ uncachedInput: 500, cacheWrite: 50, cache_write_1h_tokens: 150, output: 100 },
      ...{ input_audio_tokens: 300, output_audio_tokens: 100 },
    },
  });
});

test('a tier that was asked for holds where the answer names none', () => {
  const asked = { ...GPT_4O, 'gen_ai.request.service_tier': 'flex' };
  expect(only(span('openlit', asked))).toMatchObject({ tier: 'flex' });
  const served = { ...asked, 'gen_ai.response.service_tier': 'default' };
  expect(only(span('openlit', served))).not.toHaveProperty('tier');
});

describe("LangWatch's billing events", () => {
  const event = (usage: object) => ({
    id: 'r1:completed',
    type: 'gateway.request.completed',
    created: '2026-10-15T12:00:00Z',
    data: { model: 'openai/gpt-image-2', status: 'success', usage },
  });

  test('count pictures beside the text', () => {
    const usage = { input_tokens: 14, output_tokens: 0, input_image_tokens: 30 };
    const counted = { ...usage, output_image_tokens: 196, image_count: 1 };
    expect(only(event(counted))['counts']).toEqual({
      ...{ uncachedInput: 14, input_image_tokens: 30, output_image_tokens: 196 },
    });
    const none = { input_tokens: 0, output_tokens: 0, image_count: 2 };
    expect(only(event(none))['counts']).toEqual({ images: 2 });
  });

  test('name tokens that nobody knows', () => {
    const usage = { input_tokens: 14, output_tokens: 10, video_output_tokens: 500 };
    expect(read(event(usage))).toMatchObject([
      { event: { usageSource: 'assumed', furtherTags: { unexplained_tokens: '500' } } },
    ]);
  });
});

describe("OpenLIT's steps of frameworks", () => {
  const step = {
    ...{ 'gen_ai.operation.name': 'execute_task', 'gen_ai.system': 'crewai' },
    'gen_ai.request.model': 'gpt-4o',
  };

  test('are no calls though they name a model, so that they do not wait for a measure', () => {
    const { 'gen_ai.request.model': _, ...structure } = step;
    expect(only(span('openlit', step))).toMatchObject({ operation: 'execute_task' });
    expect(only(span('openlit', step))).toEqual(only(span('openlit', structure)));
  });

  test('are calls where they count something and no call lies within them', () => {
    const counted = { 'gen_ai.usage.input_tokens': 10, 'gen_ai.usage.output_tokens': 2 };
    expect(only(span('openlit', { ...step, ...counted }))).toMatchObject({
      ...{ operation: 'chat', model: 'gpt-4o', counts: { uncachedInput: 10, output: 2 } },
    });
  });
});
