import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { acceptorOf } from '../../src/events/acceptor.ts';
import type { NativeReading } from '../../src/events/native-event.ts';
import {
  acceptsNativeEvent,
  nativeEventSchema,
  parseNativeEvent,
  readNativeEvent,
} from '../../src/events/native-event.ts';
import { nativeEvent } from '../support/ledger.ts';

const RECEIVED_AT = Date.parse('2026-10-20T12:00:00Z');

/** A whole event, so that a change to any field is tried. */
const WHOLE = nativeEvent({
  started_at: '2026-10-15T11:59:58.250+02:00',
  error_type: 'none',
  operation: 'chat',
  provider: 'east',
  executed_model: 'small',
  response_id: 'r1',
  service_tier: 'batch',
  gateway_cache: 'exact',
  attempt: 2,
  layers: { prompt: 1, tool: null, memory: 2, response: 3 },
  customer_id: null,
  usage: { input_tokens: 9, output_tokens: 9, input_audio_tokens: 3, images: 1, estimated: true },
  provider_usage: { prompt_tokens: 3, details: { cached: [1] } },
  reported_cost: { amount: '0.1', currency: 'USD', source: 'x' },
  call_id: 'c',
  hold_id: 'h',
  tags: { zone: 'a', constructor: 'b' },
  trace_id: 't',
  members: [
    { member_id: 'a', weight: 0.5, status: 'ok' },
    { member_id: 'b', input_tokens: 3, tenant_id: 'bolt' },
  ],
});

/** What producers get wrong, what is only just allowed, and what JSON can hold besides. */
const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1_000_000,
  1_000_001,
  1_000_000_000_000,
  1_000_000_000_001,
  2 ** 60,
  '',
  'x',
  'x'.repeat(100),
  'x'.repeat(101),
  'x'.repeat(200),
  'x'.repeat(501),
  'nul\u0000',
  'lone \ud800',
  'ok',
  'standard',
  'constructor',
  '2026-10-15T12:00:00Z',
  '2026-10-15T12:00:00',
  '2026-02-30T12:00:00.000Z',
  [],
  {},
  [{}],
  [{ member_id: 'a' }, { member_id: 'b', weight: -1 }],
  { input_tokens: 1, output_tokens: 2 },
  { input_tokens: 1 },
  { a: 'b' },
  { a: 1 },
  JSON.parse('{"__proto__": "x", "b": "c"}'),
  Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`k${index}`, 'v'])),
];

const FIELDS = [...Object.keys(nativeEventSchema.shape), 'nobody_knows'];

const change = fc.record({
  field: fc.constantFrom(...FIELDS),
  inside: fc.option(
    fc.constantFrom('input_tokens', 'prompt', 'zone', '0', 'estimated', 'images', 'amount'),
  ),
  value: fc.oneof(fc.constantFrom(...VALUES), fc.jsonValue({ maxDepth: 2 })),
  drop: fc.boolean(),
});

function changed(
  event: Readonly<Record<string, unknown>>,
  {
    field,
    inside,
    value,
    drop,
  }: { field: string; inside: string | null; value: unknown; drop: boolean },
): Record<string, unknown> {
  const copy = JSON.parse(JSON.stringify(event));
  const part = copy[field];
  const target = inside !== null && typeof part === 'object' && part !== null ? part : copy;
  const name = target === copy ? field : (inside ?? field);
  if (drop) Reflect.deleteProperty(target, name);
  else Reflect.set(target, name, value);
  return JSON.parse(JSON.stringify(copy));
}

describe('the acceptor of native events', () => {
  it('accepts an event with every field, so that zod is spared', () => {
    expect(acceptsNativeEvent(WHOLE)).toBe(true);
    expect(acceptsNativeEvent(nativeEvent())).toBe(true);
  });

  it.each([['text'], [null], [undefined], [[]], [7], [new Date(0)]])(
    'leaves %j to zod',
    (value) => {
      expect(acceptsNativeEvent(value)).toBe(false);
    },
  );

  it('accepts only what zod takes, and what is read is then the same', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 3 }), (changes) => {
        const event = changes.reduce(changed, WHOLE);
        if (!acceptsNativeEvent(event)) return;
        expect(withoutNative(readNativeEvent(event, RECEIVED_AT))).toEqual(
          withoutNative(parseNativeEvent(event, RECEIVED_AT)),
        );
      }),
      { numRuns: Number(process.env['SPANLEDGER_CASES'] ?? 2_000) },
    );
  });

  it('leaves to zod little that zod would take', () => {
    const sample = fc.sample(fc.array(change, { maxLength: 2 }), { numRuns: 500, seed: 7 });
    const events = sample.map((changes) => changes.reduce(changed, WHOLE));
    const valid = events.filter((event) => nativeEventSchema.safeParse(event).success);
    expect(valid.length).toBeGreaterThan(50);
    expect(valid.filter((event) => !acceptsNativeEvent(event) && !hasProto(event))).toEqual([]);
  });
});

function withoutNative(reading: NativeReading) {
  return { ...reading, native: null };
}

function hasProto(event: Readonly<Record<string, unknown>>): boolean {
  return JSON.stringify(event).includes('__proto__');
}

describe('an acceptor', () => {
  it('of a strict object takes no field that it does not know, and misses none', () => {
    const accepts = acceptorOf(z.strictObject({ a: z.string(), b: z.string().nullish() }));
    expect(accepts({ a: 'x' })).toBe(true);
    expect(accepts({ a: 'x', b: null })).toBe(true);
    for (const value of [{}, { b: 'x' }, { a: 'x', c: 'x' }, { a: 1 }]) {
      expect(accepts(value)).toBe(false);
    }
  });

  it.each([
    ['a transform', z.string().transform((text) => text.length)],
    ['a default', z.object({ a: z.string().default('x') })],
    ['a check that it does not know', z.string().regex(/x/)],
    ['an object with a catchall', z.object({}).catchall(z.string())],
    ['a union', z.union([z.string(), z.number()])],
    ['a trimmed text', z.string().trim()],
  ])('leaves %s to zod', (_, schema) => {
    const accepts = acceptorOf(schema as z.ZodType);
    for (const value of ['x', { a: 'x' }, {}, 1]) expect(accepts(value)).toBe(false);
  });
});
