import { describe, expect, test } from 'vitest';
import { GPT_4O, logRecord, only, read, span, type Values } from '../../support/said-event.ts';

/**
 * A body of each producer that no scenario holds, in the shape that its documentation, source or recorded
 * output shows, with the disjoint counts that it means worked out beside it.
 */
const CALL = { operation: 'chat', tenant: 'acme' };

describe('log events of command-line agents', () => {
  test('Claude Code counts cache beside the input, as texts, and says what it cost', () => {
    const values = {
      'event.name': 'api_request',
      'session.id': 's1',
      'user.account_uuid': 'u1',
      model: 'claude-opus-4-7',
      input_tokens: '1',
      output_tokens: '200',
      cache_read_tokens: '3000',
      cache_creation_tokens: '400',
      cost_usd: '0.0105',
      duration_ms: '5000',
      request_id: 'req_1',
    };
    expect(only(logRecord('claude-code', values, 'claude_code.api_request'))).toEqual({
      ...CALL,
      provider: 'anthropic',
      model: 'claude-opus-4-7',
      counts: { uncachedInput: 1, cacheRead: 3000, cacheWrite: 400, output: 200 },
      cost: 'claude_code 0.0105',
      user: 'u1',
      run: 's1',
      response: 'req_1',
    });
  });

  test('a failed request of Claude Code is an error without counts', () => {
    const values = {
      model: 'claude-opus-4-7',
      status_code: '529',
      error: 'overloaded',
      attempt: '1',
    };
    expect(only(logRecord('claude-code', values, 'claude_code.api_error'))).toEqual({
      ...CALL,
      provider: 'anthropic',
      model: 'claude-opus-4-7',
      status: 'error http_529',
      counts: {},
    });
  });

  // 100 = 40 uncached + 40 read + 20 written; 110 in all, under a name of Codex's own.
  test('Codex counts cache in the input, and its total under the name of tools', () => {
    const values = {
      'event.name': 'codex.sse_event',
      'event.kind': 'response.completed',
      'conversation.id': 'c1',
      model: 'gpt-5.1',
      input_token_count: 100,
      cached_token_count: 40,
      cache_write_token_count: 20,
      output_token_count: 10,
      reasoning_token_count: 5,
      tool_token_count: 110,
    };
    expect(only(logRecord('codex_cli_rs', values, 'codex.sse_event'))).toEqual({
      ...CALL,
      provider: 'openai',
      model: 'gpt-5.1',
      counts: { uncachedInput: 40, cacheRead: 40, cacheWrite: 20, output: 10, reasoning: 5 },
      run: 'c1',
    });
  });

  // 12,000 - 8,000 cached + 7 of tools; 350 + 420 thoughts; 12,777 in all.
  test('Gemini CLI counts thoughts beside the output and tools beside the input, and reports twice', () => {
    const values = {
      'event.name': 'gemini_cli.api_response',
      'session.id': 's1',
      model: 'gemini-2.5-pro',
      input_token_count: 12000,
      cached_content_token_count: 8000,
      output_token_count: 350,
      thoughts_token_count: 420,
      tool_token_count: 7,
      total_token_count: 12777,
    };
    expect(only(logRecord('gemini-cli', values, 'gemini_cli.api_response'))).toEqual({
      ...CALL,
      provider: 'gcp.gemini',
      model: 'gemini-2.5-pro',
      counts: { uncachedInput: 4007, cacheRead: 8000, output: 770, reasoning: 420 },
      run: 's1',
    });
    const again = { 'gen_ai.request.model': 'gemini-2.5-pro', 'gen_ai.usage.input_tokens': 12000 };
    const details = logRecord('gemini-cli', again, 'gen_ai.client.inference.operation.details');
    expect(read(details)).toMatchObject([{ kind: 'empty', source: 'otlp' }]);
  });
});

describe('spans in the words of one producer', () => {
  test.each<[string, string, Values, object]>([
    [
      'LangSmith writes details as the text of a Python dictionary',
      'langsmith',
      {
        'langsmith.span.kind': 'llm',
        'gen_ai.request.model': 'gpt-4o',
        'gen_ai.usage.input_tokens': 1000,
        'gen_ai.usage.output_tokens': 50,
        'gen_ai.usage.input_token_details': "{'cache_read': 600, 'audio': None}",
        'gen_ai.usage.output_token_details': "{'reasoning': 20}",
      },
      { uncachedInput: 400, cacheRead: 600, output: 50, reasoning: 20 },
    ],
    [
      'OpenRouter and Sentry put parts behind a dot',
      'openrouter',
      {
        'gen_ai.operation.name': 'chat',
        'gen_ai.request.model': 'gpt-4o',
        'gen_ai.usage.input_tokens': 1000,
        'gen_ai.usage.input_tokens.cached': 700,
        'gen_ai.usage.input_tokens.cache_write': 100,
        'gen_ai.usage.output_tokens': 50,
        'gen_ai.usage.output_tokens.reasoning': 10,
      },
      { uncachedInput: 200, cacheRead: 700, cacheWrite: 100, output: 50, reasoning: 10 },
    ],
    [
      'the convention of today counts by modality',
      'gen_ai',
      {
        'gen_ai.operation.name': 'chat',
        'gen_ai.request.model': 'gpt-4o',
        'gen_ai.usage.input_tokens': 1000,
        'gen_ai.usage.cache_read.input_tokens': 300,
        'gen_ai.usage.audio.input_tokens': 200,
        'gen_ai.usage.audio.cache_read.input_tokens': 50,
        'gen_ai.usage.image.input_tokens': 100,
        'gen_ai.usage.output_tokens': 90,
        'gen_ai.usage.audio.output_tokens': 60,
      },
      // 1000 - 300 cached - 150 other sound - 100 pictures = 450; 300 - 50 = 250; 90 - 60 = 30.
      {
        uncachedInput: 450,
        cacheRead: 250,
        output: 30,
        input_audio_tokens: 150,
        cache_read_audio_tokens: 50,
        input_image_tokens: 100,
        output_audio_tokens: 60,
      },
    ],
    [
      'the Anthropic SDK tells the hour from the five minutes',
      'com.anthropic.sdk.typescript',
      {
        'gen_ai.operation.name': 'chat',
        'gen_ai.request.model': 'claude-sonnet-4-5',
        'gen_ai.usage.input_tokens': 1000,
        'gen_ai.usage.cache_write.input_tokens': 900,
        'anthropic.usage.cache_creation.ephemeral_1h_input_tokens': 800,
        'gen_ai.usage.output_tokens': 5,
      },
      { uncachedInput: 100, cacheWrite: 100, cache_write_1h_tokens: 800, output: 5 },
    ],
    [
      'AI SDK 4 keeps the cache of Anthropic in metadata in camel case',
      'ai',
      {
        'ai.operationId': 'ai.generateText.doGenerate',
        'ai.model.provider': 'anthropic.messages',
        'ai.model.id': 'claude-sonnet-4-5',
        'ai.usage.promptTokens': 500,
        'ai.usage.completionTokens': 50,
        'ai.response.providerMetadata':
          '{"anthropic":{"cacheCreationInputTokens":90,"cacheReadInputTokens":400}}',
      },
      { uncachedInput: 500, cacheRead: 400, cacheWrite: 90, output: 50 },
    ],
    [
      'an answer of the Google ADK that is thought alone has no output count',
      'gcp.vertex.agent',
      {
        'gen_ai.system': 'gcp.vertex.agent',
        'gen_ai.request.model': 'gemini-2.5-flash',
        'gen_ai.usage.input_tokens': 500,
        'gcp.vertex.agent.llm_response':
          '{"usage_metadata":{"prompt_token_count":500,"thoughts_token_count":40,"total_token_count":540}}',
      },
      { uncachedInput: 500, output: 40, reasoning: 40 },
    ],
    [
      'Langfuse writes Gemini modalities by their numbers, each a bucket',
      'langfuse-sdk',
      {
        'langfuse.observation.type': 'generation',
        'langfuse.observation.model.name': 'gemini-2.5-flash',
        'langfuse.observation.usage_details':
          '{"input":0,"input_modality_1":100,"input_modality_4":30,"output":0,"output_modality_1":20,"total":150}',
      },
      { uncachedInput: 100, input_audio_tokens: 30, output: 20 },
    ],
    [
      'Langfuse may write both lifetimes beside their sum, which the total shows',
      'langfuse-sdk',
      {
        'langfuse.observation.type': 'generation',
        'langfuse.observation.model.name': 'claude-sonnet-4-5',
        'langfuse.observation.usage_details':
          '{"input":10,"output":5,"input_cache_creation":90,"input_ephemeral_5m_input_tokens":70,"input_ephemeral_1h_input_tokens":20,"total":105}',
      },
      { uncachedInput: 10, cacheWrite: 70, cache_write_1h_tokens: 20, output: 5 },
    ],
    [
      'MLflow names the model where its version writes it',
      'mlflow',
      {
        'mlflow.spanType': '"CHAT_MODEL"',
        'mlflow.llm.model': 'gpt-4o',
        'mlflow.chat.tokenUsage': '{"input_tokens":10,"output_tokens":25,"total_tokens":35}',
      },
      { uncachedInput: 10, output: 25 },
    ],
    [
      'Genkit keeps usage in the output of a model',
      'genkit-tracer',
      {
        'genkit:type': 'action',
        'genkit:metadata:subtype': 'model',
        'genkit:name': 'googleai/gemini-2.5-flash',
        'genkit:output':
          '{"usage":{"inputTokens":100,"outputTokens":20,"thoughtsTokens":30,"totalTokens":150}}',
      },
      { uncachedInput: 100, output: 50, reasoning: 30 },
    ],
  ])('%s', (_what, scope, values, counts) => {
    expect(only(span(scope, values))).toMatchObject({ ...CALL, counts });
  });

  test('what AI SDK 5 lost of the cache of Anthropic is assumed to be all', () => {
    const values = {
      'ai.operationId': 'ai.generateText.doGenerate',
      'ai.model.provider': 'anthropic.messages',
      'ai.model.id': 'claude-sonnet-4-5',
      'ai.usage.inputTokens': 500,
      'ai.usage.outputTokens': 50,
    };
    expect(only(span('ai', values))).toMatchObject({ source: 'assumed' });
  });

  test('names of the protocol in snake_case and ids in base64 say the same', () => {
    const snake = JSON.stringify(span('gen_ai', GPT_4O))
      .replace('resourceSpans', 'resource_spans')
      .replace('scopeSpans', 'scope_spans')
      .replace('traceId', 'trace_id')
      .replace('spanId', 'span_id')
      .replace('startTimeUnixNano', 'start_time_unix_nano')
      .replace('endTimeUnixNano', 'end_time_unix_nano')
      .replaceAll('stringValue', 'string_value')
      .replaceAll('intValue', 'int_value')
      .replace('0af7651916cd43dd8448eb211c80319c', 'CvdlGRbNQ92ESOshHIAxnA==')
      .replace('00f067aa0ba902b7', 'APBnqgupArc=');
    expect(read(snake)).toEqual([
      { ...read(span('gen_ai', GPT_4O))[0], body: expect.any(Function) },
    ]);
  });
});
