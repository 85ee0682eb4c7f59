import { z } from 'zod';
import { countField, dayField, idField, instantField, listOf } from '../../fields.ts';

export const verificationRequest = z.strictObject({
  /** What is looked at: everything, or only what came since the last run in which every law held. */
  scope: z.enum(['full', 'incremental']),
  /**
   * The place of the published seals that must be found in the chain: a file, or
   * `s3://BUCKET/PREFIX`.
   */
  against: z.string().nullable(),
});
export type VerificationRequest = z.output<typeof verificationRequest>;

const lawAnswer = z.strictObject({
  law: z.int(),
  name: z.string(),
  /** Rows that the check looked at. */
  checked: countField,
  /** The rows that those were; null where it was all of them. */
  range: z.string().nullable(),
  /** The offending ids with what is wrong; at most twenty of them. */
  violations: listOf(z.string()),
});
export type LawAnswer = z.infer<typeof lawAnswer>;

export const verificationAnswer = z.strictObject({
  holds: z.boolean(),
  scope: z.enum(['full', 'incremental']),
  laws: listOf(lawAnswer),
  /** What was left out, and why. */
  left_out: listOf(z.string()),
  /** The published seals that were compared with the chain; null where none was asked for. */
  against: z
    .strictObject({
      place: z.string(),
      seals: countField,
      last_seal: idField.nullable(),
      /** The restores after which that place goes on, as its operator said them there. */
      restores: listOf(
        z.strictObject({
          from: z.string(),
          reason: z.string(),
          said_at: instantField,
          /** The last seal published before that the chain was left with; null where there was none. */
          kept_seal: idField.nullable(),
          /** What was published before and is in no chain any more. */
          lost: listOf(z.strictObject({ day: dayField, seal: idField })),
        }),
      ),
    })
    .nullable(),
});
export type VerificationAnswer = z.infer<typeof verificationAnswer>;
