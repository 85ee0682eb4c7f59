import { z } from 'zod';
import { countField, instantField } from '../../fields.ts';

/** What came in during the last hour, as the receipts of its batches count it. */
export const intakeAnswer = z.strictObject({
  since: instantField,
  received: countField,
  posted: countField,
  duplicates: countField,
  conflicts: countField,
  quarantined: countField,
});
export type IntakeAnswer = z.infer<typeof intakeAnswer>;
