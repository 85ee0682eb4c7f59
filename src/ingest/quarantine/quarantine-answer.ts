import { z } from 'zod';
import {
  countField,
  dayGiven,
  entryIdField,
  instantField,
  listOf,
  noteFields,
} from '../../fields.ts';
import { nextCursorField, pageFields } from '../../page.ts';

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
  /** How many values were cut out of the body before it was stored. */
  cut: z.int(),
  /** These are null while it is not dismissed. */
  dismissed_at: instantField.nullable(),
  dismissed_by: z.string().nullable(),
  dismissed_because: z.string().nullable(),
  /** The instant at which its body was erased. */
  purged_at: instantField.nullable(),
});
export type QuarantinedAnswer = z.infer<typeof quarantinedAnswer>;

/** The oldest first. */
export const quarantineAnswer = listOf(quarantinedAnswer);
export type QuarantineAnswer = z.infer<typeof quarantineAnswer>;

export const quarantinePageRequest = z.strictObject({
  /** The replayed and dismissed ones, too. */
  all: z.boolean(),
  ...pageFields,
});
export type QuarantinePageRequest = z.output<typeof quarantinePageRequest>;

/** The oldest first. */
export const quarantinePageAnswer = z.strictObject({
  quarantine: quarantineAnswer,
  next_cursor: nextCursorField,
});
export type QuarantinePageAnswer = z.infer<typeof quarantinePageAnswer>;

export const replayRequest = z.strictObject({
  /** None means all that wait. */
  quarantine_ids: listOf(quarantineIdGiven),
});
export type ReplayRequest = z.output<typeof replayRequest>;

const replayed = z.strictObject({
  quarantine_id: quarantineIdField,
  /** `quarantined`: still refused, and waiting as before; `dismissed`: it was dismissed, and is not posted. */
  outcome: z.enum([
    'posted',
    'duplicate',
    'empty',
    'conflict',
    'quarantined',
    'already_replayed',
    'dismissed',
  ]),
  detail: z.string().nullable(),
});
export type Replayed = z.infer<typeof replayed>;

export const replayAnswer = listOf(replayed);
export type ReplayAnswer = z.infer<typeof replayAnswer>;

export const dismissRequest = z.strictObject({
  quarantine_ids: listOf(quarantineIdGiven),
  ...noteFields,
});
export type DismissRequest = z.output<typeof dismissRequest>;

/** What was dismissed, in the order in which it was asked. */
export const dismissAnswer = listOf(
  z.strictObject({
    quarantine_id: quarantineIdField,
    outcome: z.enum(['dismissed', 'waits_no_longer']),
  }),
);
export type DismissAnswer = z.infer<typeof dismissAnswer>;

export const acceptConflictRequest = z.strictObject({
  quarantine_id: quarantineIdGiven,
  ...noteFields,
});
export type AcceptConflictRequest = z.output<typeof acceptConflictRequest>;

/** The entries that a conflict took back, and what stands in their place. */
export const acceptConflictAnswer = z.strictObject({
  quarantine_id: quarantineIdField,
  corrections: listOf(
    z.strictObject({
      corrected: entryIdField,
      reversal: entryIdField,
      replacement: entryIdField,
    }),
  ),
});
export type AcceptConflictAnswer = z.infer<typeof acceptConflictAnswer>;

export const purgeRequest = z.strictObject({
  /** What was dismissed before this UTC day. */
  before: dayGiven,
});
export type PurgeRequest = z.output<typeof purgeRequest>;

export const purgeAnswer = z.strictObject({ purged: countField });
export type PurgeAnswer = z.infer<typeof purgeAnswer>;
