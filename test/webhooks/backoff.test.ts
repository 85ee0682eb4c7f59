import fc from 'fast-check';
import { expect, it } from 'vitest';
import { nextTry, readRetryAfter } from '../../src/webhooks/backoff.ts';

const [SECOND, HOUR] = [1000, 3_600_000];
const NOW = Date.UTC(2026, 9, 20, 12);

it('whatever a receiver wants, the next try is never sooner than without it, and never after three days', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 0, max: 80 * HOUR }),
      fc.integer({ min: -10 * HOUR, max: 1000 * HOUR }),
      (attempts, age, asked) => {
        const times = { first: NOW - age, now: NOW };
        const plain = nextTry(attempts, { ...times, notBefore: null });
        const next = nextTry(attempts, { ...times, notBefore: NOW + asked });
        expect(next === null).toBe(plain === null);
        if (next === null || plain === null) return;
        expect(next).toBeGreaterThanOrEqual(plain);
        expect(next).toBeLessThanOrEqual(NOW - age + 72 * HOUR);
        if (next < NOW - age + 72 * HOUR) expect(next).toBeGreaterThanOrEqual(NOW + asked);
      },
    ),
  );
});

it.each<readonly [string | null, number | null]>([
  ['120', NOW + 120 * SECOND],
  [' 0 ', NOW],
  ['Tue, 20 Oct 2026 12:05:00 GMT', NOW + 300 * SECOND],
  ['Tuesday, 20-Oct-26 12:05:00 GMT', NOW + 300 * SECOND],
  ['-5', null],
  ['1.5', null],
  ['soon', null],
  ['99999999999', null],
  ['', null],
  [null, null],
])('Retry-After %j', (header, instant) => {
  expect(readRetryAfter(header, NOW)).toBe(instant);
});
