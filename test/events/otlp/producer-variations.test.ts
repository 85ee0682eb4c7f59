import { describe, expect, test } from 'vitest';
import { GPT_4O, logRecord, only, read, span, type Values } from '../../support/said-event.ts';

/** How versions of one producer differ from one another: each row is a body, and what it means. */

const CLAUDE = 'claude-sonnet-4-5-20250929';

describe('spans whose counts are written in another way', () => {
  test.each<[string, string, Values, object]>([
    [
      'an older AI SDK adds up counts that it does not have: the call is not measured',
      'ai',
      {
        'ai.operationId': 'ai.streamText.doStream',
        'ai.model.provider': 'openai.chat',
        'ai.model.id': 'gpt-4o',
        'ai.usage.promptTokens': 'NaN',
        'ai.usage.completionTokens': 'NaN',
      },
      { provider: 'openai', counts: {} },
    ],
    [
      'Claude on Vertex AI through the AI SDK',
      'ai',
      {
        'ai.operationId': 'ai.generateText.doGenerate',
        'ai.model.provider': 'vertex.anthropic.messages',
        'ai.model.id': 'claude-sonnet-4@20250514',
        'ai.usage.inputTokens': 10,
        'ai.usage.outputTokens': 100,
        'ai.response.providerMetadata': '{"anthropic":{"usage":{"cache_read_input_tokens":900}}}',
      },
      {
        provider: 'gcp.vertex_ai',
        counts: { uncachedInput: 10, cacheRead: 900, output: 100 },
      },
    ],
    [
      'kinds of token without their sums: 600 + 300 into the model, 100 + 400 out of it',
      'gen_ai',
      {
        'gen_ai.operation.name': 'chat',
        'gen_ai.request.model': 'gpt-4o',
        'gen_ai.usage.text.input_tokens': 600,
        'gen_ai.usage.audio.input_tokens': 300,
        'gen_ai.usage.text.cache_read.input_tokens': 200,
        'gen_ai.usage.text.output_tokens': 100,
        'gen_ai.usage.audio.output_tokens': 400,
      },
      {
        counts: {
          uncachedInput: 400,
          cacheRead: 200,
          input_audio_tokens: 300,
          output: 100,
          output_audio_tokens: 400,
        },
      },
    ],
    [
      'MLflow writes its attributes as JSON',
      'mlflow',
      {
        'mlflow.spanType': '"LLM"',
        'mlflow.llm.model': `"${CLAUDE}"`,
        'mlflow.llm.provider': '"anthropic"',
        'mlflow.chat.tokenUsage':
          '{"input_tokens":100,"output_tokens":20,"total_tokens":1020,"cache_read_input_tokens":900}',
      },
      {
        provider: 'anthropic',
        model: CLAUDE,
        counts: { uncachedInput: 100, cacheRead: 900, output: 20 },
      },
    ],
    [
      'Genkit counts pictures',
      'genkit-tracer',
      {
        'genkit:metadata:subtype': 'model',
        'genkit:name': 'vertexai/imagen-3',
        'genkit:output': '{"usage":{"inputImages":0,"outputImages":2}}',
      },
      { provider: 'gcp.vertex_ai', model: 'imagen-3', counts: { images: 2 } },
    ],
    [
      'an embedder of Genkit is a call, and is not measured',
      'genkit-tracer',
      {
        'genkit:metadata:subtype': 'embedder',
        'genkit:name': 'googleai/text-embedding-004',
        'genkit:output': '{}',
      },
      { operation: 'embeddings', model: 'text-embedding-004', counts: {} },
    ],
    [
      'what vLLM serves is at nobody’s list price',
      'vllm.llm_engine',
      {
        'gen_ai.response.model': 'meta-llama/Llama-3',
        'gen_ai.usage.prompt_tokens': 100,
        'gen_ai.usage.completion_tokens': 20,
      },
      { provider: 'vllm', counts: { uncachedInput: 100, output: 20 }, source: 'assumed' },
    ],
    [
      'a usage object under a name of one’s own',
      'ours',
      {
        'gen_ai.operation.name': 'chat',
        'gen_ai.request.model': 'gpt-4o',
        'llm.usage': '{"prompt_tokens":10,"completion_tokens":5}',
      },
      { counts: { uncachedInput: 10, output: 5 }, source: 'assumed' },
    ],
    [
      'a total alone does not say on which side it is',
      'gen_ai',
      {
        'gen_ai.operation.name': 'chat',
        'gen_ai.request.model': 'gpt-4o',
        'gen_ai.usage.total_tokens': 10,
      },
      { counts: { uncachedInput: 10 }, source: 'assumed' },
    ],
    [
      'Claude Code on Bedrock pays Bedrock',
      'com.anthropic.claude_code.tracing',
      {
        'span.type': 'llm_request',
        model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
        input_tokens: '12',
        output_tokens: '40',
        cache_read_tokens: '1000',
      },
      { provider: 'aws.bedrock', counts: { uncachedInput: 12, cacheRead: 1000, output: 40 } },
    ],
    [
      'pictures by the AI SDK',
      'ai',
      {
        'ai.operationId': 'ai.generateImage.doGenerate',
        'ai.model.provider': 'openai.image',
        'ai.model.id': 'gpt-image-1',
        'ai.usage.inputTokens': 10,
        'ai.usage.outputTokens': 1056,
      },
      { operation: 'image', provider: 'openai', counts: { uncachedInput: 10, output: 1056 } },
    ],
  ])('%s', (_, scope, values, expected) => {
    expect(only(span(scope, values))).toMatchObject(expected);
  });

  const details = (usage: object) => ({
    'langfuse.observation.type': 'generation',
    'langfuse.observation.model.name': 'gemini-2.5-flash',
    'langfuse.observation.usage_details': JSON.stringify(usage),
  });

  test.each<[string, object, object]>([
    [
      'buckets of modalities within their side, which 100 + 10 = 110 proves',
      { input: 100, input_modality_1: 90, input_modality_4: 10, output: 10, total: 110 },
      { uncachedInput: 90, input_audio_tokens: 10, output: 10 },
    ],
    [
      'the same buckets beside an input of nothing',
      { input: 0, input_modality_1: 90, input_modality_4: 10, output: 10, total: 110 },
      { uncachedInput: 90, input_audio_tokens: 10, output: 10 },
    ],
    [
      'the input apart from its cache and the output with its reasoning: 20 + 900 + 80 = 1000',
      { input: 20, input_cached_tokens: 900, output: 80, output_reasoning: 60, total: 1000 },
      { uncachedInput: 20, cacheRead: 900, output: 80, reasoning: 60 },
    ],
  ])('Langfuse: %s', (_, usage, counts) => {
    expect(only(span('langfuse-sdk', details(usage)))).toMatchObject({ counts });
  });
});

test('a span of Claude Code with the names of the convention counts its cache apart, too', () => {
  const values = {
    'gen_ai.request.model': 'claude-opus-4-5',
    'gen_ai.usage.input_tokens': 10,
    'gen_ai.usage.output_tokens': 50,
    'gen_ai.usage.cache_read.input_tokens': 2000,
  };
  const body = span('com.anthropic.claude_code.tracing', values, 'claude_code.llm_request');
  expect(only(body)).toMatchObject({ counts: { uncachedInput: 10, cacheRead: 2000, output: 50 } });
});

test('the AI SDK on Azure hands on the tier that served', () => {
  const values = {
    'ai.operationId': 'ai.generateText.doGenerate',
    'ai.model.provider': 'azure.responses',
    'ai.model.id': 'gpt-5',
    'ai.usage.inputTokens': 10,
    'ai.usage.outputTokens': 5,
    'ai.response.providerMetadata': '{"azure":{"serviceTier":"priority"}}',
  };
  expect(only(span('ai', values))).toMatchObject({ tier: 'priority' });
});

test('the log event of Claude Code on Vertex AI names who is paid', () => {
  const values = { model: 'claude-sonnet-4-5@20250929', input_tokens: '12', output_tokens: '40' };
  expect(only(logRecord('claude-code', values, 'claude_code.api_request'))).toMatchObject({
    provider: 'gcp.vertex_ai',
    counts: { uncachedInput: 12, output: 40 },
  });
});

describe('spans that are more than their counts', () => {
  test('counting tokens costs nothing, and a search of one’s own is no call', () => {
    const counted = { ...GPT_4O, 'gen_ai.operation.name': 'count_tokens' };
    expect(only(span('gen_ai', counted))).toMatchObject({ operation: 'count_tokens', counts: {} });
    const search = { 'gen_ai.operation.name': 'search' };
    expect(only(span('gen_ai', search))).toMatchObject({ operation: 'retrieval' });
  });

  test('usage in an object that nobody can read waits', () => {
    const values = {
      'gen_ai.operation.name': 'chat',
      'gen_ai.request.model': 'gpt-4o',
      'ours.usage': '{"in":10,"out":5}',
    };
    expect(read(span('ours', values))).toMatchObject([{ reason: 'not_understood' }]);
  });

  test('a tag that is a truth or a list does not cost the event', () => {
    const body = span('gen_ai', { ...GPT_4O, user_id: true });
    const [one] = body.resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
    const list = { arrayValue: { values: [{ stringValue: 'a' }] } };
    (one?.attributes as object[] | undefined)?.push({ key: 'feature', value: list });
    const [item] = read(body);
    expect(item).toMatchObject({
      event: { tags: { userId: 'true', feature: null }, furtherTags: { cut_off: 'feature' } },
    });
  });

  test.each([
    ['milliseconds', 1_792_065_600_000],
    ['microseconds', '1792065600000000'],
    ['seconds', 1_792_065_600],
    ['a date and a time', '2026-10-15T12:00:00Z'],
  ])('an end in %s is the same instant', (_, end) => {
    const body = span('gen_ai', GPT_4O);
    Object.assign(body.resourceSpans[0]?.scopeSpans[0]?.spans[0] ?? {}, { endTimeUnixNano: end });
    const [item] = read(body);
    expect(item).toMatchObject({ event: { occurredAt: Date.UTC(2026, 9, 15, 12) } });
  });

  test.each([2, '2', 'ERROR', 'STATUS_CODE_ERROR'])('a status of %j has failed', (code) => {
    const body = span('gen_ai', GPT_4O);
    Object.assign(body.resourceSpans[0]?.scopeSpans[0]?.spans[0] ?? {}, { status: { code } });
    const [item] = read(body);
    expect(item).toMatchObject({ event: { status: 'error' } });
  });
});
