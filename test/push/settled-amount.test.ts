import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { minorUnitDecimals, SUPPORTED_CURRENCIES } from '../../src/currencies.ts';
import { billableOf } from '../../src/ledger/closes/billable.ts';
import { formatMinor } from '../../src/money.ts';
import { coversBill, settledMicro } from '../../src/push/settled-amount.ts';

const settle = (amount: string, currency: string, due: bigint) =>
  settledMicro({ amount, month: '2026-10' }, { currency, due });

describe('what a person settles', () => {
  it('is all that is due where it is the total of the statement, in every currency', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SUPPORTED_CURRENCIES),
        fc.bigInt({ min: 1n, max: 10n ** 12n }),
        (currency, due) => {
          const { total } = billableOf(due * 1_000_000n, 0n, currency);
          expect(settle(formatMinor(total, currency), currency, due)).toBe(due);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ['0', 'USD', 2_500n, 2_500n],
    ['0.00', 'USD', 4_999n, 4_999n],
    ['0.01', 'USD', 5_000n, 5_000n],
    ['1.000', 'KWD', 1_001_652n, 1_001_652n],
    ['1.002', 'KWD', 1_001_652n, 1_001_652n],
    ['1.001', 'KWD', 1_001_652n, 1_001_000n],
    ['0', 'KWD', 652n, 652n],
    ['12', 'ISK', 12_400_000n, 12_400_000n],
    ['12.40', 'ISK', 12_400_000n, 12_400_000n],
    ['12.10', 'ISK', 12_400_000n, 12_100_000n],
  ])('%s %s of %s micro settles %s', (amount, currency, due, settled) => {
    expect(settle(amount, currency, due)).toBe(settled);
  });

  it.each([
    ['0', 'USD', 5_000n, 'settles nothing'],
    ['0', 'USD', 0n, 'settles nothing'],
    ['0.02', 'USD', 5_000n, 'is due, and 0.02 is more'],
    ['0.01', 'USD', 0n, 'is due, and 0.01 is more'],
    ['-1', 'USD', 5_000_000n, 'is not a valid amount in USD'],
    ['0.001', 'USD', 5_000_000n, 'is not a valid amount in USD'],
    ['a', 'JPY', 5_000_000n, 'is not a valid amount in JPY'],
  ])('%s %s of %s micro is refused, since it %s', (amount, currency, due, why) => {
    expect(() => settle(amount, currency, due)).toThrow(why);
  });

  it('is never more than is due, nor less than the amount says', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SUPPORTED_CURRENCIES),
        fc.bigInt({ min: 1n, max: 10n ** 9n }),
        fc.bigInt({ min: 1n, max: 10n ** 4n }),
        (currency, due, minor) => {
          const micro = minor * 10n ** BigInt(6 - minorUnitDecimals(currency));
          fc.pre(micro <= due);
          const settled = settle(formatMinor(minor, currency), currency, due);
          expect(settled === micro || settled === due).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('what is settled of what an invoice bills', () => {
  it('covers it where it is the total of that invoice, in every currency', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SUPPORTED_CURRENCIES),
        fc.bigInt({ min: 1n, max: 10n ** 12n }),
        fc.bigInt({ min: 1n, max: 10n ** 12n }),
        (currency, micro, rest) => {
          const { total } = billableOf(micro * 1_000_000n, 0n, currency);
          fc.pre(total > 0n);
          const settled = settle(formatMinor(total, currency), currency, micro + rest);
          expect(coversBill(settled, { micro, currency })).toBe(true);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ['USD', 6_239_715n, 6_239_715n, true],
    ['USD', 6_239_715n, 6_239_714n, false],
    ['USD', 6_231_200n, 6_230_000n, true],
    ['USD', 6_231_200n, 6_229_999n, false],
    ['USD', 2_500n, 0n, false],
    ['USD', 2_500n, 2_500n, true],
  ])('of %s %s micro, %s settled cover it: %s', (currency, micro, settled, covers) => {
    expect(coversBill(settled, { micro, currency })).toBe(covers);
  });
});
