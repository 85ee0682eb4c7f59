import { z } from 'zod';
import { instantField, listOf } from '../fields.ts';

/** The number of a quarantined event, as the list shows it. */
const quarantineIdField = z.string().regex(/^\d{1,18}$/, 'write the number that the list shows');

const quarantineIdGiven = z.codec(quarantineIdField, z.bigint(), {
  decode: BigInt,
  encode: String,
});

export const quarantineRequest = z.strictObject({
  /** The replayed ones, too. */
  all: z.boolean(),
  limit: z.int().positive(),
});
export type QuarantineRequest = z.output<typeof quarantineRequest>;

export const quarantinedRequest = z.strictObject({ quarantine_id: quarantineIdGiven });
export type QuarantinedRequest = z.output<typeof quarantinedRequest>;

/** An event that could not be posted, whole, until it is replayed. */
export const quarantinedAnswer = z.strictObject({
  quarantine_id: quarantineIdField,
  received_at: instantField,
  source: z.string().nullable(),
  event_id: z.string().nullable(),
  reason: z.string(),
  detail: z.string(),
  body: z.string(),
  replayed_at: instantField.nullable(),
  replay_outcome: z.string().nullable(),
});
export type QuarantinedAnswer = z.infer<typeof quarantinedAnswer>;

/** The oldest first. */
export const quarantineAnswer = listOf(quarantinedAnswer);
export type QuarantineAnswer = z.infer<typeof quarantineAnswer>;

export const replayRequest = z.strictObject({
  /** None means all that wait. */
  quarantine_ids: listOf(quarantineIdGiven),
});
export type ReplayRequest = z.output<typeof replayRequest>;

const replayed = z.strictObject({
  quarantine_id: quarantineIdField,
  /** `quarantined`: still refused, and waiting as before. */
  outcome: z.enum(['posted', 'duplicate', 'empty', 'conflict', 'quarantined', 'already_replayed']),
  detail: z.string().nullable(),
});
export type Replayed = z.infer<typeof replayed>;

export const replayAnswer = listOf(replayed);
export type ReplayAnswer = z.infer<typeof replayAnswer>;
