import { z } from 'zod';
import { amountField, countField, listOf, percentField } from '../fields.ts';
import { reportScope } from './report-scope.ts';

/** What a report of drift can be grouped by; who reports the cost is always told apart. */
export const DRIFT_DIMENSIONS = ['provider', 'model', 'requested_model', 'tenant', 'day'] as const;
export type DriftDimension = (typeof DRIFT_DIMENSIONS)[number];

export const costDriftRequest = z.strictObject({
  by: listOf(z.enum(DRIFT_DIMENSIONS)),
  ...reportScope,
});
export type CostDriftRequest = z.output<typeof costDriftRequest>;

/** It is null where calls name none, and absent where it was not asked for. */
const named = z.string().nullable().optional();

const explanation = z.strictObject({
  /** A unit; or `call`, a fee of each call; or `every_unit`, a factor on all prices alike. */
  unit: z.string(),
  /** How much of the drift it explains: 100.00 is all of it, to the picodollar. */
  explains: percentField,
  /** What they take more than our price, for so many of the unit; a factor has no amount. */
  difference: amountField.nullable(),
  /** How many of the unit the difference is for. */
  per: z.string().nullable(),
  /** The factor on our cost, as a decimal; null of a unit. */
  factor: z.string().nullable(),
});
export type DriftExplanation = z.infer<typeof explanation>;

/** One group in one currency, of one who reports. */
const driftRow = z.strictObject({
  provider: named,
  model: named,
  requested_model: named,
  tenant: named,
  day: named,
  /** Who says what the call cost, such as `openrouter` or `openrouter_byok`; null where nobody does. */
  reported_by: z.string().nullable(),
  currency: z.string(),
  /** Calls of the group, whoever reports them. */
  calls_in_group: countField,
  calls: countField,
  /** Calls that have a reported cost, in our currency or converted into it, and a cost of ours. */
  calls_with_both: countField,
  share_with_both: percentField,
  /** Calls of those whose reported cost was converted, by the rates that held when the call completed. */
  converted: countField,
  /** Calls whose reported cost is in another currency that no rate converts, and cannot be compared. */
  in_other_currency: countField,
  /** The sums are over the calls that have both. */
  reported_cost: amountField,
  our_cost: amountField,
  /** Reported less ours. */
  drift: amountField,
  /** It is a share of our cost; null where that is nothing. */
  drift_percent: percentField.nullable(),
  /** The one thing that explains nearly all of the drift; null where there is none, or no telling. */
  explained_by: explanation.nullable(),
});
export type DriftRow = z.infer<typeof driftRow>;

const driftTotal = driftRow.pick({
  currency: true,
  calls: true,
  calls_with_both: true,
  reported_cost: true,
  our_cost: true,
  drift: true,
  drift_percent: true,
});
export type DriftTotal = z.infer<typeof driftTotal>;

export const costDriftAnswer = z.strictObject({
  by: listOf(z.enum(DRIFT_DIMENSIONS)),
  /** The largest drift first. */
  rows: listOf(driftRow),
  /** All of it together, one for each currency. */
  totals: listOf(driftTotal),
});
export type CostDriftAnswer = z.infer<typeof costDriftAnswer>;
