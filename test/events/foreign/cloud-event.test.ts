import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cloudEventTranslator } from '../../../src/events/foreign/cloud-event.ts';
import { readBody } from '../../../src/events/read-body.ts';

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

const SPAN = {
  ...{ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' },
  ...{ startTimeUnixNano: '1792065598000000000', endTimeUnixNano: '1792065600000000000' },
  attributes: {
    ...{ 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'gpt-4o', tenant_id: 'globex' },
    ...{ 'gen_ai.usage.input_tokens': 5, 'gen_ai.usage.output_tokens': 2 },
  },
};
const TRACES = { resourceSpans: [{ scopeSpans: [{ spans: [SPAN, { ...SPAN, spanId: 'b1' }] }] }] };

const LITELLM = {
  ...{ id: 'chatcmpl-1', call_type: 'acompletion', litellm_call_id: 'c-1', status: 'success' },
  ...{ model: 'gpt-4o', prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
  ...{ startTime: 1_792_065_598, endTime: 1_792_065_600 },
  metadata: { user_api_key_team_id: 'globex' },
};

test.each([
  ['OTLP', TRACES],
  ['OTLP as text', JSON.stringify(TRACES)],
  ['LiteLLM', LITELLM],
])('a message of %s is read as if it had come alone', (_, data) => {
  const context = { receivedAt: 1_792_065_700_000, litellmKey: null, attributes: {} };
  const eventsOf = (message: unknown) =>
    readBody(typeof message === 'string' ? message : JSON.stringify(message), context).map(
      (item) => (item.kind === 'event' ? item.event : item),
    );
  const carried = eventsOf({ ...ENVELOPE, data });
  expect(carried).toEqual(eventsOf(data));
  expect(carried[0]).toMatchObject({ status: 'ok', tags: { tenantId: 'globex' } });
});

test('and so is one in base64; data that tell of one call by themselves are no such message', () => {
  const data_base64 = Buffer.from(JSON.stringify(TRACES)).toString('base64');
  const context = { receivedAt: 1_792_065_700_000, litellmKey: null, attributes: {} };
  expect(readBody(JSON.stringify({ ...ENVELOPE, data_base64 }), context)).toHaveLength(2);
  const named = { ...LITELLM, ...DATA };
  expect(readBody(JSON.stringify({ ...ENVELOPE, data: named }), context)).toMatchObject([
    { event: { eventId: 'evt-1', tags: { tenantId: 'acme' } } },
  ]);
});

test.each([
  ['a status', { ...LITELLM, status: 'ok' }],
  ['counts and no status', { ...LITELLM, status: undefined }],
])(
  'data of a call with names of LiteLLM and %s of an event stay the event that they were',
  (_, data) => {
    const context = { receivedAt: 1_792_065_700_000, litellmKey: null, attributes: {} };
    expect(readBody(JSON.stringify({ ...ENVELOPE, data }), context)).toMatchObject([
      { event: { eventId: 'evt-1', tags: { tenantId: 'acme' }, usage: { uncachedInput: 5 } } },
    ]);
  },
);
