import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Translation } from '../../../src/events/foreign/translation.ts';
import { readNativeEvent } from '../../../src/events/native-event.ts';
import { otlpTranslator } from '../../../src/events/otlp/otlp.ts';
import { decodeOtlpProtobuf } from '../../../src/events/otlp/otlp-protobuf.ts';
import { type Attributes, CHAT, onlyEvent, span, translate } from '../../support/otlp-spans.ts';

const fixtures = new URL('../../fixtures/otlp/', import.meta.url);
const AI_SDK = 'ai-sdk-7.0.173_otel-1.0.173.traces';

function capture(name: string): object {
  return JSON.parse(readFileSync(new URL(`${name}.json`, fixtures), 'utf8'));
}

/** After every span of the captures. */
const RECEIVED_AT = Date.UTC(2027, 0, 1);

const CALLS = new Set(['chat', 'text_completion', 'generate_content', 'embeddings']);

function modelCalls(translations: readonly Translation[]) {
  return translations
    .map(({ event }) => event)
    .filter((event) => CALLS.has(String(event['operation'])));
}

function usageOf(event: Readonly<Record<string, unknown>>) {
  return event['usage'] as Record<string, number> | undefined;
}

describe('the captured requests', () => {
  // Columns: file, model calls, failed ones, sum of input, sum of output, sum of cache read.
  test.each([
    // The agent span says 267/39; its two calls are 97/18 and 170/21.
    [AI_SDK, 3, 1, 97 + 170, 18 + 21, 128],
    ['otel-openai.traces', 2, 1, 1519, 42, 0],
    ['traceloop-openai.traces', 1, 0, 1519, 42, 0],
    // Traceloop says 4 input tokens beside 1167 from cache.
    ['traceloop-anthropic.traces', 2, 1, 4 + 1167, 202, 1167],
    ['openinference-openai.traces', 1, 0, 1519, 42, 1408],
    // Two libraries report each of the two calls.
    ['openinference-anthropic.traces', 2, 1, 1171, 202, 1167],
  ])('%s: the model calls alone make the sum', (name, count, failed, input, output, cached) => {
    const calls = modelCalls(otlpTranslator.translate(capture(name)));
    const sum = (field: string) =>
      calls.reduce((total, call) => total + (usageOf(call)?.[field] ?? 0), 0);
    expect(calls).toHaveLength(count);
    expect(calls.filter((call) => call['status'] === 'error')).toHaveLength(failed);
    expect([sum('input_tokens'), sum('output_tokens'), sum('cache_read_tokens')]).toEqual([
      input,
      output,
      cached,
    ]);
  });

  test.each([
    [AI_SDK],
    ['otel-openai.traces'],
    ['traceloop-openai.traces'],
    ['traceloop-anthropic.traces'],
    ['openinference-openai.traces'],
    ['openinference-anthropic.traces'],
  ])('%s: the native schema accepts every event', (name) => {
    for (const { event } of otlpTranslator.translate(capture(name))) {
      expect(readNativeEvent(event, RECEIVED_AT)).toMatchObject({ kind: 'event' });
    }
  });

  test('protobuf and JSON of the same spans give the same events', () => {
    const bytes = readFileSync(new URL(`${AI_SDK}.pb`, fixtures));
    expect(otlpTranslator.translate(decodeOtlpProtobuf(bytes))).toEqual(
      otlpTranslator.translate(capture(AI_SDK)),
    );
  });

  test('a call of the AI SDK becomes a whole native event', () => {
    const [first] = otlpTranslator.translate(capture(AI_SDK));
    expect(first).toEqual({
      usageAssumed: false,
      event: {
        event_id: '823dc48375350f998853c6fefbe6dc0d:90f0d39bef5a1e45',
        source: 'otlp',
        occurred_at: '2026-11-22T00:34:56.720Z',
        started_at: '2026-11-22T00:34:56.717Z',
        status: 'ok',
        operation: 'chat',
        provider: 'openai',
        requested_model: 'gpt-4o-mini',
        executed_model: 'gpt-4o-mini-2024-07-18',
        response_id: 'resp_1',
        service_tier: 'standard',
        usage: {
          input_tokens: 97,
          output_tokens: 18,
          cache_read_tokens: 0,
          cache_write_tokens: 0,
          reasoning_tokens: 0,
        },
        tenant_id: 'acme',
        user_id: 'u_42',
        feature: 'support-chat',
        agent_run_id: 'run_7',
        prompt_version: 'v3',
        trace_id: '823dc48375350f998853c6fefbe6dc0d',
        span_id: '90f0d39bef5a1e45',
        parent_span_id: '001060e75d72e14d',
      },
    });
  });

  test('wrappers, steps and tools are structure without usage', () => {
    const events = otlpTranslator.translate(capture(AI_SDK)).map(({ event }) => event);
    const structure = events.filter((event) => !CALLS.has(String(event['operation'])));
    expect(structure.map((event) => event['operation'])).toEqual([
      'execute_tool',
      'agent_step',
      'agent_step',
      'invoke_agent',
      'agent_step',
      'invoke_agent',
    ]);
    expect(structure.every((event) => !('usage' in event))).toBe(true);
  });

  test('of a call reported twice the inner report is the call and the outer one is structure', () => {
    const events = otlpTranslator.translate(capture('openinference-anthropic.traces'));
    expect(events.map(({ event }) => [event['span_id'], event['operation']])).toEqual([
      ['d77ac0502d4677db', 'duplicate_report'],
      ['0a81021bf28a371c', 'chat'],
      ['5c134355b68909fe', 'chat'],
      ['61efb7d40ccba828', 'duplicate_report'],
    ]);
  });

  test('OpenInference names the requested model in the request and the id in the response', () => {
    const [call] = modelCalls(otlpTranslator.translate(capture('openinference-openai.traces')));
    expect(call).toMatchObject({
      requested_model: 'gpt-4o-mini',
      executed_model: 'gpt-4o-mini-2024-07-18',
      response_id: 'chatcmpl-BaK1b2c3',
      provider: 'openai',
    });
  });

  // The AI SDK sets no error.type but records the exception.
  test.each([
    [AI_SDK, 'AI_APICallError'],
    ['otel-openai.traces', 'RateLimitError'],
    ['traceloop-anthropic.traces', 'Error'],
    ['openinference-anthropic.traces', 'requests'],
  ])('%s: the failed call is an error of type %s', (name, errorType) => {
    const calls = modelCalls(otlpTranslator.translate(capture(name)));
    const failed = calls.filter((call) => call['status'] === 'error');
    expect(failed.map((call) => call['error_type'])).toEqual([errorType]);
  });
});

describe('which spans are model calls', () => {
  test.each<[Attributes, string]>([
    [{ 'gen_ai.operation.name': 'generate_content' }, 'generate_content'],
    [{ 'gen_ai.operation.name': 'invoke_workflow' }, 'invoke_workflow'],
    [{ 'gen_ai.operation.name': 'invoke_agent', 'openinference.span.kind': 'LLM' }, 'invoke_agent'],
    [{ 'openinference.span.kind': 'EMBEDDING' }, 'embeddings'],
    [{ 'openinference.span.kind': 'AGENT' }, 'invoke_agent'],
    [{ 'openinference.span.kind': 'CHAIN' }, 'invoke_workflow'],
    [{ 'openinference.span.kind': 'RERANKER' }, 'reranker'],
    [{ 'langfuse.observation.type': 'generation' }, 'chat'],
    [{ 'ai.operationId': 'ai.streamText.doStream' }, 'chat'],
    [{ 'ai.operationId': 'ai.embed.doEmbed' }, 'embeddings'],
    [{ 'ai.operationId': 'ai.streamText', 'openinference.span.kind': 'LLM' }, 'invoke_agent'],
    [{ 'ai.operationId': 'ai.toolCall' }, 'execute_tool'],
    [{ 'traceloop.span.kind': 'workflow' }, 'invoke_workflow'],
    [{ 'langsmith.span.kind': 'llm' }, 'chat'],
    [{ 'llm.request.type': 'completion' }, 'chat'],
    [{ 'gen_ai.tool.name': 'search' }, 'execute_tool'],
  ])('%j is %s', (attributes, operation) => {
    expect(onlyEvent(span(attributes))['operation']).toBe(operation);
  });

  test.each<[Attributes]>([
    [{ 'http.request.method': 'POST' }],
    [{ 'langfuse.observation.type': 'span' }],
    [{ 'gen_ai.agent.name': 'from baggage' }],
    [{}],
  ])('%j has to do with neither models nor agents and is left out', (attributes) => {
    expect(translate(span(attributes))).toEqual([]);
  });

  test('an old span with a model and usage is a call, unless a call lies below it', () => {
    const old = { 'gen_ai.request.model': 'gpt-4o', 'gen_ai.usage.prompt_tokens': 7 };
    expect(onlyEvent(span(old))['operation']).toBe('chat');
    const nested = translate(
      span(old),
      span(CHAT, { spanId: 'c', parentSpanId: 'b7ad6b7169203331' }),
    );
    expect(nested.map(({ event }) => event['operation'])).toEqual(['invoke_workflow', 'chat']);
  });
});

describe('calls reported twice', () => {
  const call = (output: number, id?: string): Attributes => ({
    ...CHAT,
    'gen_ai.usage.output_tokens': output,
    ...(id === undefined ? {} : { 'gen_ai.response.id': id }),
  });
  const operations = (...spans: object[]) =>
    translate(...spans).map(({ event }) => event['operation']);

  test('nested calls with different outputs are two calls', () => {
    expect(
      operations(
        span(call(20), { spanId: 'a' }),
        span(call(21), { spanId: 'b', parentSpanId: 'a' }),
      ),
    ).toEqual(['chat', 'chat']);
  });

  // [the outer call, the call in a tool of it, what becomes of both]
  const WITH_ID = 'chatcmpl-AAAAAAAAAAAAAAAAAAAA1';
  const OTHER_ID = 'chatcmpl-BBBBBBBBBBBBBBBBBBBB2';
  const input = (tokens: number, more: Attributes = {}): Attributes => ({
    ...CHAT,
    'gen_ai.usage.input_tokens': tokens,
    ...more,
  });
  const cached = (tokens: number) => ({ 'gen_ai.usage.cache_read.input_tokens': tokens });
  const searched = (count: number) => ({
    'gen_ai.operation.name': 'chat',
    'gen_ai.request.model': 'gpt-4o',
    'gen_ai.usage.web_search_requests': count,
  });
  const anthropic = { 'gen_ai.response.id': 'msg_1', 'gen_ai.provider.name': 'anthropic' };
  const [TWO, ONE] = [
    ['chat', 'execute_tool', 'chat'],
    ['duplicate_report', 'execute_tool', 'chat'],
  ];

  test.each<[string, Attributes, Attributes, readonly string[]]>([
    ['have other inputs', input(100_000), input(300), TWO],
    ['have the same counts', input(300), input(300), ONE],
    [
      'have other answers',
      { ...CHAT, 'gen_ai.response.id': WITH_ID },
      { ...CHAT, 'gen_ai.response.id': OTHER_ID },
      TWO,
    ],
    [
      'have an id of the gateway',
      { ...CHAT, 'gen_ai.response.id': WITH_ID, 'gen_ai.provider.name': 'openai' },
      { ...CHAT, ...anthropic },
      ONE,
    ],
    ['differ by what was cached', input(4), input(1171, cached(1167)), ONE],
    ['differ by what was cached, the other way', input(1171, cached(1167)), input(4), ONE],
    ['differ by something else', input(4), input(1171, cached(100)), TWO],
    ['differ in the inner one, that failed', CHAT, { ...CHAT, 'error.type': 'Timeout' }, TWO],
    ['are searches of another number', searched(3), searched(1), TWO],
  ])('two calls, one within a tool of the other, that %s', (_what, outer, inner, expected) => {
    expect(
      operations(
        span(outer, { spanId: 'a' }),
        span({ 'gen_ai.operation.name': 'execute_tool' }, { spanId: 'b', parentSpanId: 'a' }),
        span(inner, { spanId: 'c', parentSpanId: 'b' }),
      ),
    ).toEqual(expected);
  });

  test('a span without a model takes the place of none that has one', () => {
    const raw = {
      'llm.openai.model': 'gpt-4o-2024-08-06',
      'llm.openai.usage': "{'prompt_tokens': 100, 'completion_tokens': 20}",
    };
    const litellm = {
      scope: 'litellm',
      name: 'raw_gen_ai_request',
      spanId: 'b',
      parentSpanId: 'a',
    };
    const outer = span(call(20), { scope: 'litellm', spanId: 'a' });
    expect(operations(outer, span(raw, litellm))).toEqual(['chat', 'duplicate_report']);
    expect(operations(span(raw, litellm))).toEqual(['duplicate_report']);
    expect(operations(outer, span(raw, { ...litellm, scope: 'else', name: 'x' }))).toEqual([
      'chat',
      'duplicate_report',
    ]);
  });

  test('a failed report of a response does not stand in the place of one that did not fail', () => {
    const failed = { ...call(20, 'r1'), 'error.type': 'Timeout' };
    expect(
      operations(
        span(failed, { spanId: 'a' }),
        span(call(20, 'r1'), { spanId: 'b' }),
        span(call(20, 'r1'), { spanId: 'c' }),
      ),
    ).toEqual(['chat', 'chat', 'duplicate_report']);
  });

  test('a step between two reports does not part them', () => {
    expect(
      operations(
        span(call(20), { spanId: 'a' }),
        span({ 'gen_ai.operation.name': 'agent_step' }, { spanId: 'b', parentSpanId: 'a' }),
        span(call(20), { spanId: 'c', parentSpanId: 'b' }),
      ),
    ).toEqual(['duplicate_report', 'agent_step', 'chat']);
  });

  test('the same response in one trace is one call, wherever the spans lie', () => {
    expect(
      operations(span(call(20, 'r1'), { spanId: 'a' }), span(call(20, 'r1'), { spanId: 'b' })),
    ).toEqual(['chat', 'duplicate_report']);
  });

  test('a failed attempt below a successful call is an attempt of its own', () => {
    const failed = { 'gen_ai.operation.name': 'chat', 'error.type': 'Timeout' };
    expect(
      operations(
        span(call(20), { spanId: 'a' }),
        span(failed, { spanId: 'b', parentSpanId: 'a' }),
        span(call(20), { spanId: 'c', parentSpanId: 'a' }),
      ),
    ).toEqual(['duplicate_report', 'chat', 'chat']);
  });

  test('the kept report takes the tags that only the other one has', () => {
    const outer = span({ ...call(20), tenant_id: 'acme', feature: 'outer' }, { spanId: 'a' });
    const inner = span({ ...call(20), feature: 'inner' }, { spanId: 'b', parentSpanId: 'a' });
    expect(translate(outer, inner)[1]?.event).toMatchObject({
      tenant_id: 'acme',
      feature: 'inner',
    });
  });

  test('a span that counts what the calls within it count together is none', () => {
    const two = { ...call(42), 'gen_ai.usage.input_tokens': 200 };
    const inner = (spanId: string, output: number) =>
      span(call(output), { spanId, parentSpanId: 'a' });
    expect(operations(span(two, { spanId: 'a' }), inner('b', 20), inner('c', 22))).toEqual([
      'duplicate_report',
      'chat',
      'chat',
    ]);
    expect(operations(span(two, { spanId: 'a' }), inner('b', 20), inner('c', 21))).toEqual([
      'chat',
      'chat',
      'chat',
    ]);
  });

  test('parents in a circle leave one call standing', () => {
    const circle = ['a', 'b', 'c'].map((spanId, index) =>
      span(call(20), { spanId, parentSpanId: ['c', 'a', 'b'][index] ?? '' }),
    );
    expect(operations(...circle).filter((operation) => operation === 'chat')).toHaveLength(1);
  });
});

describe('token counts', () => {
  const CACHED = { ...CHAT, 'gen_ai.usage.cache_read_input_tokens': 60 };

  const BEDROCK = { ...CACHED, 'gen_ai.request.model': 'us.anthropic.claude' };
  const WRITE_200 = { ...CHAT, 'gen_ai.usage.cache_creation.input_tokens': 200 };
  const TOTAL_180 = { ...CACHED, 'gen_ai.usage.total_tokens': 180 };

  // 100 input tokens and 60 from cache: 100 where the input includes cache, else 100 + 60.
  test.each<[string, string, Attributes, number, boolean]>([
    ['is known to include cache', 'gen_ai', CACHED, 100, false],
    ['is known to include cache', '@opentelemetry/instrumentation-openai', CACHED, 100, false],
    ['left it out once', '@traceloop/instrumentation-anthropic', CACHED, 160, true],
    ['is known to leave it out', 'opentelemetry.instrumentation.botocore.x', CACHED, 160, false],
    ['leaves it out on Bedrock', 'strands.telemetry.tracer', BEDROCK, 160, false],
    ['is not known elsewhere', 'strands.telemetry.tracer', CACHED, 100, true],
    ['is not known', 'somebody.else', CACHED, 100, true],
    ['only begins like a known one', 'ai-of-ours', CACHED, 100, true],
    // 100 cannot include 200.
    ['proves itself by a larger cache', 'somebody.else', WRITE_200, 300, false],
    // 100 + 20 + 60 = 180: the total adds the cache once more.
    ['proves itself by its total', 'somebody.else', TOTAL_180, 160, false],
  ])('a producer that %s: %s', (_what, scope, attributes, input, assumed) => {
    const [translation] = translate(span(attributes, { scope }));
    expect(usageOf(translation?.event ?? {})?.['input_tokens']).toBe(input);
    expect(translation?.usageAssumed).toBe(assumed);
  });

  test.each<[Attributes, object]>([
    [
      { 'gen_ai.usage.cache_write.input_tokens': 5, 'gen_ai.usage.reasoning.output_tokens': 6 },
      { input_tokens: 100, output_tokens: 20, cache_write_tokens: 5, reasoning_tokens: 6 },
    ],
    // 150 - 100 - 20 = 30 tokens that only the total knows: thoughts where the model counts them apart.
    [
      { 'gen_ai.usage.total_tokens': 150, 'gen_ai.request.model': 'gemini-2.5-pro' },
      { input_tokens: 100, output_tokens: 50, reasoning_tokens: 30 },
    ],
    // Of any other model nothing explains them.
    [{ 'gen_ai.usage.total_tokens': 150 }, { input_tokens: 100, output_tokens: 20 }],
    // A given count of thoughts is not added to: 30 tokens of the prompts of Gemini's own tools.
    [
      {
        'gen_ai.usage.total_tokens': 150,
        'gen_ai.usage.reasoning_tokens': 0,
        'gen_ai.request.model': 'gemini-2.5-pro',
      },
      { input_tokens: 130, output_tokens: 20, reasoning_tokens: 0 },
    ],
    // More reasoning than output cannot be inside it: 20 + 25.
    [
      { 'gen_ai.usage.reasoning_tokens': 25 },
      { input_tokens: 100, output_tokens: 45, reasoning_tokens: 25 },
    ],
    [{ 'gen_ai.usage.input_tokens': 'many' }, { input_tokens: 'many', output_tokens: 20 }],
  ])('%j beside 100 in and 20 out is %j', (attributes, usage) => {
    expect(onlyEvent(span({ ...CHAT, ...attributes }))['usage']).toEqual(usage);
  });

  test('an old Google ADK leaves thoughts to the response that it attaches', () => {
    const response = { usage_metadata: { candidates_token_count: 20, thoughts_token_count: 9 } };
    const attributes = { ...CHAT, 'gcp.vertex.agent.llm_response': JSON.stringify(response) };
    expect(onlyEvent(span(attributes, { scope: 'gcp.vertex.agent' }))['usage']).toMatchObject({
      output_tokens: 29,
      reasoning_tokens: 9,
    });
  });

  test('the buckets of Langfuse are disjoint', () => {
    const details = { input: 10, input_cached_tokens: 5, output: 7, output_reasoning_tokens: 3 };
    const event = onlyEvent(
      span({
        'langfuse.observation.type': 'generation',
        'langfuse.observation.usage_details': JSON.stringify(details),
      }),
    );
    expect(event['usage']).toEqual({
      input_tokens: 15,
      output_tokens: 10,
      cache_read_tokens: 5,
      reasoning_tokens: 3,
    });
  });

  test('embeddings have an output of zero', () => {
    const embed = { 'ai.operationId': 'ai.embed.doEmbed', 'ai.usage.tokens': 12 };
    expect(onlyEvent(span(embed))['usage']).toEqual({ input_tokens: 12, output_tokens: 0 });
  });
});

describe('identity, tags and time', () => {
  test('ids are lower case, and an empty parent is none', () => {
    const event = onlyEvent(span(CHAT, { parentSpanId: '' }));
    expect(event['event_id']).toBe('0af7651916cd43dd8448eb211c80319c:b7ad6b7169203331');
    expect('parent_span_id' in event).toBe(false);
  });

  test.each<[Attributes, Attributes, object]>([
    [{ customer_id: 'acme' }, {}, { tenant_id: 'acme' }],
    [{ tenant_id: 'a', 'spanledger.tenant_id': 'b' }, {}, { tenant_id: 'b' }],
    [{}, { tenant_id: 'from-resource' }, { tenant_id: 'from-resource' }],
    [{ tenant_id: 'own' }, { tenant_id: 'from-resource' }, { tenant_id: 'own' }],
    [{ 'traceloop.association.properties.feature': 'chat' }, {}, { feature: 'chat' }],
    [{ metadata: '{"tenant_id":"acme"}' }, {}, { tenant_id: 'acme' }],
    [{ 'user.id': 'u1' }, {}, { user_id: 'u1' }],
    [{ 'gcp.vertex.agent.invocation_id': 'run' }, {}, { agent_run_id: 'run' }],
    [{ 'langfuse.observation.prompt.version': 3 }, {}, { prompt_version: 3 }],
    [{ 'spanledger.tags.plan': 'gold' }, {}, { tags: { plan: 'gold' } }],
    [{ 'spanledger.source': 'eu' }, {}, { source: 'eu' }],
    [{}, { 'spanledger.source': 'eu' }, { source: 'eu' }],
    [{ 'gen_ai.system': 'openai.responses' }, {}, { provider: 'openai' }],
    [{ 'openai.response.service_tier': 'flex' }, {}, { service_tier: 'flex' }],
    [{ 'openai.response.service_tier': 'new' }, {}, { service_tier: 'new' }],
    [{ 'spanledger.requested_model': 'gpt-5' }, {}, { requested_model: 'gpt-5' }],
    [{ 'spanledger.layers.tool': 40 }, {}, { layers: { tool: 40 } }],
    [{ 'error.type': 'timeout' }, {}, { status: 'error', error_type: 'timeout' }],
  ])('%j on a resource with %j gives %j', (attributes, resource, expected) => {
    expect(onlyEvent(span({ ...CHAT, ...attributes }, { resource }))).toMatchObject(expected);
  });

  test.each([
    ['1795307696720999999', '2026-11-22T00:34:56.720Z'],
    [1795307696720000000, '2026-11-22T00:34:56.720Z'],
    ['0', undefined],
    ['yesterday', 'yesterday'],
  ])('an end of %j nanoseconds is %j', (endTimeUnixNano, occurredAt) => {
    expect(onlyEvent(span(CHAT, { endTimeUnixNano }))['occurred_at']).toBe(occurredAt);
  });

  test('attributes as a plain object are read as well', () => {
    const event = onlyEvent({
      scopeSpans: [{ spans: [{ traceId: 'a', spanId: 'b', attributes: CHAT }] }],
    });
    expect(event).toMatchObject({ event_id: 'a:b', usage: { input_tokens: 100 } });
  });

  test('what is no span becomes an event that the schema refuses, and does not vanish', () => {
    const translations = translate({ scopeSpans: 7 }, { scopeSpans: [{ spans: ['x'] }] });
    expect(translations.map(({ event }) => event)).toEqual([
      { source: 'otlp', event_id: 7 },
      { source: 'otlp', event_id: 'x' },
    ]);
  });

  test('an attribute called __proto__ changes nothing', () => {
    const attributes = JSON.parse('{"spanledger.tags.__proto__":"x","__proto__":"y"}');
    expect(onlyEvent(span({ ...CHAT, ...attributes }))).not.toHaveProperty('tags');
    expect(({} as Attributes)['x']).toBeUndefined();
  });
});

const FEW = { maxLength: 3 };
const json = fc.jsonValue({ maxDepth: 2 });
const SPAN_FIELDS = [
  'traceId',
  'spanId',
  'parentSpanId',
  'attributes',
  'events',
  'endTimeUnixNano',
];
const anyAttributes = fc.dictionary(fc.constantFrom(...Object.keys(CHAT), 'metadata'), json);
const anySpan = fc.dictionary(fc.constantFrom(...SPAN_FIELDS), fc.oneof(json, anyAttributes));
const anyScopeSpans = fc.record({ scope: json, spans: fc.array(fc.oneof(json, anySpan), FEW) });
const anyResourceSpans = fc.record({ resource: json, scopeSpans: fc.array(anyScopeSpans, FEW) });
const anyRequest = fc.record({ resourceSpans: fc.array(fc.oneof(json, anyResourceSpans), FEW) });

test('the translator never throws on a request that it recognizes', () => {
  fc.assert(
    fc.property(anyRequest, (request) => {
      expect(otlpTranslator.recognizes(request)).toBe(true);
      expect(Array.isArray(otlpTranslator.translate(request))).toBe(true);
    }),
  );
});

const legacySpans = new URL(
  '../../../../shared/data/otlp/ai-sdk-v6-all-spans.json',
  import.meta.url,
);

test('of the spans of an AI SDK 6 only the inner ones are calls', ({ skip }) => {
  skip(!existsSync(legacySpans), 'the recorded AI SDK 6 spans are absent');
  const recorded: { name: string; attributes: Attributes; spanContext: object }[] = JSON.parse(
    readFileSync(legacySpans, 'utf8'),
  );
  const spans = recorded.map(({ attributes, spanContext }) => ({ ...spanContext, attributes }));
  const request = { resourceSpans: [{ scopeSpans: [{ scope: { name: 'ai' }, spans }] }] };
  const translations = otlpTranslator.translate(request);
  expect(translations).toHaveLength(recorded.length);
  for (const [index, { name }] of recorded.entries()) {
    const event = translations[index]?.event ?? {};
    expect([name, CALLS.has(String(event['operation']))]).toEqual([name, name.includes('.do')]);
    if (name.includes('.do')) expect(usageOf(event)?.['input_tokens']).toBeGreaterThan(0);
  }
});
