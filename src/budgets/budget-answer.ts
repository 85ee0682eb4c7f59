import { z } from 'zod';
import { amountField, amountGiven, listOf } from '../fields.ts';

/** What tells one budget from another. */
const keyFields = {
  tenant_id: z.string(),
  /** `month` is the tenant's billing period; `day` is a UTC day. */
  per: z.enum(['day', 'month']),
  /** It is null for all features. */
  feature: z.string().nullable(),
  user_id: z.string().nullable(),
};

/** A call that would pass a hard budget is denied; of a soft one it is warned. */
const kind = z.enum(['hard', 'soft']);

export const setBudgetRequest = z.strictObject({
  ...keyFields,
  amount: amountGiven,
  kind,
  actor: z.string(),
});
export type SetBudgetRequest = z.output<typeof setBudgetRequest>;

export const budgetAnswer = z.strictObject({
  ...keyFields,
  amount: amountField,
  currency: z.string(),
  kind,
});
export type BudgetAnswer = z.infer<typeof budgetAnswer>;

export const budgetsAnswer = listOf(budgetAnswer);
export type BudgetsAnswer = z.infer<typeof budgetsAnswer>;

export const removeBudgetRequest = z.strictObject(keyFields);
export type RemoveBudgetRequest = z.output<typeof removeBudgetRequest>;

export const removeBudgetAnswer = z.strictObject({ removed: z.literal(true), ...keyFields });
export type RemoveBudgetAnswer = z.infer<typeof removeBudgetAnswer>;

/** A call that somebody is about to make, at the most that it can use. */
export const checkRequest = z.strictObject({
  tenant_id: z.string(),
  provider: z.string().nullable(),
  model: z.string(),
  service_tier: z.enum(['standard', 'batch', 'flex', 'priority']),
  input_tokens: z.int().nonnegative(),
  max_output_tokens: z.int().nonnegative(),
  feature: z.string().nullable(),
  user_id: z.string().nullable(),
});
export type CheckRequest = z.output<typeof checkRequest>;

const verdict = z.enum(['allow', 'warn', 'deny']);

const budgetDecision = budgetAnswer.extend({
  spent: amountField,
  /** What is left after the call at its dearest; negative where it would pass the limit. */
  left: amountField,
  verdict,
});
export type BudgetDecisionAnswer = z.infer<typeof budgetDecision>;

export const checkAnswer = z.strictObject({
  /** The strictest of those below. */
  verdict,
  /** What the call is charged if it uses all of its tokens. */
  estimate: amountField,
  currency: z.string(),
  /** The decision of each budget that concerns the call. */
  budgets: listOf(budgetDecision),
});
export type CheckAnswer = z.infer<typeof checkAnswer>;
