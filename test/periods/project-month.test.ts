import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { projectMonth } from '../../src/periods/project-month.ts';

describe('a projection', () => {
  it('takes each day to come as the same weekdays were, and never less of today than there is', () => {
    // Four weeks of 10 a day, but 3 on the day that is one after today.
    const daysBefore = Array.from({ length: 28 }, (_, back) => ((back + 2) % 7 === 0 ? 3n : 10n));
    const asked = { toDate: 100n, daysBefore, daysToCome: 2 };
    // 100 + (10 - 4 of today) + 3 + 10
    expect(projectMonth({ ...asked, today: 4n })).toEqual({
      charge: 119n,
      method: 'weekdays',
      fromDays: 28,
    });
    expect(projectMonth({ ...asked, today: 40n })?.charge).toBe(113n);
  });

  it('of few days takes each day to come as they were on the average', () => {
    const asked = { toDate: 9n, today: 3n, daysBefore: [2n, 4n], daysToCome: 3 };
    expect(projectMonth(asked)).toEqual({ charge: 18n, method: 'days', fromDays: 2 });
    expect(projectMonth({ ...asked, daysBefore: [] })).toBeNull();
  });

  it('of equal days is the month at that rate, and never less than what is there', () => {
    const amounts = fc.bigInt({ min: 0n, max: 10n ** 18n });
    fc.assert(
      fc.property(
        amounts,
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 0, max: 30 }),
        (a, n, days) => {
          const asked = {
            toDate: a,
            today: a,
            daysBefore: Array.from({ length: n }, () => a),
            daysToCome: days,
          };
          expect(projectMonth(asked)?.charge).toBe(a * BigInt(days + 1));
        },
      ),
    );
    fc.assert(
      fc.property(
        amounts,
        fc.array(amounts, { minLength: 1, maxLength: 30 }),
        (toDate, daysBefore) => {
          const asked = { toDate, today: 0n, daysBefore, daysToCome: 5 };
          expect((projectMonth(asked)?.charge ?? 0n) >= toDate).toBe(true);
        },
      ),
    );
  });
});
