import { expect, it } from 'vitest';
import { openClient } from '../../src/client/client.ts';
import type { UnmeteredCall } from '../../src/client/client-contract.ts';
import { nativeEvent } from '../support/ledger.ts';

/** Whatever an application hands over, metering fails no call, and each call is recorded or told of. */

const within: Record<string, unknown> = { input_tokens: 1 };
within['itself'] = within;
const revoked = Proxy.revocable({}, {});
revoked.revoke();
const refusing = () => {
  throw new Error('not for you');
};
const traps = { get: refusing, has: refusing, ownKeys: refusing, getPrototypeOf: refusing };
const deep = (depth: number) => {
  let value: object = { input_tokens: 1 };
  for (let level = 0; level < depth; level += 1) value = { usage: value };
  return value;
};

const HOSTILE: Readonly<Record<string, unknown>> = {
  null: null,
  'an object within itself': { usage: within, within },
  'a bigint': { input_tokens: 10n, model: 10n },
  'a function': () => 'text',
  'a symbol': Symbol('text'),
  'a proxy that refuses': new Proxy({}, traps),
  'a proxy that was revoked': revoked.proxy,
  'an object whose getter throws': Object.defineProperty({}, 'usage', {
    get: refusing,
    enumerable: true,
  }),
  'an object whose toJSON throws': { usage: { input_tokens: 1, toJSON: refusing } },
  'an object that throws what cannot be written': {
    get usage() {
      throw Object.create(null);
    },
  },
  'an object that is deeper than any stack': deep(50_000),
  'a prompt of many megabytes': { prompt: 'a word '.repeat(3_000_000), model: 'gpt-4o' },
  'numbers that are none': { input_tokens: Number.NaN, output_tokens: Number.POSITIVE_INFINITY },
  'a map': new Map([['model', 'gpt-4o']]),
};

function open() {
  const unmetered: UnmeteredCall[] = [];
  const usage = openClient({
    ...{ queueUrl: 'http://127.0.0.1:1/0/usage', folder: null, flushMs: 60_000 },
    server: { url: 'http://127.0.0.1:1', key: 'a key' },
    onUnmetered: (call) => unmetered.push(call),
    onLost: () => {},
  });
  return { usage, unmetered };
}

it.each(Object.keys(HOSTILE))(
  '%s in an event is taken or refused, and never thrown',
  async (name) => {
    const { usage, unmetered } = open();
    const value = HOSTILE[name];
    const events = [value, { ...nativeEvent(), tags: value }, { ...nativeEvent(), usage: value }];
    const counted = [...events, { ...nativeEvent(), usage: undefined, provider_usage: value }];
    for (const event of counted) {
      expect(usage.record(event as never).kind).toMatch(/accepted|refused/);
      usage.meter(event as never);
    }
    const { accepted, refused } = usage.status();
    expect(accepted + refused).toBe(2 * counted.length);
    expect(unmetered.length).toBe(refused / 2);
    await usage.close({ deadlineMs: 0 });
  },
);

it.each(Object.keys(HOSTILE))(
  '%s in a trace and its spans fails nothing, and is told',
  async (name) => {
    const { usage, unmetered } = open();
    const value = HOSTILE[name] as never;
    const trace = await usage.startTrace({ name: value, metadata: value });
    const spans = [
      await trace.addSpan({ input: value, metadata: value }),
      await trace.addSpan(value),
      await trace.addSpan(),
    ];
    await spans[0]?.end({ output: value, metadata: value, errorType: value });
    await spans[1]?.end({ output: { usage: value, model: value } });
    await spans[2]?.end(value);
    await trace.end();
    // Each span is an event or was told, and so is what of its beginning could not be read.
    expect(usage.status().accepted + unmetered.length).toBeGreaterThanOrEqual(4);
    await usage.close({ deadlineMs: 0 });
  },
);

it.each(Object.keys(HOSTILE))(
  '%s that a guarded call answers comes back as it is',
  async (name) => {
    const { usage, unmetered } = open();
    const value = HOSTILE[name];
    const call = { tenantId: 'acme', model: 'gpt-4o', onUnavailable: 'allow' } as const;
    const given = await usage.guard(call, () => [value]);
    expect(given[0] === value).toBe(true);
    // To await such a proxy throws by itself, since the language asks it for a then.
    const isAwaited = !name.startsWith('a proxy');
    if (isAwaited) expect((await usage.guard(call, () => value as object)) === value).toBe(true);
    expect(usage.status().accepted + unmetered.length).toBe(isAwaited ? 2 : 1);
    await usage.close({ deadlineMs: 0 });
  },
);
