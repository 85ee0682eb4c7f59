import fc from 'fast-check';
import { expect, test } from 'vitest';
import { kongTranslator } from '../../../src/events/foreign/kong.ts';

const LOG = {
  ai: {
    proxy: {
      usage: { prompt_tokens: 10, completion_tokens: 20, total_tokens: 30 },
      meta: {
        request_model: 'gpt-4o',
        response_model: 'gpt-4o-2024-08-06',
        provider_name: 'openai',
      },
      cache: { cache_status: 'Miss' },
    },
  },
  consumer: { id: '0ff1ce', username: 'acme' },
  request: { id: 'req-1' },
  response: { status: 200 },
  latencies: { request: 483 },
  started_at: 1795307696717,
};

function translate(log: object) {
  expect(kongTranslator.recognizes(log)).toBe(true);
  return kongTranslator.translate(log)[0]?.event;
}

test('a log line becomes a whole native event that completed when the request ended', () => {
  expect(translate(LOG)).toEqual({
    event_id: 'req-1',
    source: 'kong',
    // 717 ms + 483 ms.
    occurred_at: '2026-11-22T00:34:57.200Z',
    started_at: '2026-11-22T00:34:56.717Z',
    status: 'ok',
    operation: 'chat',
    provider: 'openai',
    requested_model: 'gpt-4o',
    executed_model: 'gpt-4o-2024-08-06',
    usage: { input_tokens: 10, output_tokens: 20 },
    tenant_id: 'acme',
  });
});

test('a response of 429 is an error', () => {
  expect(translate({ ...LOG, response: { status: 429 } })).toMatchObject({
    status: 'error',
    error_type: 'http_429',
  });
});

test('a hit in the cache of the gateway is a semantic one', () => {
  const proxy = { ...LOG.ai.proxy, cache: { cache_status: 'Hit' } };
  expect(translate({ ...LOG, ai: { proxy } })?.['gateway_cache']).toBe('semantic');
});

test('earlier releases name the part after the plugin', () => {
  expect(translate({ ...LOG, ai: { 'ai-proxy': LOG.ai.proxy } })?.['requested_model']).toBe(
    'gpt-4o',
  );
});

test('a log line without the AI gateway is not recognized', () => {
  expect(kongTranslator.recognizes({ request: {}, response: {} })).toBe(false);
});

test('the translator never throws on a line that it recognizes', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...Object.keys(LOG)), fc.jsonValue()), (log) => {
      expect(kongTranslator.translate({ ...log, ai: { proxy: log } })).toHaveLength(1);
    }),
  );
});
