import { z } from 'zod';
import { countField, idField, instantField, instantGiven, listOf } from '../fields.ts';

/** The kinds of events to which an endpoint can subscribe. */
export const WEBHOOK_KINDS = [
  /** A budget came to one of the shares that it names; of a budget for each run, that run did. */
  'budget.threshold',
  /** At the pace of now a budget will be passed before it starts again. */
  'budget.projected_overrun',
  /** Somebody asks for a higher limit, and an operator answers. */
  'budget.raise_requested',
  'budget.raise_answered',
  'period.closed',
  /** Stripe has confirmed what a period came to. */
  'period.pushed',
  /** Nobody can tell whether Stripe heard of a period: a person decides. */
  'period.parked',
  /** Something keeps the month from being whole. */
  'month.incomplete',
  /** Somebody asked for it, to see it arrive. */
  'webhook.test',
] as const;
const kindField = z.enum(WEBHOOK_KINDS);
export type WebhookKind = z.infer<typeof kindField>;

export const addEndpointRequest = z.strictObject({
  url: z.string().max(2_000),
  /** The kinds that it hears of; null is all. */
  events: z.array(kindField).min(1).readonly().nullable(),
  actor: z.string(),
});
export type AddEndpointRequest = z.output<typeof addEndpointRequest>;

const endpoint = z.strictObject({
  endpoint_id: z.string(),
  url: z.string(),
  events: listOf(kindField).nullable(),
  created_at: instantField,
  created_by: z.string(),
  disabled_at: instantField.nullable(),
  disabled_by: z.string().nullable(),
});
export type EndpointTold = z.infer<typeof endpoint>;

/** The secret is shown this once. */
export const addedEndpointAnswer = endpoint.extend({ secret: z.string() });
export type AddedEndpointAnswer = z.infer<typeof addedEndpointAnswer>;

export const endpointsAnswer = listOf(
  endpoint.extend({
    delivered: countField,
    pending: countField,
    dead: countField,
    /** What the last failed try was answered; null where none failed. */
    last_failure: z.string().nullable(),
  }),
);
export type EndpointsAnswer = z.infer<typeof endpointsAnswer>;

export const endpointRequest = z.strictObject({ endpoint_id: z.string(), actor: z.string() });
export type EndpointRequest = z.output<typeof endpointRequest>;

export const endedEndpointAnswer = endpoint;

export const removedEndpointAnswer = z.strictObject({
  removed: z.literal(true),
  endpoint_id: z.string(),
});
export type RemovedEndpointAnswer = z.infer<typeof removedEndpointAnswer>;

/** The outcome of one try. */
export const testedEndpointAnswer = z.strictObject({
  endpoint_id: z.string(),
  event_id: idField,
  state: z.enum(['delivered', 'pending', 'dead']),
  /** What the receiver answered, or why it could not be asked. */
  answer: z.string(),
});
export type TestedEndpointAnswer = z.infer<typeof testedEndpointAnswer>;

export const replayEventsRequest = z.strictObject({
  /** One event, by its number; null with `since`. */
  event_id: idField.nullable(),
  /** Every event from this instant on; null with `event_id`. */
  since: instantGiven.nullable(),
  /** It is null for every endpoint that hears of the event. */
  endpoint_id: z.string().nullable(),
  actor: z.string(),
});
export type ReplayEventsRequest = z.output<typeof replayEventsRequest>;

export const replayedEventsAnswer = z.strictObject({ deliveries: countField });
export type ReplayedEventsAnswer = z.infer<typeof replayedEventsAnswer>;

export const deliveredAnswer = z.strictObject({
  /** New events that were found. */
  found: countField,
  delivered: countField,
  failed: countField,
  dead: countField,
});
export type DeliveredAnswer = z.infer<typeof deliveredAnswer>;
