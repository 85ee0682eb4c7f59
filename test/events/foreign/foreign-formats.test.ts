import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findTranslator, translators } from '../../../src/events/foreign/foreign-formats.ts';
import { readNativeEvent } from '../../../src/events/native-event.ts';

test.each<[string, object]>([
  ['cloud-event', { specversion: '1.0', id: 'e', source: 's', data: {} }],
  ['litellm', { call_type: 'acompletion', litellm_call_id: 'c' }],
  ['otlp', { resourceSpans: [] }],
  ['langwatch', { batch: [{ type: 'gateway.request.completed' }] }],
  ['kong', { ai: { proxy: {} } }],
  ['bedrock-log', { schemaType: 'ModelInvocationLog' }],
])('the shape of %s is told apart', (format, value) => {
  expect(findTranslator(value)?.format).toBe(format);
});

const USAGE = { input_tokens: 1, output_tokens: 2 };

test.each<[string, object]>([
  [
    'cloud-event',
    {
      specversion: '1.0',
      id: 'e',
      source: 's',
      time: '2026-10-01T12:00:00Z',
      data: { status: 'ok', requested_model: 'gpt-4o', usage: USAGE },
    },
  ],
  [
    'litellm',
    {
      call_type: 'acompletion',
      litellm_call_id: 'c',
      status: 'success',
      model: 'gpt-4o',
      prompt_tokens: 1,
      completion_tokens: 2,
      endTime: 1795307697.2,
    },
  ],
  [
    'langwatch',
    {
      batch: [
        {
          type: 'gateway.request.completed',
          id: 'e',
          created: '2026-10-01T12:00:00Z',
          data: { model: 'gpt-4o', status: 'ok', usage: { input: 1, output: 2 } },
        },
      ],
    },
  ],
  [
    'kong',
    {
      ai: {
        proxy: {
          usage: { prompt_tokens: 1, completion_tokens: 2 },
          meta: { request_model: 'gpt-4o' },
        },
      },
      request: { id: 'e' },
      response: { status: 200 },
      started_at: 1795307696717,
    },
  ],
  [
    'bedrock-log',
    {
      schemaType: 'ModelInvocationLog',
      requestId: 'e',
      timestamp: '2026-10-01T12:00:00Z',
      modelId: 'm',
      input: { inputTokenCount: 1 },
      output: { outputTokenCount: 2 },
    },
  ],
])('the native schema accepts what becomes of a %s message', (_format, value) => {
  const translations = findTranslator(value)?.translate(value) ?? [];
  expect(translations).toHaveLength(1);
  for (const { event } of translations) {
    expect(readNativeEvent(event, Date.UTC(2027, 0, 1))).toMatchObject({
      kind: 'event',
      event: { usage: { uncachedInput: 1, output: 2 } },
    });
  }
});

test.each<[string, object]>([
  ['a native event', { event_id: 'e', status: 'ok', usage: {}, tags: { specversion: 'x' } }],
  ['an empty object', {}],
  ['an object with inherited names only', Object.create({ specversion: '1.0' })],
])('%s is left to the native schema', (_what, value) => {
  expect(findTranslator(value)).toBeNull();
});

test('formats have names of their own', () => {
  expect(new Set(translators.map(({ format }) => format)).size).toBe(translators.length);
});

test('whatever is recognized is translated without an exception', () => {
  const names = ['specversion', 'call_type', 'model_group', 'resourceSpans', 'batch', 'ai', 'data'];
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), fc.jsonValue()), (value) => {
      for (const translator of translators) {
        if (translator.recognizes(value)) translator.translate(value);
      }
    }),
    { numRuns: 500 },
  );
});
