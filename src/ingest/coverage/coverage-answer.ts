import { z } from 'zod';
import { countField, hashField, instantField, instantGiven, listOf } from '../../fields.ts';

export const ingestCoverageRequest = z.strictObject({
  /** Events count that were recorded from this instant on; null for the last 24 hours. */
  since: instantGiven.nullable(),
  /** Before this instant; null for now. */
  until: instantGiven.nullable(),
  /** It is null for every source. */
  source: z.string().nullable(),
});
export type IngestCoverageRequest = z.output<typeof ingestCoverageRequest>;

const coveredHour = z.strictObject({
  source: z.string(),
  /** The begin of the UTC hour in which they were recorded. */
  hour: instantField,
  received: countField,
  posted: countField,
  duplicate: countField,
  conflict: countField,
  quarantined: countField,
  empty: countField,
  /**
   * SHA-256 over the ids of the posted events of the hour, in the order of their bytes, with a line feed
   * after each: whoever knows what was sent makes the same.
   */
  event_ids_sha256: hashField,
});
export type CoveredHour = z.infer<typeof coveredHour>;

export const ingestCoverageAnswer = z.strictObject({
  since: instantField,
  until: instantField,
  hours: listOf(coveredHour),
});
export type IngestCoverageAnswer = z.infer<typeof ingestCoverageAnswer>;
