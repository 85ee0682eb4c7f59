import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { billableOf } from '../../../src/ledger/closes/billable.ts';
import { cases } from '../../support/cases.ts';

const CENT = 10_000_000_000n;
const MICRO = 1_000_000n;

describe('billableOf (R14)', () => {
  it('bills 1.004999600000 with 500,000 p carried in as 1,005,000 microdollars, total 1.01', () => {
    // 1.004999600000 + 0.0000005 = 1.005000100000 → 1.005000 + 100,000 p; 100.5 cents half up = 101.
    expect(billableOf(1_004_999_600_000n, 500_000n, 'USD')).toEqual({
      billableMicro: 1_005_000n,
      carriedOut: 100_000n,
      total: 101n,
    });
  });

  it.each([
    ['nothing', 0n, 0n, { billableMicro: 0n, carriedOut: 0n, total: 0n }],
    ['below a microdollar', 999_999n, 0n, { billableMicro: 0n, carriedOut: 999_999n, total: 0n }],
    ['remainders that make one', 999_999n, 1n, { billableMicro: 1n, carriedOut: 0n, total: 0n }],
    // 0.004999 rounds to 0.00, 0.005 to 0.01
    [
      'just below half a cent',
      4999n * MICRO,
      0n,
      { billableMicro: 4999n, carriedOut: 0n, total: 0n },
    ],
    ['half a cent', 5000n * MICRO, 0n, { billableMicro: 5000n, carriedOut: 0n, total: 1n }],
    // Corrections exceed the usage: zero is billed, and the whole negative goes on.
    ['a negative sum', -3n * CENT, 0n, { billableMicro: 0n, carriedOut: -3n * CENT, total: 0n }],
    // 5 cents of usage against 3 carried: 2 cents.
    [
      'what is left of a negative',
      5n * CENT,
      -3n * CENT,
      { billableMicro: 20_000n, carriedOut: 0n, total: 2n },
    ],
  ])('bills %s', (_, exact, carriedIn, billable) => {
    expect(billableOf(exact, carriedIn, 'USD')).toEqual(billable);
  });

  it('rounds a currency without minor unit to whole units', () => {
    // 1.5 yen half up = 2.
    expect(billableOf(1_500_000_000_000n, 0n, 'JPY').total).toBe(2n);
  });

  it.each([
    ['ISK', 2_400_000_000_000n, 200n],
    ['KWD', 1_234_000_000_000n, 1230n],
  ])(
    'says a total of %s in minor units, of which the last are never billed',
    (currency, exact, total) => {
      // Stripe bills whole krónur, of a hundred aurar; and dinars to two of their three decimals.
      expect(billableOf(exact, 0n, currency).total).toBe(total);
    },
  );

  it('conserves every picodollar over any chain of periods', () => {
    const exact = fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n });
    fc.assert(
      fc.property(fc.array(exact, { maxLength: 24 }), (periods) => {
        let carried = 0n;
        let billed = 0n;
        for (const sum of periods) {
          const billable = billableOf(sum, carried, 'USD');
          expect(billable.billableMicro >= 0n).toBe(true);
          expect(billable.total >= 0n).toBe(true);
          expect(billable.carriedOut < MICRO).toBe(true);
          carried = billable.carriedOut;
          billed += billable.billableMicro;
        }
        expect(billed * MICRO + carried).toBe(periods.reduce((a, b) => a + b, 0n));
      }),
      cases(300),
    );
  });
});
