import fc from 'fast-check';
import { expect, test } from 'vitest';
import { langwatchTranslator } from '../../../src/events/foreign/langwatch.ts';

const ENVELOPE = {
  id: 'evt_1',
  type: 'gateway.request.completed',
  created: '2026-10-01T12:00:00Z',
  schema_version: '1',
  data: {
    gateway_request_id: 'req_1',
    virtual_key_id: 'vk_1',
    end_user_id: 'u_42',
    model: 'gpt-4o',
    usage: { input: 100, output: 20, cache_read_input: 60, cache_creation_input: 0, reasoning: 5 },
    cost: { nano_usd: 1, rate_version: 'v1' },
    status: 'success',
    metadata: { tenant_id: 'acme', feature: 'chat', plan: 'gold' },
  },
};

test('a completed request under the names of a draft is a whole native event, its input assumed', () => {
  expect(langwatchTranslator.recognizes({ batch: [ENVELOPE] })).toBe(true);
  expect(langwatchTranslator.translate({ batch: [ENVELOPE] })).toEqual([
    {
      usageAssumed: true,
      event: {
        event_id: 'evt_1',
        source: 'langwatch',
        occurred_at: '2026-10-01T12:00:00Z',
        status: 'ok',
        operation: 'chat',
        requested_model: 'gpt-4o',
        call_id: 'req_1',
        reported_cost: { amount: '0.000000001', currency: 'USD', source: 'langwatch' },
        usage: {
          input_tokens: 100,
          output_tokens: 20,
          cache_read_tokens: 60,
          cache_write_tokens: 0,
          reasoning_tokens: 5,
        },
        tenant_id: 'acme',
        user_id: 'u_42',
        feature: 'chat',
        tags: { plan: 'gold', gateway_request_id: 'req_1', virtual_key_id: 'vk_1' },
      },
    },
  ]);
});

test('events of other types hold nothing, those without a type are refused later', () => {
  const settled = { ...ENVELOPE, type: 'gateway.request.settled' };
  const translations = langwatchTranslator.translate({ batch: [settled, ENVELOPE, 7] });
  expect(translations.map(({ instead }) => instead?.kind)).toEqual(['empty', undefined, undefined]);
});

test('an input smaller than its cache counts the cache apart', () => {
  const usage = { input: 40, output: 20, cache_read_input: 60 };
  const [translation] = langwatchTranslator.translate({
    batch: [{ ...ENVELOPE, data: { ...ENVELOPE.data, usage } }],
  });
  // 40 + 60 = 100.
  expect(translation).toMatchObject({
    usageAssumed: false,
    event: { usage: { input_tokens: 100 } },
  });
});

test.each<[unknown, unknown]>([
  [1795307697, '2026-11-22T00:34:57.000Z'],
  [1795307697200, '2026-11-22T00:34:57.200Z'],
  ['soon', 'soon'],
])('created %j is the instant %j', (created, occurredAt) => {
  const [translation] = langwatchTranslator.translate({ batch: [{ ...ENVELOPE, created }] });
  expect(translation?.event['occurred_at']).toBe(occurredAt);
});

test.each<[unknown, unknown]>([
  ['failed', 'error'],
  ['canceled', 'cancelled'],
  [200, 'ok'],
  [429, 'error'],
  ['odd', 'odd'],
])('the status %j is %j', (status, expected) => {
  const [translation] = langwatchTranslator.translate({
    batch: [{ ...ENVELOPE, data: { ...ENVELOPE.data, status } }],
  });
  expect(translation?.event['status']).toBe(expected);
});

test('a batch of anything else is not recognized', () => {
  expect(langwatchTranslator.recognizes({ batch: [1, {}] })).toBe(false);
});

test('the translator never throws on a batch', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.jsonValue(), (others, data) => {
      const batch = [...others, { type: 'gateway.request.completed', data }];
      expect(langwatchTranslator.translate({ batch }).length).toBeGreaterThan(0);
    }),
  );
});
