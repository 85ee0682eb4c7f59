import { z } from 'zod';
import { countField, instantField, monthField } from '../../fields.ts';

/** How new the ledger is, and what waits for a person: cheap enough to be asked with every page. */
export const freshnessAnswer = z.strictObject({
  at: instantField,
  /** The month of UTC days that runs, and the newest one that is over in every time zone. */
  running_month: monthField,
  ended_month: monthField,
  /** The last batch that was recorded; null before the first. */
  last_batch_at: instantField.nullable(),
  quarantine: countField,
  alerts: countField,
  rollups_behind: countField,
  seals_behind: countField,
});
export type FreshnessAnswer = z.infer<typeof freshnessAnswer>;
