import type { Pico } from '../money.ts';

/** A limit on what a tenant is charged, for all of its usage or for one feature or user. */
export interface Budget {
  readonly tenantId: string;
  /** `month` is the tenant's billing period (R16); `day` is a UTC day, as in rollups. */
  readonly per: 'day' | 'month';
  /** It is null for all features. */
  readonly feature: string | null;
  readonly userId: string | null;
  readonly amount: Pico;
  readonly currency: string;
  /** A call that would pass a hard budget is denied; of a soft one it is warned. */
  readonly isHard: boolean;
}

export type Verdict = 'allow' | 'warn' | 'deny';

/** One budget before one call. */
export interface BudgetDecision {
  readonly budget: Budget;
  readonly spent: Pico;
  /** What is left after the call at its dearest; negative where it would pass the limit. */
  readonly left: Pico;
  readonly verdict: Verdict;
}

/** Whether a budget concerns a call: one for a feature or a user only where the call has that one. */
export function concerns(
  budget: Budget,
  call: { readonly feature: string | null; readonly userId: string | null },
): boolean {
  return (
    (budget.feature === null || budget.feature === call.feature) &&
    (budget.userId === null || budget.userId === call.userId)
  );
}

/**
 * Decides before a call whether a budget bears it. The call may cost up to `estimate`, and to reach the
 * limit exactly is not to pass it.
 */
export function decide(budget: Budget, spent: Pico, estimate: Pico): BudgetDecision {
  const left = budget.amount - spent - estimate;
  const verdict = left >= 0n ? 'allow' : budget.isHard ? 'deny' : 'warn';
  return { budget, spent, left, verdict };
}

/** The strictest of several verdicts; without any budget a call is allowed. */
export function strictest(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes('deny')) return 'deny';
  return verdicts.includes('warn') ? 'warn' : 'allow';
}
