import { z } from 'zod';
import { amountField, countField, instantField, listOf } from '../fields.ts';

export const producerRequest = z.strictObject({
  /**
   * The text of a file: one body, a JSON array of bodies, or one body a line. A body that is no text is
   * given in base64, as OTLP protobuf travels on a queue.
   */
  text: z.string(),
  is_protobuf: z.boolean(),
});
export type ProducerRequest = z.output<typeof producerRequest>;

const named = z.string().nullable();

/** A count by the names of units; a unit that is not there counts nothing. */
const unitCounts = z.record(z.string(), z.int());

const tags = z.strictObject({
  tenant_id: named,
  user_id: named,
  feature: named,
  agent_run_id: named,
  prompt_version: named,
});

/** The ids by which a call is told from its second report. */
const identity = z.strictObject({
  source: z.string(),
  event_id: z.string(),
  provider: named,
  response_id: named,
  call_id: named,
  trace_id: named,
  span_id: named,
  parent_span_id: named,
  attempt: z.int(),
});

const checkedEvent = z.strictObject({
  identity,
  occurred_at: instantField,
  operation: z.string(),
  status: z.enum(['ok', 'error', 'cancelled']),
  error_type: named,
  requested_model: named,
  executed_model: named,
  service_tier: z.string(),
  gateway_cache: z.string(),
  /** How sure the counts are: `reported`, `estimated` or `assumed`. */
  usage_source: z.string(),
  /** Disjoint: no token is counted in two of them. */
  units: unitCounts,
  /** A part of the output tokens, and no unit of its own. */
  reasoning_tokens: z.int(),
  tags,
  further_tags: z.record(z.string(), z.string()),
  reported_cost: z
    .strictObject({ amount: amountField, currency: z.string(), source: z.string() })
    .nullable(),
  members: listOf(z.strictObject({ member_id: z.string(), tags })).nullable(),
});
export type CheckedEvent = z.infer<typeof checkedEvent>;

/** What a part of a body would become. */
const checkedItem = z.strictObject({
  /** The number of its body in the file, from 1. */
  body: z.int(),
  /**
   * `call`: entries that are charged or wait for a price. `unmeasured`: a call without usage, which holds the
   * month. `structure`: a step of a run. `duplicate`, `conflict`: an event id that came before in the file, with the
   * same content or another. `quarantine`, `empty`: no event, for the reason.
   */
  outcome: z.enum([
    'call',
    'unmeasured',
    'structure',
    'duplicate',
    'conflict',
    'quarantine',
    'empty',
  ]),
  reason: named,
  detail: named,
  event: checkedEvent.nullable(),
});
export type CheckedItem = z.infer<typeof checkedItem>;

export const producerAnswer = z.strictObject({
  bodies: countField,
  /** How many parts would become what. */
  outcomes: z.partialRecord(checkedItem.shape.outcome, countField),
  items: listOf(checkedItem),
  /** Fields whose values would change nothing, wherever they stand; null where they are too many to be tried, or have no names. */
  ignored: listOf(z.string()).nullable(),
});
export type ProducerAnswer = z.infer<typeof producerAnswer>;
