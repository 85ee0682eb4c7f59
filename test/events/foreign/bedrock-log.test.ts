import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bedrockLogTranslator } from '../../../src/events/foreign/bedrock-log.ts';

const LOG = {
  schemaType: 'ModelInvocationLog',
  timestamp: '2026-10-01T12:00:00Z',
  requestId: 'req-1',
  operation: 'Converse',
  modelId: 'anthropic.claude-sonnet-4-5-20250929-v1:0',
  input: { inputTokenCount: 4, cacheReadInputTokenCount: 1167, cacheWriteInputTokenCount: 9 },
  output: { outputTokenCount: 202 },
  requestMetadata: { tenant_id: 'acme', feature: 'chat', plan: 'gold' },
};

function translate(log: object) {
  expect(bedrockLogTranslator.recognizes(log)).toBe(true);
  return bedrockLogTranslator.translate(log)[0]?.event;
}

test('a record becomes a whole native event, its cached tokens added to the input', () => {
  expect(translate(LOG)).toEqual({
    event_id: 'req-1',
    source: 'bedrock',
    occurred_at: '2026-10-01T12:00:00Z',
    status: 'ok',
    operation: 'chat',
    provider: 'aws.bedrock',
    requested_model: 'anthropic.claude-sonnet-4-5-20250929-v1:0',
    // 4 + 1167 + 9 = 1180.
    usage: {
      input_tokens: 1180,
      output_tokens: 202,
      cache_read_tokens: 1167,
      cache_write_tokens: 9,
    },
    tenant_id: 'acme',
    feature: 'chat',
    tags: { plan: 'gold' },
  });
});

test('searches stand in the answer alone', () => {
  const usage = {
    input_tokens: 4,
    output_tokens: 202,
    server_tool_use: { web_search_requests: 2 },
  };
  const output = { outputTokenCount: 202, outputBodyJson: { usage } };
  expect(translate({ ...LOG, output })).toMatchObject({ usage: { searches: 2 } });
});

test('an error code makes a failed call', () => {
  expect(translate({ ...LOG, errorCode: 'ThrottlingException', output: {} })).toMatchObject({
    status: 'error',
    error_type: 'ThrottlingException',
    usage: { output_tokens: 0 },
  });
});

test('a model of embeddings logs no output', () => {
  const log = {
    ...LOG,
    modelId: 'amazon.titan-embed-text-v2:0',
    input: { inputTokenCount: 5 },
    output: {},
  };
  expect(translate(log)).toMatchObject({
    operation: 'embeddings',
    usage: { input_tokens: 5, output_tokens: 0 },
  });
});

test('the translator never throws on a record that it recognizes', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...Object.keys(LOG)), fc.jsonValue()), (log) => {
      expect(translate({ ...log, schemaType: 'ModelInvocationLog' })).toBeDefined();
    }),
  );
});
