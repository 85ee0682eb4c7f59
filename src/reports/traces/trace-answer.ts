import { z } from 'zod';
import {
  amountField,
  dayGiven,
  entryIdField,
  instantField,
  instantGiven,
  listOf,
  wholeField,
} from '../../fields.ts';
import { nextCursorField, pageFields } from '../../page.ts';

export const tracesRequest = z.strictObject({
  /** Each of these is null for any; a trace is there whole where one of its calls fits. */
  tenant_id: z.string().nullable(),
  user_id: z.string().nullable(),
  feature: z.string().nullable(),
  agent_run_id: z.string().nullable(),
  trace_id: z.string().nullable(),
  /** UTC days on which a call of it completed, half-open. */
  from: dayGiven.nullable(),
  to: dayGiven.nullable(),
  /** Traces with what was known of them at this instant; null for now. */
  as_of: instantGiven.nullable(),
  ...pageFields,
});
export type TracesRequest = z.output<typeof tracesRequest>;

const metadata = z.strictObject({
  user_id: z.string().nullable(),
  feature: z.string().nullable(),
  agent_run_id: z.string().nullable(),
  prompt_version: z.string().nullable(),
  /** Further tags, as the producer gave them. */
  tags: z.record(z.string(), z.json()),
});
export type TraceMetadata = z.infer<typeof metadata>;

const amounts = {
  input_tokens: wholeField,
  output_tokens: wholeField,
  total_tokens: wholeField,
  charge: amountField,
  /** It is null where it is unknown. */
  cost: amountField.nullable(),
};

const traceSpan = z.strictObject({
  span_id: z.string().nullable(),
  parent_span_id: z.string().nullable(),
  /** Structure, such as an agent's own span, has no amounts. */
  kind: z.enum(['call', 'structure']),
  operation: z.string(),
  status: z.enum(['ok', 'error', 'cancelled']),
  error_type: z.string().nullable(),
  started_at: instantField.nullable(),
  completed_at: instantField,
  provider: z.string().nullable(),
  requested_model: z.string().nullable(),
  executed_model: z.string().nullable(),
  attempt: z.int().nullable(),
  /** `charged`, `failed` and so on, as the call stands; null for structure. */
  outcome: z.string().nullable(),
  ...amounts,
  currency: z.string().nullable(),
  source: z.string(),
  event_id: z.string(),
  /** The entry as it stands; null for structure, and for a call that was taken back. */
  entry_id: entryIdField.nullable(),
  metadata,
});
export type TraceSpan = z.infer<typeof traceSpan>;

const trace = z.strictObject({
  /** When its first span began. */
  created_at: instantField,
  completed_at: instantField,
  /** It is null for a call that names no trace, which stands alone. */
  trace_id: z.string().nullable(),
  tenant_id: z.string(),
  /** `error` where a call failed and none that came later answered. */
  status: z.enum(['ok', 'error', 'cancelled']),
  calls: z.int(),
  failed: z.int(),
  /** Calls that are charged nothing as yet, because they wait for a price, or for the usage that was not reported. */
  calls_without_price: z.int(),
  ...amounts,
  /** It is null where calls were charged in several. */
  currency: z.string().nullable(),
  /** What all of its spans that say it agree on; else null. */
  metadata,
  /** They stand in the order in which they began. */
  spans: listOf(traceSpan),
});
export type ListedTrace = z.infer<typeof trace>;

/** The newest first. */
export const tracesAnswer = z.strictObject({
  traces: listOf(trace),
  next_cursor: nextCursorField,
});
export type TracesAnswer = z.infer<typeof tracesAnswer>;
