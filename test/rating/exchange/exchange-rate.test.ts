import { expect, it } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { convert, findConversion } from '../../../src/rating/exchange/exchange-rate.ts';

const DAY = parseInstant('2026-10-02T00:00:00Z');

function version(versionId: bigint, day: string, rates: Readonly<Record<string, bigint>>) {
  const effectiveFrom = parseInstant(`${day}T00:00:00Z`);
  return { versionId, base: 'EUR', effectiveFrom, rates: new Map(Object.entries(rates)) };
}

const VERSIONS = [
  version(3n, '2026-10-03', { USD: 1_200_000_000_000n }),
  version(2n, '2026-10-02', { USD: 1_250_000_000_000n, GBP: 800_000_000_000n }),
  version(1n, '2026-10-01', { USD: 1_100_000_000_000n, JPY: 160_000_000_000_000n }),
];

function converted(amount: bigint, from: string, to: string): bigint | null {
  const conversion = findConversion(VERSIONS, { from, to, at: DAY });
  return conversion === null ? null : convert(amount, conversion);
}

it('an amount is converted to the base, from it, and through it', () => {
  expect(converted(1_250n, 'USD', 'EUR')).toBe(1_000n);
  expect(converted(1_000n, 'EUR', 'USD')).toBe(1_250n);
  // $1.25 is €1 is £0.80.
  expect(converted(1_250n, 'USD', 'GBP')).toBe(800n);
});

it('is rounded half up once', () => {
  // 1 / 1.25 = 0.8, 2 / 1.25 = 1.6; 5 x 0.8 / 1.25 = 3.2
  expect([1n, 2n].map((amount) => converted(amount, 'USD', 'EUR'))).toEqual([1n, 2n]);
  expect(converted(5n, 'USD', 'GBP')).toBe(3n);
});

it('is by the newest rates of its time that know both currencies', () => {
  expect(findConversion(VERSIONS, { from: 'USD', to: 'EUR', at: DAY })?.versionId).toBe(2n);
  expect(findConversion(VERSIONS, { from: 'JPY', to: 'EUR', at: DAY })?.versionId).toBe(1n);
  expect(findConversion(VERSIONS, { from: 'USD', to: 'EUR', at: DAY - 1 })?.versionId).toBe(1n);
});

it('is by rates that are put right within the second of their begin, at its very instant', () => {
  const wrong = version(4n, '2026-10-04', { USD: 12_000_000_000_000n });
  const right = { ...wrong, versionId: 5n, effectiveFrom: wrong.effectiveFrom + 1 };
  const at = (instant: number) =>
    findConversion([right, wrong, ...VERSIONS], { from: 'USD', to: 'EUR', at: instant });
  expect(at(wrong.effectiveFrom)?.versionId).toBe(5n);
  expect(at(wrong.effectiveFrom - 1)?.versionId).toBe(3n);
});

it('is nothing where no rate is known', () => {
  expect(converted(5n, 'CHF', 'EUR')).toBeNull();
  const early = parseInstant('2026-09-30T00:00:00Z');
  expect(findConversion(VERSIONS, { from: 'USD', to: 'EUR', at: early })).toBeNull();
});
