import { z } from 'zod';
import { amountField, instantField, listOf } from '../fields.ts';

/**
 * A customer who left, and what stands between us in one currency; amounts are null where it never had one. Who paid in
 * two has two of these.
 */
const leaver = z.strictObject({
  tenant_id: z.string(),
  left_at: instantField,
  currency: z.string().nullable(),
  /** Credit beyond the usage that no period will take any more. */
  owed_to: amountField.nullable(),
  /** Usage that is in no closed period yet. */
  not_closed: amountField.nullable(),
  /** Closed amounts that no destination was told. */
  not_told: amountField.nullable(),
});

export const leaversAnswer = listOf(leaver);
export type LeaversAnswer = z.infer<typeof leaversAnswer>;
