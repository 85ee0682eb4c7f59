import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeOtlpProtobuf } from '../../../src/events/otlp/otlp-protobuf.ts';

const directory = new URL('../../fixtures/otlp/', import.meta.url);
const name = 'ai-sdk-7.0.173_otel-1.0.173.traces';
const captured = readFileSync(new URL(`${name}.pb`, directory));

/** One length-delimited field, as the wire writes it. */
function field(number: number, content: Uint8Array): Buffer {
  const length: number[] = [];
  for (let rest = content.length; ; rest >>>= 7) {
    length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 0x7f) break;
  }
  return Buffer.from([number * 8 + 2, ...length, ...content]);
}

/** A request of one span with one attribute of this value. */
function requestWith(value: Uint8Array): Buffer {
  const attribute = Buffer.concat([field(1, Buffer.from('key')), field(2, value)]);
  const ids = [field(1, Buffer.alloc(16, 1)), field(2, Buffer.alloc(8, 1))];
  return field(1, field(2, field(2, Buffer.concat([...ids, field(9, attribute)]))));
}

function readBack(value: Uint8Array): unknown {
  const resourceSpans = [
    { scopeSpans: [{ spans: [{ attributes: [{ key: 'key', value: {} }] }] }] },
  ];
  const decoded = decodeOtlpProtobuf(requestWith(value)) as { resourceSpans: typeof resourceSpans };
  return decoded.resourceSpans[0]?.scopeSpans[0]?.spans[0]?.attributes[0]?.value;
}

test('the reader gives every attribute, id and time that the JSON encoding has', () => {
  const json = JSON.parse(readFileSync(new URL(`${name}.json`, directory), 'utf8'));
  // The JSON encoding writes counters and flags that are read nowhere, and zeros that protobuf omits.
  expect(readPart(decodeOtlpProtobuf(captured))).toEqual(readPart(json));
});

interface Span {
  readonly traceId: string;
  readonly attributes: unknown;
  readonly startTimeUnixNano: string;
  readonly status: { readonly code?: number };
}

function readPart(request: object): unknown {
  const { resourceSpans } = request as {
    resourceSpans: {
      resource: { attributes: unknown };
      scopeSpans: { scope: object; spans: Span[] }[];
    }[];
  };
  return resourceSpans.map(({ resource, scopeSpans }) => ({
    resource: resource.attributes,
    scopeSpans: scopeSpans.map(({ scope, spans }) => ({
      scope,
      spans: spans.map((span) => ({
        ...pick(span, ['traceId', 'spanId', 'parentSpanId', 'name', 'kind']),
        ...pick(span, ['startTimeUnixNano', 'endTimeUnixNano', 'attributes']),
        code: span.status.code ?? 0,
      })),
    })),
  }));
}

function pick(span: object, names: readonly string[]) {
  return Object.fromEntries(Object.entries(span).filter(([key]) => names.includes(key)));
}

test('every truncation of a captured request is refused with an error', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: captured.length - 1 }), (length) => {
      expect(() => decodeOtlpProtobuf(captured.subarray(0, length))).toThrow(/protobuf/);
    }),
  );
});

test('arbitrary bytes are read or refused with an error of ours', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        decodeOtlpProtobuf(bytes);
      } catch (error) {
        expect(String(error)).toMatch(/^Error: the protobuf/);
      }
    }),
    { numRuns: 1000 },
  );
});

test('an empty request has no spans', () => {
  expect(decodeOtlpProtobuf(new Uint8Array())).toEqual({ resourceSpans: [] });
});

test.each<[string, Uint8Array, object]>([
  ['text', field(1, Buffer.from('caf\u00e9')), { stringValue: 'café' }],
  ['true', Buffer.from([16, 1]), { boolValue: true }],
  [
    'minus one',
    Buffer.from([24, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]),
    { intValue: -1 },
  ],
  ['zero', Buffer.from([24, 0]), { intValue: 0 }],
  ['one and a half', Buffer.from([33, 0, 0, 0, 0, 0, 0, 248, 63]), { doubleValue: 1.5 }],
  [
    'a list',
    field(5, field(1, field(1, Buffer.from('a')))),
    { arrayValue: { values: [{ stringValue: 'a' }] } },
  ],
  // 2^62 is no exact number in JavaScript, so it stays in digits.
  [
    'a large integer',
    Buffer.from([24, 128, 128, 128, 128, 128, 128, 128, 128, 64]),
    { intValue: '4611686018427387904' },
  ],
])('an attribute of %s is read', (_what, bytes, value) => {
  expect(readBack(bytes)).toEqual(value);
});

test('a field that this version does not know is skipped', () => {
  const unknown = Buffer.from([0xf8, 0x01, 7, 0xf5, 0x01, 1, 2, 3, 4]);
  expect(decodeOtlpProtobuf(unknown)).toEqual({ resourceSpans: [] });
});

test.each<[string, Uint8Array, RegExp]>([
  ['a length beyond the end', Buffer.from([10, 5, 1]), /5 bytes are due at byte 2/],
  ['a group, which protobuf gave up', Buffer.from([11]), /wire type 3/],
  ['a field number of zero', Buffer.from([0, 0]), /no number/],
  ['an integer without end', Buffer.from([8, ...Array(11).fill(255)]), /longer than 10 bytes/],
  ['text where a message belongs', Buffer.from([8, 1]), /field resourceSpans/],
])('%s is refused', (_what, bytes, message) => {
  expect(() => decodeOtlpProtobuf(bytes)).toThrow(message);
});

test('values nested without end are refused before they exhaust the stack', () => {
  let value = field(1, Buffer.from('deep'));
  for (let depth = 0; depth < 2000; depth += 1) value = field(5, field(1, value));
  expect(() => decodeOtlpProtobuf(requestWith(value))).toThrow(/deeper than 32 levels/);
});

/** A number of 64 bits in its fixed form, as times are written. */
function fixed64(number: number, value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return Buffer.concat([Buffer.from([number * 8 + 1]), bytes]);
}

test('log records are told from spans, which have ids in their place', () => {
  const attribute = Buffer.concat([
    field(1, Buffer.from('event.name')),
    field(2, field(1, Buffer.from('api_request'))),
  ]);
  const record = Buffer.concat([fixed64(1, 1792065600000000000n), field(6, attribute)]);
  const decoded = decodeOtlpProtobuf(field(1, field(2, field(2, record))));
  expect(decoded).toEqual({
    resourceLogs: [
      {
        scopeLogs: [
          {
            logRecords: [
              {
                timeUnixNano: '1792065600000000000',
                attributes: [{ key: 'event.name', value: { stringValue: 'api_request' } }],
              },
            ],
          },
        ],
      },
    ],
  });
});
