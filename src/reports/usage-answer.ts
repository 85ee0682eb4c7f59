import { z } from 'zod';
import {
  amountField,
  instantField,
  instantGiven,
  listOf,
  percentField,
  wholeField,
} from '../fields.ts';
import { batchesBehindField } from '../ledger/rollups/batches-behind.ts';
import { coverageAnswer } from './coverage-answer.ts';
import { reportScope } from './report-scope.ts';

/** The dimensions by which a usage report can be grouped. */
export const DIMENSIONS = [
  'tenant',
  'user',
  'feature',
  'agent_run',
  'prompt_version',
  'requested_model',
  'executed_model',
  'provider',
  'layer',
  'outcome',
  'kind',
  'day',
] as const;

export type Dimension = (typeof DIMENSIONS)[number];

export const usageRequest = z.strictObject({
  by: listOf(z.enum(DIMENSIONS)),
  ...reportScope,
  /** What the ledger said at this instant; null for now. */
  as_of: instantGiven.nullable(),
});
export type UsageRequest = z.output<typeof usageRequest>;

/** It is null where usage carries none, and absent where it was not asked for. */
const named = z.string().nullable().optional();

/** One group in one currency, since amounts of two are never added. */
const usageGroup = z.strictObject({
  tenant: named,
  user: named,
  feature: named,
  agent_run: named,
  prompt_version: named,
  requested_model: named,
  executed_model: named,
  provider: named,
  layer: named,
  outcome: named,
  kind: named,
  day: named,
  currency: z.string(),
  entries: z.int(),
  input_tokens: wholeField,
  output_tokens: wholeField,
  /** The amount due; if a month is asked for, it equals the statements to the last digit. */
  charge: amountField,
  /** What is metered beside it and billed nowhere, of months that were closed in shadow. */
  not_due: amountField,
  /**
   * It is null where the cost of any entry is unknown: a part is no sum. So is the margin, and where any entry waits for a
   * price or for its usage, too.
   */
  cost: amountField.nullable(),
  margin: amountField.nullable(),
  entries_without_cost: z.int(),
  /** Entries that are charged nothing because they wait for a price, or for the usage that was not reported. */
  entries_without_price: z.int(),
  /** The sum of the costs that are known, and the margin of the entries that have one. */
  known_cost: amountField,
  known_margin: amountField,
  /** How much of the charge is of entries with a known cost; null where nothing is charged. */
  known_cost_share: percentField.nullable(),
  /** Positive where fallbacks were cheaper than the models requested (R4). */
  routing_gain: amountField,
});
export type UsageGroup = z.infer<typeof usageGroup>;

export const usageAnswer = z.strictObject({
  by: listOf(z.enum(DIMENSIONS)),
  as_of: instantField.nullable(),
  batches_behind: batchesBehindField,
  rows: listOf(usageGroup),
  /** All of it together, one for each currency: exact sums, which rounded rows need not add up to. */
  totals: listOf(usageGroup),
  coverage: coverageAnswer,
  /** By whose rates the costs were converted that came in another currency than the charge, and from when each holds. */
  exchange_rates: listOf(
    z.strictObject({
      source: z.string(),
      base: z.string(),
      effective_from: instantField,
      entries: z.int(),
    }),
  ),
});
export type UsageAnswer = z.infer<typeof usageAnswer>;
