import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dividePool } from '../../src/allocation/divide-pool.ts';
import { cases } from '../support/cases.ts';

describe('a pool is divided by largest remainder', () => {
  it('over weights 1:1:1 the picodollar left over goes to the earliest tenant', () => {
    // 10 / 3 = 3 each, remainder 1 each: one is left, and the tie goes to "a".
    const shares = dividePool(10n, weights({ c: 1n, a: 1n, b: 1n }));
    expect(shares).toEqual([
      { tenantId: 'a', weight: 1n, share: 4n, remainderPlace: 1, roundedUp: true },
      { tenantId: 'b', weight: 1n, share: 3n, remainderPlace: 2, roundedUp: false },
      { tenantId: 'c', weight: 1n, share: 3n, remainderPlace: 3, roundedUp: false },
    ]);
  });

  it('the largest remainder comes before the earlier tenant', () => {
    // 10 × 1/7 = 1 rest 3; 10 × 2/7 = 2 rest 6; 10 × 4/7 = 5 rest 5: two are left, for b and c.
    const shares = dividePool(10n, weights({ a: 1n, b: 2n, c: 4n }));
    expect(shares.map(({ share, remainderPlace }) => [share, remainderPlace])).toEqual([
      [1n, 3],
      [3n, 1],
      [6n, 2],
    ]);
  });

  it('who weighs nothing has no share, and where nobody weighs there is none at all', () => {
    expect(dividePool(10n, weights({ a: 0n, b: 5n })).map((share) => share.tenantId)).toEqual([
      'b',
    ]);
    expect(dividePool(10n, weights({ a: 0n }))).toEqual([]);
    expect(dividePool(10n, [])).toEqual([]);
  });

  it('shares always sum to the pool, each within a picodollar of its exact part', () => {
    const tenants = fc.dictionary(
      fc.string({ minLength: 1, maxLength: 6 }),
      fc.bigInt({ min: 0n, max: 10n ** 24n }),
      { minKeys: 1, maxKeys: 40 },
    );
    const amounts = fc.bigInt({ min: 1n, max: 10n ** 20n });
    fc.assert(
      fc.property(amounts, tenants, (amount, given) => {
        const shares = dividePool(amount, weights(given));
        const total = Object.values(given).reduce((sum, weight) => sum + weight, 0n);
        const sum = shares.reduce((all, { share }) => all + share, 0n);
        expect(sum).toBe(total === 0n ? 0n : amount);
        for (const { share, weight, roundedUp } of shares) {
          const floor = (amount * weight) / total;
          expect(share).toBe(roundedUp ? floor + 1n : floor);
        }
        // Those rounded up are exactly the first places.
        const up = shares.filter((one) => one.roundedUp).map((one) => one.remainderPlace);
        expect(up.sort((a, b) => a - b)).toEqual(up.map((_, index) => index + 1));
      }),
      cases(50),
    );
  });
});

function weights(of: Readonly<Record<string, bigint>>) {
  return Object.entries(of).map(([tenantId, weight]) => ({ tenantId, weight }));
}
