import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cloudEventTranslator } from '../../../src/events/foreign/cloud-event.ts';

const ENVELOPE = {
  specversion: '1.0',
  id: 'evt-1',
  source: '/checkout',
  type: 'llm.call',
  subject: 'acme',
  time: '2026-10-01T12:00:00Z',
};

const DATA = {
  status: 'ok',
  requested_model: 'gpt-4o',
  usage: { input_tokens: 1, output_tokens: 2 },
};

function translate(value: object) {
  expect(cloudEventTranslator.recognizes(value)).toBe(true);
  return cloudEventTranslator.translate(value)[0]?.event;
}

test('the envelope gives the identity, the time and the tenant', () => {
  expect(translate({ ...ENVELOPE, data: DATA })).toEqual({
    ...DATA,
    event_id: 'evt-1',
    source: '/checkout',
    occurred_at: '2026-10-01T12:00:00Z',
    tenant_id: 'acme',
  });
});

test('the data names its tenant itself, under either name', () => {
  expect(translate({ ...ENVELOPE, data: { ...DATA, tenant_id: 'globex' } })?.['tenant_id']).toBe(
    'globex',
  );
  expect(translate({ ...ENVELOPE, data: { ...DATA, customer_id: 'globex' } })).toMatchObject({
    tenant_id: 'globex',
    customer_id: 'globex',
  });
});

test('the identity of the envelope goes before that of the data', () => {
  expect(translate({ ...ENVELOPE, data: { ...DATA, event_id: 'inner' } })?.['event_id']).toBe(
    'evt-1',
  );
});

test('without a time in the envelope the data has to say when', () => {
  const { time, ...timeless } = ENVELOPE;
  expect(translate({ ...timeless, data: { ...DATA, occurred_at: time } })?.['occurred_at']).toBe(
    time,
  );
  expect(translate({ ...timeless, data: DATA })).not.toHaveProperty('occurred_at');
});

test('the translator never throws on an event that it recognizes', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (data, id) => {
      const value = { specversion: '1.0', data, id };
      expect(cloudEventTranslator.translate(value)).toHaveLength(1);
    }),
  );
});
