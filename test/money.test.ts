import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSupportedCurrency, minorUnitDecimals, picoPerMinor } from '../src/currencies.ts';
import {
  allocate,
  apportion,
  divideHalfUp,
  exactPico,
  floorDivide,
  formatDecimal,
  formatMinor,
  formatPico,
  parseDecimal,
} from '../src/money.ts';
import { cases } from './support/cases.ts';

const anyAmount = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n });
const weight = fc.bigInt({ min: 0n, max: 10n ** 12n });
const sum = (parts: readonly bigint[]) => parts.reduce((a, b) => a + b, 0n);

describe('allocate', () => {
  it.each([
    // 7 / 3 = 2.33 each; the one left over goes to the earliest of equal remainders.
    { total: 7n, weights: [1n, 1n, 1n], parts: [3n, 2n, 2n] },
    // 500, 333.33, 166.67: floors 500, 333, 166; the one left goes to the remainder of .67.
    { total: 1000n, weights: [300n, 200n, 100n], parts: [500n, 333n, 167n] },
    // No weight says anything, so the division is equal.
    { total: 5n, weights: [0n, 0n], parts: [3n, 2n] },
    // Who weighs nothing gets nothing while another weighs something.
    { total: 5n, weights: [0n, 9n, 0n], parts: [0n, 5n, 0n] },
    { total: 0n, weights: [3n, 1n], parts: [0n, 0n] },
    // A reversal is the mirror of what it reverses.
    { total: -7n, weights: [1n, 1n, 1n], parts: [-3n, -2n, -2n] },
    { total: 1n, weights: [1n], parts: [1n] },
  ])('divides $total over $weights into $parts', ({ total, weights, parts }) => {
    expect(allocate(total, weights)).toEqual(parts);
  });

  it('refuses to divide over nobody', () => {
    expect(() => allocate(1n, [])).toThrow('at least one weight');
  });

  it('gives parts that sum to the whole, each within one unit of its exact share', () => {
    fc.assert(
      fc.property(
        anyAmount,
        fc.array(weight, { minLength: 1, maxLength: 20 }),
        (total, weights) => {
          const parts = allocate(total, weights);
          expect(sum(parts)).toBe(total);
          const all = sum(weights) === 0n ? weights.map(() => 1n) : weights;
          const whole = sum(all);
          for (const [index, part] of parts.entries()) {
            const off = part * whole - total * (all[index] ?? 0n);
            expect(off < whole && off > -whole).toBe(true);
          }
        },
      ),
      cases(300),
    );
  });

  it('gives a heavier weight never less than a lighter one', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 15n }),
        fc.array(weight, { minLength: 2, maxLength: 10 }),
        (total, weights) => {
          const sorted = [...weights].sort((a, b) => (a < b ? 1 : -1));
          const parts = allocate(total, sorted);
          for (const [index, part] of parts.entries()) {
            expect(part >= (parts[index + 1] ?? 0n)).toBe(true);
          }
        },
      ),
      cases(200),
    );
  });
});

describe('apportion', () => {
  it('gives what is left over to the largest remainder, not to the largest amount', () => {
    // 19 and 22 in tens are 1 and 2, and 9 and 2 are left: the unit that is missing goes to the 9.
    expect(apportion(4n, [19n, 22n], 10n)).toEqual([2n, 2n]);
    expect(apportion(4n, [22n, 19n], 10n)).toEqual([2n, 2n]);
    expect(apportion(4n, [11n, 29n], 10n)).toEqual([1n, 3n]);
  });

  it('makes lines of half a cent each add up to the cent that they come to', () => {
    // 0.005 + 0.005 = 0.01; equal remainders, so the first line gets the cent.
    expect(apportion(1n, [5n, 5n], 10n)).toEqual([1n, 0n]);
  });

  it('rounds a negative line toward the figure that makes the total right', () => {
    // 1.7 - 0.4 = 1.3 → 1: floors 1 and -1; one unit left, to the larger remainder (.7 against .6).
    expect(apportion(1n, [17n, -4n], 10n)).toEqual([2n, -1n]);
  });

  it('refuses a total that the lines cannot come to', () => {
    expect(() => apportion(5n, [10n], 10n)).toThrow('cannot apportion 5');
    expect(() => apportion(0n, [10n], 10n)).toThrow('cannot apportion 0');
  });

  it('adds up to the half-up total of any lines, each within one unit', () => {
    fc.assert(
      fc.property(fc.array(anyAmount, { minLength: 1, maxLength: 30 }), (exact) => {
        const unit = 10n ** 10n;
        const total = divideHalfUp(sum(exact), unit);
        const parts = apportion(total, exact, unit);
        expect(sum(parts)).toBe(total);
        for (const [index, part] of parts.entries()) {
          const off = part * unit - (exact[index] ?? 0n);
          expect(off <= unit && off > -unit).toBe(true);
        }
      }),
      cases(300),
    );
  });
});

describe('divideHalfUp', () => {
  it.each([
    [5n, 10n, 1n],
    [4n, 10n, 0n],
    [15n, 10n, 2n],
    // Toward plus infinity at exactly one half, for negative amounts too.
    [-5n, 10n, 0n],
    [-6n, 10n, -1n],
    [-15n, 10n, -1n],
    [0n, 10n, 0n],
  ])('%s / %s rounds to %s', (dividend, divisor, quotient) => {
    expect(divideHalfUp(dividend, divisor)).toBe(quotient);
  });

  it('is never more than half a unit off, and exactly half only above', () => {
    fc.assert(
      fc.property(anyAmount, fc.bigInt({ min: 1n, max: 10n ** 15n }), (dividend, divisor) => {
        const twice = 2n * (divideHalfUp(dividend, divisor) * divisor - dividend);
        expect(twice <= divisor && twice > -divisor).toBe(true);
      }),
      cases(300),
    );
  });

  it('has a floor below it that is the true floor, also of negative amounts', () => {
    fc.assert(
      fc.property(anyAmount, fc.bigInt({ min: 1n, max: 10n ** 15n }), (dividend, divisor) => {
        const floor = floorDivide(dividend, divisor);
        expect(floor * divisor <= dividend && dividend < (floor + 1n) * divisor).toBe(true);
      }),
      cases(300),
    );
  });
});

describe('decimals', () => {
  it.each([
    ['0.075', 6, 75_000n],
    ['0', 6, 0n],
    ['-1.5', 6, -1_500_000n],
    ['12', 0, 12n],
    ['0.000001', 6, 1n],
  ])('reads %s at scale %s as %s', (text, scale, units) => {
    expect(parseDecimal(text, scale)).toBe(units);
  });

  it.each(['', '.5', '5.', '1e3', ' 1', '+1', '1,000', '0x1', 'NaN', '--1', '١'])(
    'refuses %j, which is no plain decimal',
    (text) => {
      expect(parseDecimal(text, 6)).toBeNull();
    },
  );

  it('reads a sum of ours of any size, while what is given has 18 digits at the most', () => {
    const largest = 10n ** 30n;
    expect(exactPico(formatPico(largest))).toBe(largest);
    expect(exactPico(formatPico(-largest * 7n - 1n))).toBe(-largest * 7n - 1n);
    expect(() => exactPico(`${'1'.repeat(19)}.`)).toThrow('is not a decimal');
    expect(parseDecimal('9'.repeat(18), 0)).toBe(10n ** 18n - 1n);
    expect(parseDecimal('9'.repeat(19), 0)).toBeNull();
  });

  it('refuses a decimal finer than the scale rather than round it', () => {
    expect(parseDecimal('0.0000001', 6)).toBeNull();
    expect(parseDecimal('1.5', 0)).toBeNull();
  });

  it('reads back every amount that it writes', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n - 10n ** 18n, max: 10n ** 18n - 1n }),
        fc.integer({ min: 0, max: 12 }),
        (units, scale) => {
          expect(parseDecimal(formatDecimal(units, scale), scale)).toBe(units);
        },
      ),
      cases(300),
    );
  });

  it('writes an exact amount without trailing zeros, and never loses a digit', () => {
    expect(formatPico(1_005_000_000_000n)).toBe('1.005');
    expect(formatPico(10_000_000_000_000n)).toBe('10');
    expect(formatPico(0n)).toBe('0');
    expect(formatPico(-1n)).toBe('-0.000000000001');
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }), (amount) => {
        expect(parseDecimal(formatPico(amount), 12)).toBe(amount);
        expect(formatPico(amount)).not.toMatch(/\.\d*0$|\.$/);
      }),
      cases(300),
    );
  });
});

describe('currencies', () => {
  it('gives each supported currency the decimals of its minor unit', () => {
    expect(formatMinor(101n, 'USD')).toBe('1.01');
    expect(formatMinor(101n, 'JPY')).toBe('101');
    expect(formatMinor(-5n, 'EUR')).toBe('-0.05');
    // A cent is 10^10 picodollars, a yen 10^12.
    expect(picoPerMinor('USD')).toBe(10_000_000_000n);
    expect(picoPerMinor('JPY')).toBe(1_000_000_000_000n);
  });

  it.each(['XBT', 'usd', 'BTC', '', 'toString', '__proto__'])('refuses %j', (currency) => {
    expect(isSupportedCurrency(currency)).toBe(false);
    expect(() => minorUnitDecimals(currency)).toThrow('is not supported');
  });
});
