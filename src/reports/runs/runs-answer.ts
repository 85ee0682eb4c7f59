import { z } from 'zod';
import { amountField, instantField, instantGiven, listOf, percentField } from '../../fields.ts';
import { nextCursorField, pageFields } from '../../page.ts';
import { coverageAnswer } from '../coverage-answer.ts';
import { reportScope } from '../report-scope.ts';

/** What the rows of a report of runs can be. */
export const RUN_GROUPS = ['run', 'feature', 'tenant'] as const;
export type RunGroup = (typeof RUN_GROUPS)[number];

/** What stands first: the most spent before the answer, the dearest, the largest share before the answer, or the most loops. */
export const RUN_ORDERS = ['waste', 'cost', 'share', 'loops'] as const;
export type RunOrder = (typeof RUN_ORDERS)[number];

export const runsRequest = z.strictObject({
  by: z.enum(RUN_GROUPS),
  ...reportScope,
  /** What was recorded up to this instant; null for everything. */
  as_of: instantGiven.nullable(),
  order: z.enum(RUN_ORDERS),
  /** Rows at the most. */
  limit: z.int().positive(),
  /** The rows of later pages are of the instant at which the first one was read, or of `as_of`. */
  cursor: pageFields.cursor,
  /** Growing repetitions that make a loop. */
  loop_steps: z.int().positive(),
});
export type RunsRequest = z.output<typeof runsRequest>;

/** What calls come to that belong together: those of a run, or of all runs of a feature or tenant. */
export const runTotals = z.strictObject({
  currency: z.string(),
  calls: z.int(),
  failed: z.int(),
  later_attempts: z.int(),
  loops: z.int(),
  calls_without_cost_rate: z.int(),
  /** Calls that are charged nothing as yet, because they wait for a price, or for the usage that was not reported. */
  calls_without_price: z.int(),
  /** What is due, as statements have it. */
  charge: amountField,
  /** What is metered beside it and billed nowhere, of months that were closed in shadow. */
  not_due: amountField,
  /** It is null where the cost of any call is unknown. */
  cost: amountField.nullable(),
  /** The sum of the costs that are known. */
  known_cost: amountField,
  charge_before_answer: amountField,
  cost_before_answer: amountField.nullable(),
  /** The share is of the cost; null where there is none, or it is unknown. */
  share_before_answer: percentField.nullable(),
});
export type RunTotals = z.infer<typeof runTotals>;

const runsTotal = runTotals.extend({
  runs: z.int(),
  succeeded: z.int(),
  loop_steps: z.int(),
  cost_failed: amountField.nullable(),
  cost_superseded: amountField.nullable(),
  cost_repeated: amountField.nullable(),
  /** The cost of runs by those that succeeded, without calls outside runs; null where none did, or a cost of theirs is unknown. */
  cost_per_success: amountField.nullable(),
});
export type RunsTotal = z.infer<typeof runsTotal>;

const runsRow = runsTotal.extend({
  /** It is absent by feature, where a row is of all tenants. */
  tenant: z.string().nullable().optional(),
  /** The one that a row is for is there; null where its calls name none. */
  run: z.string().nullable().optional(),
  feature: z.string().nullable().optional(),
});
export type RunsRow = z.infer<typeof runsRow>;

export const runsAnswer = z.strictObject({
  by: z.enum(RUN_GROUPS),
  as_of: instantField.nullable(),
  loop_steps: z.int(),
  /** The rows stand in the order that was asked for. */
  rows: listOf(runsRow),
  next_cursor: nextCursorField,
  /** All of it together, one for each currency, whatever the rows leave out; a run is counted once. */
  totals: listOf(runsTotal),
  rows_in_all: z.int(),
  /** The rows among all that spent something before the answer. */
  rows_with_waste: z.int(),
  coverage: coverageAnswer,
});
export type RunsAnswer = z.infer<typeof runsAnswer>;
