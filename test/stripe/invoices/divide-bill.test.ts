import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import type { Calendar } from '../../../src/periods/calendar.ts';
import { eventTimestampOf } from '../../../src/push/push-target.ts';
import { periodsBilledBy } from '../../../src/stripe/invoices/billed-period.ts';
import { divideQuantity } from '../../../src/stripe/invoices/divide-bill.ts';

const micro = fc.bigInt({ min: 0n, max: 10n ** 12n });
const values = fc.array(micro, { minLength: 1, maxLength: 6 });

function sumOf(parts: readonly bigint[]): bigint {
  return parts.reduce((sum, part) => sum + part, 0n);
}

it('the parts of a bill sum to it, whatever is guessed of them', () => {
  const given = fc.integer({ min: 1, max: 6 }).chain((length) => {
    const guess = fc.array(micro, { minLength: length, maxLength: length });
    return fc.tuple(fc.bigInt({ min: -1n, max: 10n ** 12n }), guess, guess, guess);
  });
  fc.assert(
    fc.property(given, ([quantity, before, told, due]) => {
      const parts = divideQuantity(quantity, [before, told, due]);
      expect(parts).toHaveLength(told.length);
      expect(sumOf(parts)).toBe(quantity);
    }),
  );
});

it('what was told in time of each period is its part, and what was told too late is none', () => {
  const told = values.chain((all) =>
    fc.tuple(
      fc.constant(all),
      fc.array(fc.boolean(), { minLength: all.length, maxLength: all.length }),
    ),
  );
  fc.assert(
    fc.property(told, ([all, isInTime]) => {
      const billed = all.map((value, index) => (isInTime[index] === true ? value : 0n));
      const nothing = all.map(() => 0n);
      const parts = divideQuantity(sumOf(billed), [nothing, all, nothing]);
      // Two periods may come to the same, and then it does not matter which of them is billed.
      expect(sumOf(parts)).toBe(sumOf(billed));
      for (const [index, part] of parts.entries()) expect([0n, all[index]]).toContain(part);
    }),
  );
});

it('what was divided once stays so', () => {
  fc.assert(
    fc.property(values, (before) => {
      const told = before.map((value) => value + 1n);
      expect(divideQuantity(sumOf(before), [before, told, told])).toEqual(before);
    }),
  );
});

const OCTOBER = {
  start: parseInstant('2026-10-01T00:00:00Z') / 1000,
  end: parseInstant('2026-11-01T00:00:00Z') / 1000,
};

it('each period whose event falls into the month of Stripe’s is billed there, and none of another month', () => {
  const seconds = fc.integer({ min: OCTOBER.start - 40 * 86_400, max: OCTOBER.end + 40 * 86_400 });
  fc.assert(
    fc.property(fc.uniqueArray(seconds, { maxLength: 4 }), (changes) => {
      const rules = changes
        .toSorted((one, other) => one - other)
        .map((at) => ({ effectiveFrom: at * 1000, timeZone: 'UTC', anchorDay: 1 }));
      const calendar: Calendar = [{ effectiveFrom: null, timeZone: 'UTC', anchorDay: 1 }, ...rules];
      const periods = periodsBilledBy(calendar, OCTOBER);
      for (const period of periods) {
        const dated = eventTimestampOf(period);
        expect(OCTOBER.start <= dated && dated < OCTOBER.end).toBe(true);
      }
      const starts = periods.map(({ startsAt }) => startsAt);
      expect(starts).toEqual(starts.toSorted((one, other) => one - other));
      // The period that ends with October is always one of them.
      expect(periods.at(-1)?.endsAt).toBe(OCTOBER.end * 1000);
    }),
  );
});
