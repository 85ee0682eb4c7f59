import { expect, test } from 'vitest';
import { readBody } from '../../../src/events/read-body.ts';

type Attributes = Readonly<Record<string, unknown>>;

/** One span of a chain `a` > `b` > `c`, of which a message may hold any. */
function span(id: string, parent: string | null, attributes: Attributes, rest: object = {}) {
  return {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: id.padEnd(16, '0'),
    ...(parent === null ? {} : { parentSpanId: parent.padEnd(16, '0') }),
    name: 'POST',
    startTimeUnixNano: '1792065598000000000',
    endTimeUnixNano: '1792065600000000000',
    attributes,
    ...rest,
  };
}

const HTTP = { 'http.request.method': 'POST' };
const CALL = {
  'gen_ai.operation.name': 'chat',
  'gen_ai.request.model': 'gpt-4o',
  'gen_ai.usage.input_tokens': 5,
  'gen_ai.usage.output_tokens': 1,
};

function operationsOf(spans: readonly object[]): readonly string[] {
  const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
  const context = { receivedAt: 1_792_065_700_000, litellmKey: null, attributes: {} };
  return readBody(body, context).map((item) =>
    item.kind === 'event' ? item.event.operation : item.kind,
  );
}

test('a plain span whose surroundings came in other messages is kept as a step', () => {
  expect(operationsOf([span('b', 'a', HTTP)])).toEqual(['program_span']);
});

test('a plain span below a call that only its span names is kept', () => {
  expect(operationsOf([span('a', null, CALL), span('b', 'a', HTTP)])).toEqual([
    'chat',
    'program_span',
  ]);
  const repeating = { ...CALL, 'gen_ai.response.id': 'None' };
  expect(operationsOf([span('a', null, repeating), span('b', 'a', HTTP)])).toContain(
    'program_span',
  );
});

test('a plain span below an answer that is known by its id is not kept', () => {
  const answered = { ...CALL, 'gen_ai.response.id': 'chatcmpl-AbC123' };
  expect(operationsOf([span('a', 'x', answered), span('b', 'a', HTTP)])).toEqual(['chat']);
  // A call that failed is no report of one that lies within it.
  const failed = { ...answered, 'error.type': 'timeout' };
  expect(operationsOf([span('a', 'x', failed), span('b', 'a', HTTP)])).toContain('program_span');
});

test('a plain span below a call whose operation nobody named is kept, whatever its answer is called', () => {
  const { 'gen_ai.operation.name': _, ...unnamed } = CALL;
  const answered = { ...unnamed, 'gen_ai.response.id': 'chatcmpl-AbC123' };
  expect(operationsOf([span('a', null, answered), span('b', 'a', HTTP)])).toEqual([
    'chat',
    'program_span',
  ]);
});

test('plain spans of a trace that begins in the message are kept only where one of them has a tenant', () => {
  const chain = (root: Attributes) => [span('a', null, root), span('b', 'a', HTTP)];
  expect(operationsOf(chain(HTTP))).toEqual(['empty']);
  expect(operationsOf(chain({ ...HTTP, 'user.id': 'ann' }))).toEqual(['empty']);
  expect(operationsOf(chain({ ...HTTP, tenant_id: 'acme' }))).toEqual([
    'program_span',
    'program_span',
  ]);
});

test('what a program asks of a database or of a queue, and what has no instant, is not kept', () => {
  expect(operationsOf([span('b', 'a', { 'db.system': 'postgresql' })])).toEqual(['empty']);
  expect(operationsOf([span('b', 'a', { 'messaging.system': 'kafka' })])).toEqual(['empty']);
  expect(operationsOf([span('b', 'a', HTTP, { endTimeUnixNano: '0' })])).toEqual(['empty']);
  expect(operationsOf([span('b', 'a', HTTP, { spanId: '' })])).toEqual(['empty']);
});

test('a chain that is longer than is looked up keeps its last spans', () => {
  const chain = Array.from({ length: 40 }, (_, n) =>
    span(
      `f${String(n).padStart(2, '0')}`,
      n === 0 ? null : `f${String(n - 1).padStart(2, '0')}`,
      HTTP,
    ),
  );
  // Above each of the first 32 the begin of the trace is in sight.
  expect(operationsOf(chain)).toEqual(Array(8).fill('program_span'));
});

test('a plain span of two tenants, of which one may mean something else, is kept as a step', () => {
  const two = { ...HTTP, customer_id: 'acme', tenant_id: 'azure-directory' };
  expect(operationsOf([span('b', 'a', two)])).toEqual(['program_span']);
});
