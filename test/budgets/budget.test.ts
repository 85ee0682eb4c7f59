import { describe, expect, it } from 'vitest';
import type { Budget } from '../../src/budgets/budget.ts';
import { concerns, decide, strictest } from '../../src/budgets/budget.ts';

function budget(change: Partial<Budget> = {}): Budget {
  return {
    ...{ tenantId: 'acme', per: 'month', feature: null, userId: null },
    ...{ amount: 100n, currency: 'USD', isHard: true },
    ...change,
  };
}

describe('a call that brings the charge', () => {
  it.each([
    ['below the limit', 60n, 39n, 1n, 'allow', 'allow'],
    ['exactly to the limit', 60n, 40n, 0n, 'allow', 'allow'],
    ['a picodollar beyond it', 60n, 41n, -1n, 'deny', 'warn'],
    ['further beyond a limit that is passed', 130n, 5n, -35n, 'deny', 'warn'],
    ['nowhere, since it is free, is allowed at the limit', 100n, 0n, 0n, 'allow', 'allow'],
  ] as const)('%s: a hard budget and a soft one', (_, spent, estimate, left, hard, soft) => {
    expect(decide(budget(), spent, estimate)).toMatchObject({ left, verdict: hard });
    const softly = decide(budget({ isHard: false }), spent, estimate);
    expect(softly).toMatchObject({ left, verdict: soft });
  });
});

it('the strictest verdict decides; without a budget a call is allowed', () => {
  expect(strictest([])).toBe('allow');
  expect(strictest(['allow', 'warn', 'allow'])).toBe('warn');
  expect(strictest(['warn', 'deny', 'allow'])).toBe('deny');
});

it('a budget for a feature or a user concerns only calls that have it', () => {
  const call = { feature: 'search', userId: 'u1' };
  expect(concerns(budget(), call)).toBe(true);
  expect(concerns(budget({ feature: 'search' }), call)).toBe(true);
  expect(concerns(budget({ feature: 'chat' }), call)).toBe(false);
  expect(concerns(budget({ feature: 'search', userId: 'u2' }), call)).toBe(false);
  expect(concerns(budget({ userId: 'u1' }), { feature: null, userId: null })).toBe(false);
});
