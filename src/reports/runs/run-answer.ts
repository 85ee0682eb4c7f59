import { z } from 'zod';
import {
  amountField,
  entryIdField,
  instantField,
  instantGiven,
  listOf,
  wholeField,
} from '../../fields.ts';
import { runTotals } from './runs-answer.ts';

export const runRequest = z.strictObject({
  /** An agent_run_id; or a trace_id, where the calls of the trace name no run. */
  run: z.string(),
  /** It is null for the parts of all tenants. */
  tenant_id: z.string().nullable(),
  /** What was recorded up to this instant; null for everything. */
  as_of: instantGiven.nullable(),
  /** Growing repetitions that make a loop. */
  loop_steps: z.int().positive(),
});
export type RunRequest = z.output<typeof runRequest>;

const stepFields = {
  step: z.int(),
  /** The number of the step that it stands below. */
  parent_step: z.int().nullable(),
  /**
   * `orphan`: its parent is not in this run. `cycle`: its parents lead back to it, and the tree is cut
   * here.
   */
  place: z.enum(['root', 'child', 'orphan', 'cycle']),
  operation: z.string(),
  status: z.enum(['ok', 'error', 'cancelled']),
  error_type: z.string().nullable(),
  started_at: instantField.nullable(),
  occurred_at: instantField,
  source: z.string(),
  event_id: z.string(),
  trace_id: z.string().nullable(),
  span_id: z.string().nullable(),
  parent_span_id: z.string().nullable(),
  /** What was in vain about it; null where nothing was. */
  mark: z.string().nullable(),
  /** The rules and price versions behind its amounts. */
  rules: listOf(z.string()),
  /** The sum of the step and everything below it. */
  below: z.strictObject({
    calls: z.int(),
    input_tokens: wholeField,
    output_tokens: wholeField,
    charge: amountField,
    /** Calls among them that are charged nothing as yet, because they wait for a price or for their usage. */
    calls_without_price: z.int(),
    /** It is null where the cost of any of them is unknown. */
    cost: amountField.nullable(),
  }),
};

/** A span that is no model call, such as the agent's own: it has a place, and no amounts. */
const structureStep = z.strictObject({ ...stepFields, kind: z.literal('structure') });

const callStep = z.strictObject({
  ...stepFields,
  kind: z.literal('call'),
  member_id: z.string().nullable(),
  requested_model: z.string(),
  executed_model: z.string(),
  feature: z.string().nullable(),
  prompt_version: z.string().nullable(),
  attempt: z.int(),
  /** The number of the step that was the attempt before this one; null of the first. */
  follows_step: z.int().nullable(),
  outcome: z.string(),
  /** False of a call that was taken back or moved away. */
  stands: z.boolean(),
  /** The counts are of all its entries together. */
  input_tokens: wholeField,
  output_tokens: wholeField,
  /** What of the input came from tools and from memory; the rest is the prompt. */
  tool_tokens: wholeField,
  memory_tokens: wholeField,
  charge: amountField,
  /** It is null where it is unknown. */
  cost: amountField.nullable(),
  currency: z.string(),
  /** The entry that the facts are of: as the call stands, or as it stood last. */
  entry_id: entryIdField,
  /** Every entry of the call, in the order in which they were posted. */
  entries: listOf(entryIdField),
});

const runStep = z.discriminatedUnion('kind', [structureStep, callStep]);
export type RunStepAnswer = z.infer<typeof runStep>;

const tenantRun = z.strictObject({
  tenant_id: z.string(),
  run: z.string(),
  succeeded: z.boolean(),
  /** One for each currency. */
  totals: listOf(runTotals),
  /** Depth first, parents before children. */
  steps: listOf(runStep),
});
/** One tenant's part of a run. */
export type TenantRun = z.infer<typeof tenantRun>;

/** The parts stand in the order of the tenants. */
export const runAnswer = listOf(tenantRun);
export type RunAnswer = z.infer<typeof runAnswer>;
