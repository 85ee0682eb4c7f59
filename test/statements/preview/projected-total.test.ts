import fc from 'fast-check';
import { expect, it } from 'vitest';
import { exactPico, formatPico } from '../../../src/money.ts';
import { projectTotal } from '../../../src/statements/preview/projected-total.ts';
import { cases } from '../../support/cases.ts';

const DAYS = Array.from(
  { length: 30 },
  (_, index) => `2026-11-${String(index + 1).padStart(2, '0')}`,
);

interface Day {
  readonly day: string;
  readonly model: string;
  readonly late: boolean;
  readonly charge: string;
}

function used(days: number, charge = '1'): readonly Day[] {
  return DAYS.slice(0, days).map((day) => ({ day, model: 'gpt-4o', late: false, charge }));
}

function project(daily: readonly Day[], today: string, more: { once?: string; in?: string } = {}) {
  const sum = daily.reduce((all, { charge }) => all + exactPico(charge), 0n);
  return projectTotal({
    ...{ days: DAYS, today, daily, currency: 'USD' },
    exact: sum + exactPico(more.once ?? '0'),
    carriedIn: exactPico(more.in ?? '0'),
  });
}

it('of few days counts each day to come as those before it, and says so', () => {
  // 10 days of 1.00 and nothing today: 10 + 1 for today + 19 to come
  expect(project(used(10), '2026-11-11')).toEqual({
    total: '30.00',
    method:
      'Each day to come counts as the 10 whole days since the first usage did on the average; late usage, shared spend, adjustments and what is carried in count once.',
  });
});

it('of two weeks or more goes by weekdays', () => {
  // Sundays (1, 8, 15) have nothing; the 16th runs. 14 of 15 days had usage, and two weeks to come have twelve days of it.
  const weekdays = used(15).filter((_, index) => index % 7 !== 0);
  const projected = project(weekdays, '2026-11-16');
  // 12 before today, 1 for today, and of the 14 days to come the 22nd and the 29th are Sundays
  expect(projected?.total).toBe('25.00');
  expect(projected?.method).toMatch(
    /^Each day to come counts as the same weekdays of the last 14 /,
  );
});

it('counts once what does not go on', () => {
  const once: readonly Day[] = [
    { day: '2026-10-30', model: 'gpt-4o', late: true, charge: '1' },
    { day: '2026-10-31', model: 'gpu', late: true, charge: '2' },
  ];
  // 30.00 of usage, 1.00 late, 2.00 shared, an adjustment of −0.50, and 0.25 carried in
  const more = { once: '-0.5', in: '0.25' };
  expect(project([...used(10), ...once], '2026-11-11', more)?.total).toBe('32.75');
});

it('of nothing is nothing', () => {
  expect(project([], '2026-11-20')?.total).toBe('0.00');
});

it('is none on the first day of usage, and none where the period does not run', () => {
  expect(project(used(1), '2026-11-01')).toBeNull();
  expect(project(used(30), '2026-12-01')).toBeNull();
});

it('is never below what there is already, where nothing is negative', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 10n ** 18n }),
      fc.integer({ min: 1, max: 29 }),
      (pico, days) => {
        const daily = used(days, formatPico(pico));
        const total = project(daily, DAYS[days] ?? '')?.total ?? '';
        const there = (pico * BigInt(days)) / 10n ** 10n;
        expect(BigInt(total.replace('.', ''))).toBeGreaterThanOrEqual(there);
      },
    ),
    cases(100),
  );
});
