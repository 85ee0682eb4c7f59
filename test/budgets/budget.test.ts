import { describe, expect, it } from 'vitest';
import type { Budget, Standing } from '../../src/budgets/budget.ts';
import { decide, decisive } from '../../src/budgets/budget.ts';
import { parseInstant } from '../../src/clock.ts';

const NOW = parseInstant('2026-10-15T23:59:00Z');

function budget(change: Partial<Budget> = {}): Budget {
  return {
    ...{ budgetId: 1n, tenantId: 'acme', measure: 'money', per: 'day', feature: null },
    ...{ userId: null, agentRunId: null, tags: {}, limit: 100n, currency: 'USD' },
    ...{
      isHard: true,
      onUnavailable: 'deny',
      pricedOnly: false,
      thresholds: [80, 100],
      loop: null,
    },
    ...change,
  };
}

function standing(change: Partial<Standing> = {}): Standing {
  const resetsAt = parseInstant('2026-10-16T00:00:00Z');
  return {
    ...{ timeKey: '2026-10-15', resetsAt, spent: 60n, held: 0n, estimate: 40n },
    ...{ fits: true, isUnpriced: false },
    ...change,
  };
}

const PASSED = standing({ fits: false, estimate: 41n });

it('a hard budget denies what it does not bear, and a soft one warns of it', () => {
  expect(decide(budget(), [standing()], NOW)).toMatchObject({ verdict: 'allow', retryAfter: null });
  expect(decide(budget(), [PASSED], NOW).verdict).toBe('deny');
  expect(decide(budget({ isHard: false }), [PASSED], NOW).verdict).toBe('warn');
});

it('a call without a price is denied by a budget for priced models, soft or hard', () => {
  const unpriced = standing({ isUnpriced: true });
  expect(decide(budget({ isHard: false }), [unpriced], NOW)).toMatchObject({
    ...{ verdict: 'deny', retryAfter: null },
  });
});

it('of two days that a call may fall into, the one that does not bear it decides', () => {
  const tomorrow = standing({ fits: false, timeKey: '2026-10-16' });
  const decision = decide(budget(), [standing(), tomorrow], NOW);
  expect(decision).toMatchObject({ verdict: 'deny', standing: { timeKey: '2026-10-16' } });
});

describe('a call that is denied may ask again', () => {
  it.each([
    ['when the budget begins anew', PASSED, 60],
    ['soon, where open holds alone stand in its way', { ...PASSED, spent: 50n, held: 50n }, 2],
    ['never, where it is above the limit by itself', { ...PASSED, estimate: 101n }, null],
    ['never, where the budget does not begin anew', { ...PASSED, resetsAt: null }, null],
  ] as const)('%s', (_, of, seconds) => {
    expect(decide(budget(), [of], NOW).retryAfter).toBe(seconds);
  });
});

it('the first that denies decides, or else the first that warns; without a budget none does', () => {
  const fits = decide(budget(), [standing()], NOW);
  const warns = decide(budget({ isHard: false }), [PASSED], NOW);
  const denies = decide(budget({ budgetId: 2n }), [PASSED], NOW);
  expect(decisive([])).toBeNull();
  expect(decisive([fits])).toBeNull();
  expect(decisive([fits, warns])).toBe(warns);
  expect(decisive([warns, denies])).toBe(denies);
});
