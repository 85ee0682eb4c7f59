import { z } from 'zod';
import { usageSchema } from '../events/usage-fields.ts';
import {
  amountField,
  amountGiven,
  countField,
  idField,
  instantField,
  instantGiven,
  listOf,
  wholeField,
} from '../fields.ts';

const tagsField = z.record(z.string(), z.string());

/** `day` is a day of the tenant, `month` its billing period, `run` each agent run, `once` all that comes. */
const per = z.enum(['day', 'month', 'run', 'once']);
const measure = z.enum(['money', 'tokens']);

/** What of a tenant's usage a budget is about; null is all of it. */
const scopeFields = {
  feature: z.string().nullable(),
  user_id: z.string().nullable(),
  agent_run_id: z.string().nullable(),
};

/** A call that would pass a hard budget is denied; of a soft one it is warned. */
const kind = z.enum(['hard', 'soft']);
const onUnavailable = z.enum(['allow', 'deny']);

/** So many calls of one run for the same model and feature, each with more tokens than the one before, are a loop. */
const loopField = z.strictObject({
  verdict: z.enum(['warn', 'deny']),
  steps: z.int().min(2).max(1_000),
});

const thresholdField = z.int().min(1).max(1_000);

export const setBudgetRequest = z.strictObject({
  tenant_id: z.string(),
  per,
  ...scopeFields,
  /** Further tags that a call must have; null for none. */
  tags: tagsField.nullable(),
  /** The limit, in the currency in which the tenant is charged, or in tokens: one of the two. */
  amount: amountGiven.nullable(),
  tokens: countField.nullable(),
  kind,
  /** What a caller is to do that cannot ask; null is `deny`. */
  on_unavailable: onUnavailable.nullable(),
  /** Whether calls of models without a price are denied; null is false. */
  priced_only: z.boolean().nullable(),
  /** Shares of the limit, in percent, at which webhooks are told; null is 80 and 100. */
  thresholds: z.array(thresholdField).max(20).readonly().nullable(),
  /** Warns of a run that repeats itself, or denies its next call; null for neither. */
  loop: loopField.nullable(),
  actor: z.string(),
});
export type SetBudgetRequest = z.output<typeof setBudgetRequest>;

export const budgetAnswer = z.strictObject({
  budget_id: idField,
  tenant_id: z.string(),
  measure,
  per,
  ...scopeFields,
  tags: tagsField,
  limit: amountField,
  /** It is null for tokens. */
  currency: z.string().nullable(),
  kind,
  on_unavailable: onUnavailable,
  priced_only: z.boolean(),
  thresholds: listOf(thresholdField),
  loop: loopField.nullable(),
});
export type BudgetAnswer = z.infer<typeof budgetAnswer>;

export const removeBudgetRequest = z.strictObject({
  tenant_id: z.string(),
  /** Null is money. */
  measure: measure.nullable(),
  per,
  ...scopeFields,
  tags: tagsField.nullable(),
});
export type RemoveBudgetRequest = z.output<typeof removeBudgetRequest>;

export const removeBudgetAnswer = z.strictObject({
  removed: z.literal(true),
  budget_id: idField,
});
export type RemoveBudgetAnswer = z.infer<typeof removeBudgetAnswer>;

/** A hold: what was promised to one call. */
export const holdAnswer = z.strictObject({
  hold_id: z.string(),
  tenant_id: z.string(),
  /** `unsettled` is a hold that expired without the charge of its event: it is counted until that comes, or somebody releases it. */
  state: z.enum(['open', 'unsettled', 'settled', 'released']),
  model: z.string().nullable(),
  ...scopeFields,
  amount: amountField.nullable(),
  currency: z.string().nullable(),
  tokens: wholeField.nullable(),
  held_at: instantField,
  expires_at: instantField,
  /** The event that settled it. */
  settled_by: z.strictObject({ source: z.string(), event_id: z.string() }).nullable(),
  /** Its event, where that came and waits for its price or its usage: it has no charge yet, and the hold stays counted. */
  waits_for: z.strictObject({ source: z.string(), event_id: z.string() }).nullable(),
  released_by: z.string().nullable(),
});
export type HoldAnswer = z.infer<typeof holdAnswer>;

/** limit = spent + held + left, always; `left` is below zero where a budget was passed. */
const standingFields = {
  /** A day, the day on which a period begins, a run, or '' where the budget never begins anew. */
  time: z.string(),
  spent: amountField,
  held: amountField,
  left: amountField,
  resets_at: instantField.nullable(),
};

export const budgetsRequest = z.strictObject({
  /** It is null for every tenant. */
  tenant_id: z.string().nullable(),
  /** How they stood at this instant, and which there were; null for now. */
  as_of: instantGiven.nullable(),
});
export type BudgetsRequest = z.output<typeof budgetsRequest>;

export const budgetsAnswer = listOf(
  budgetAnswer.extend({
    /** The time that runs; of a budget for each run, the runs that came to most. */
    times: listOf(z.strictObject(standingFields)),
    unsettled_holds: listOf(holdAnswer),
  }),
);
export type BudgetsAnswer = z.infer<typeof budgetsAnswer>;

/** A call that somebody is about to make, at the most that it can use. */
export const callFields = {
  tenant_id: z.string(),
  provider: z.string().nullable(),
  model: z.string().nullable(),
  service_tier: z.enum(['standard', 'batch', 'flex', 'priority']),
  /** The tokens of the whole input, and the most that may come back. */
  input_tokens: countField.nullable(),
  max_output_tokens: countField.nullable(),
  /** In their place stands what the event will say under `usage`: cache, audio, pictures, searches and all. */
  usage: usageSchema.nullable(),
  /** What the call may be charged, in the tenant's currency, where the caller knows better. */
  amount: amountGiven.nullable(),
  feature: z.string().nullable(),
  user_id: z.string().nullable(),
  agent_run_id: z.string().nullable(),
  tags: tagsField.nullable(),
};

export const checkRequest = z.strictObject(callFields);
export type CheckRequest = z.output<typeof checkRequest>;

const verdict = z.enum(['allow', 'warn', 'deny']);

const budgetDecision = budgetAnswer.extend({
  ...standingFields,
  verdict,
  /** Why the budget does not simply bear the call; null where it does. A soft one warns of what is `unknown` to it: nobody can tell what the call comes to. */
  because: z.enum(['limit', 'unpriced', 'loop', 'unknown']).nullable(),
  /** Seconds after which the same call may be borne; null where it is borne now, or never. */
  retry_after: countField.nullable(),
});
export type BudgetDecisionAnswer = z.infer<typeof budgetDecision>;

export const checkAnswer = z.strictObject({
  /** The strictest of those below; without any budget a call is allowed. */
  verdict,
  /** The budget that denies or warns; null where all allow. */
  decided_by: idField.nullable(),
  retry_after: countField.nullable(),
  /** What the call is charged if it uses all that it may; null where its model has no price. */
  estimate: amountField.nullable(),
  currency: z.string(),
  tokens: wholeField.nullable(),
  /** What to do when nobody can be asked: `deny` where one budget of the call says so. */
  on_unavailable: onUnavailable,
  /** The decision of each budget that concerns the call, before it; of a hold that was made, after it. */
  budgets: listOf(budgetDecision),
});
export type CheckAnswer = z.infer<typeof checkAnswer>;
