import { describe, expect, test } from 'vitest';
import { only, read, span, type Values } from '../../support/said-event.ts';

/** Calls in forms that were taken for wrappers, or for nothing at all. */

describe('the AI SDK has one span of what is spoken or heard', () => {
  test.each<[string, string, Values, string, object]>([
    [
      'tokens, by attributes of the older version',
      'ai',
      {
        'ai.operationId': 'ai.transcribe',
        'ai.model.provider': 'openai.transcription',
        'ai.model.id': 'gpt-4o-transcribe',
        'ai.usage.input_tokens': 1000,
        'ai.usage.output_tokens': 50,
        'ai.usage.total_tokens': 1050,
        'ai.usage.input_token_details.text_tokens': 100,
        'ai.usage.input_token_details.audio_tokens': 900,
      },
      'transcription',
      { uncachedInput: 100, input_audio_tokens: 900, output: 50 },
    ],
    [
      'tokens, by attributes of the convention',
      'gen_ai',
      {
        'gen_ai.operation.name': 'ai.transcribe',
        'gen_ai.request.model': 'gpt-4o-transcribe',
        'gen_ai.usage.input_tokens': 1000,
        'gen_ai.usage.output_tokens': 50,
        'gen_ai.usage.input_token_details.audio_tokens': 900,
      },
      'transcription',
      { uncachedInput: 100, input_audio_tokens: 900, output: 50 },
    ],
    [
      'seconds',
      'gen_ai',
      {
        'gen_ai.operation.name': 'ai.transcribe',
        'gen_ai.request.model': 'whisper-1',
        'gen_ai.usage.seconds': 12.5,
      },
      'transcription',
      { audio_ms: 12_500 },
    ],
    [
      'characters',
      'ai',
      {
        'ai.operationId': 'ai.generateSpeech',
        'ai.model.id': 'eleven_v3',
        'ai.usage.characters': 120,
      },
      'speech',
      { characters: 120 },
    ],
    [
      'nothing, so that it is not measured',
      'ai',
      { 'ai.operationId': 'ai.generateSpeech', 'ai.model.id': 'tts-1' },
      'speech',
      {},
    ],
    [
      'a function that nobody listed',
      'ai',
      { 'ai.operationId': 'ai.generateMusic', 'ai.model.id': 'lyria', 'ai.usage.tokens': 70 },
      'chat',
      { uncachedInput: 70 },
    ],
  ])('%s', (_, scope, values, operation, counts) => {
    expect(only(span(scope, values))).toMatchObject({ operation, counts });
  });
});

describe('figures in an object of a vendor', () => {
  const asked = { 'gen_ai.request.model': 'gpt-5' };

  test.each([
    [
      'as TypeScript writes them',
      { type: 'json', value: { promptTokens: 10, completionTokens: 5, cost: 0.25 } },
    ],
    ['as Python and Go do', { prompt_tokens: 10, completion_tokens: 5, cost: 0.25 }],
  ])('those of LangWatch are read, %s', (_, metrics) => {
    const values = { ...asked, 'langwatch.span.type': 'llm' };
    const body = span('langwatch', { ...values, 'langwatch.metrics': JSON.stringify(metrics) });
    expect(only(body)).toMatchObject({
      ...{ counts: { uncachedInput: 10, output: 5 }, source: 'assumed' },
      cost: 'langwatch 0.25',
    });
  });

  test.each<[string, Values]>([
    ['in an object of metrics', { 'braintrust.metrics': '{"prompt_tokens":10,"tokens":15}' }],
    ['for each model', { 'weave.usage': '{"gpt-5":{"input_tokens":10}}' }],
    ['by words that are none of the convention', { 'llm.tokens_in': 10, 'llm.tokens_out': 5 }],
  ])('others wait in quarantine: %s', (_, values) => {
    expect(read(span('vendor', values))).toMatchObject([
      { kind: 'refused', reason: 'not_understood' },
    ]);
  });

  test('an object of other figures is nothing that was used', () => {
    const values = { 'http.metrics': '{"bytes":10,"nested":{"max_tokens":5}}' };
    expect(only(span('vendor', values))).toMatchObject({ operation: 'program_span' });
  });
});

test('a request may have the names of protobuf within those of its JSON', () => {
  const values = { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'gpt-4o' };
  const [resource] = span('x', { ...values, 'gen_ai.usage.input_tokens': 10 }).resourceSpans;
  const [scope] = resource?.scopeSpans ?? [];
  const [one] = scope?.spans ?? [];
  const spans = [{ ...one, end_time_unix_nano: one?.endTimeUnixNano, trace_id: one?.traceId }];
  expect(read({ resourceSpans: [{ scope_spans: [{ ...scope, spans }] }] })).toMatchObject([
    { kind: 'event', event: { usage: { uncachedInput: 10 } } },
  ]);
});
