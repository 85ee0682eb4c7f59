import { expect, test } from 'vitest';
import { cutBody } from '../../src/events/cut-body.ts';
import { readBody } from '../../src/events/read-body.ts';
import { heavyMessages, hostileMessages } from '../support/hostile-messages.ts';

const CONTEXT = { receivedAt: Date.parse('2026-10-20T13:00:00Z'), litellmKey: null };

/** A message that is read for longer is given to another worker. */
const VISIBLE_AGAIN_MS = 20_000;

test.each(Object.entries(hostileMessages()))(
  '%s is refused before an object is made of it',
  (_, { body, attributes = {}, reason, rows = 1 }) => {
    const started = performance.now();
    const items = readBody(body, { ...CONTEXT, attributes });
    const kept = items.map((item) => cutBody(item.body(), { kind: 'keep' }));
    const tookMs = performance.now() - started;

    expect([
      ...new Set(items.map((item) => (item.kind === 'refused' ? item.reason : item.kind))),
    ]).toEqual([reason]);
    expect(items).toHaveLength(rows);
    expect(tookMs).toBeLessThan(VISIBLE_AGAIN_MS);
    expect(kept.every((one) => one.body.length < 1_000_000)).toBe(true);
  },
);

test.each(Object.entries(heavyMessages()))('%s is read, and in time', (_, { body }) => {
  const started = performance.now();
  const items = readBody(body, { ...CONTEXT, attributes: {} });
  expect(performance.now() - started).toBeLessThan(VISIBLE_AGAIN_MS);
  expect(items.every((item) => item.kind === 'event')).toBe(true);
});

test('what a refusal says holds what was counted', () => {
  const [item] = readBody(`[${'0,'.repeat(20_000)}0]`, { ...CONTEXT, attributes: {} });
  expect(item).toMatchObject({ reason: 'too_large', detail: expect.stringContaining('20001') });
});
