import type {
  BudgetAnswer,
  CheckAnswer,
  CheckRequest,
  SetBudgetRequest,
} from '../../src/budgets/budget-answer.ts';
import { checkBudgets } from '../../src/budgets/check-budgets.ts';
import type { ReserveAnswer, ReserveRequest } from '../../src/budgets/hold-answer.ts';
import type { NamingParts } from '../../src/budgets/name-as-kept.ts';
import { reserveHold } from '../../src/budgets/reserve-hold.ts';
import { setBudget } from '../../src/budgets/set-budget.ts';
import { parseInstant } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { exactPico } from '../../src/money.ts';

/** Budgets and calls as a door asks about them: what a test does not say is null. */

export const NOON = '2026-10-15T13:00:00Z';

export function clockAt(at: string) {
  return () => parseInstant(at);
}

type Loosely<Request> = Partial<Omit<Request, 'amount'>> & { readonly amount?: string };

/** Makes a hard budget of 0.02 a month for all of acme's usage, changed where the test says so. */
export function budgetRequest(change: Loosely<SetBudgetRequest> = {}): SetBudgetRequest {
  const { amount = change.tokens === undefined ? '0.02' : null, ...rest } = change;
  return {
    ...{ tenant_id: 'acme', per: 'month', feature: null, user_id: null, agent_run_id: null },
    ...{
      tags: null,
      tokens: null,
      kind: 'hard',
      on_unavailable: null,
      priced_only: null,
      thresholds: null,
      loop: null,
    },
    actor: 'ada',
    ...rest,
    amount: amount === null ? null : exactPico(amount),
  };
}

export function putBudget(
  database: Database,
  change: Loosely<SetBudgetRequest> = {},
  at = NOON,
): Promise<BudgetAnswer> {
  return setBudget({ database, clock: clockAt(at) }, budgetRequest(change));
}

/** Makes a call of gpt-4o by acme, at most 1000 × 3.00 µ + 200 × 12.00 µ = 0.0054. */
export function callRequest(change: Loosely<CheckRequest> = {}): CheckRequest {
  const { amount, ...rest } = change;
  return {
    ...{ tenant_id: 'acme', provider: null, model: 'gpt-4o', service_tier: 'standard' },
    ...{ input_tokens: 1000, max_output_tokens: 200, usage: null },
    ...{ feature: null, user_id: null, agent_run_id: null, tags: null },
    ...rest,
    amount: amount === undefined ? null : exactPico(amount),
  };
}

export function check(
  database: Database,
  change: Loosely<CheckRequest> = {},
  at = NOON,
  reading: NamingParts['reading'] = {},
): Promise<CheckAnswer> {
  return checkBudgets({ database, clock: clockAt(at), reading }, callRequest(change));
}

export function reserve(
  database: Database,
  change: Loosely<ReserveRequest> = {},
  at = NOON,
  reading: NamingParts['reading'] = {},
): Promise<ReserveAnswer> {
  const { hold_id = null, expires_in_seconds = null, ...call } = change;
  const request = { ...callRequest(call), hold_id, expires_in_seconds };
  return reserveHold({ database, clock: clockAt(at), reading }, request);
}
