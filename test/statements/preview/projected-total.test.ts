import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ManifestLine } from '../../../src/ledger/closes/manifest-lines.ts';
import { exactPico } from '../../../src/money.ts';
import { projectTotal } from '../../../src/statements/preview/projected-total.ts';
import { cases } from '../../support/cases.ts';

const DAY = 86_400_000;

function line(exact: string, change: Partial<ManifestLine> = {}): ManifestLine {
  return {
    ...{ model: 'gpt-4o', service_tier: 'standard', meter: 'input', late: false },
    ...{ quantity: '1', rate: '1', exact, amount: '0.00', ...change },
  };
}

function project(
  lines: readonly ManifestLine[],
  of: { passed: number; days?: number; carriedIn?: bigint },
) {
  const { passed, days = 30, carriedIn = 0n } = of;
  const exact = lines.reduce((sum, one) => sum + exactPico(one.exact), 0n);
  const bounds = { startsAt: 0, endsAt: days * DAY, now: passed * DAY };
  return projectTotal({ ...bounds, currency: 'USD', lines, exact, carriedIn });
}

it('goes on at the pace so far, and says so', () => {
  // 4.00 over 10 of 30 days: 4.00 × 30 ÷ 10 = 12.00
  expect(project([line('4')], { passed: 10 })).toEqual({
    total: '12.00',
    method:
      'Usage goes on at the pace of the first 10 of 30 days; late usage, shared spend, adjustments and what is carried in count once.',
  });
});

it('counts once what has no pace', () => {
  const once = [
    line('1', { late: true }),
    line('-0.5', { meter: 'adjustment' }),
    line('2', { meter: 'allocation' }),
  ];
  // 4.00 × 3 + 1.00 − 0.50 + 2.00 + 0.25 carried in = 14.75
  const carriedIn = exactPico('0.25');
  expect(project([line('4'), ...once], { passed: 10, carriedIn })?.total).toBe('14.75');
});

it('is none on the first day, and none where the period has ended', () => {
  expect(project([line('4')], { passed: 0.99 })).toBeNull();
  expect(project([line('4')], { passed: 30 })).toBeNull();
  expect(project([line('4')], { passed: -1 })).toBeNull();
});

it('is never below what there is already, where nothing is negative', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 10n ** 18n }),
      fc.integer({ min: 1, max: 29 }),
      (pico, passed) => {
        const exact = `0.${String(pico).padStart(12, '0').slice(-12)}`;
        const total = project([line(exact)], { passed })?.total ?? '';
        return exactPico(total) + exactPico('0.005') >= exactPico(exact);
      },
    ),
    cases(100),
  );
});
