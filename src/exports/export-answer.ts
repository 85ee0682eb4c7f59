import { z } from 'zod';
import { dayField, listOf, monthField } from '../fields.ts';

/** What every export asks: the closed periods that begin in a month. */
export const exportFields = {
  month: monthField,
  /** It is null for all tenants. */
  tenant_id: z.string().nullable(),
};

/** A period of the month that is not in the export. */
const skippedPeriod = z.strictObject({
  tenant_id: z.string(),
  period_start: dayField,
  /** Nothing is due of a period in shadow; one that is open has no amount yet. */
  why: z.enum(['shadow', 'open']),
});
export type SkippedPeriod = z.infer<typeof skippedPeriod>;

export const skippedField = listOf(skippedPeriod);
