import { z } from 'zod';
import { amountField, dayField, hashField, listOf, monthField } from '../../fields.ts';

export const closeRequest = z.strictObject({
  month: monthField,
  /** Null for every tenant. */
  tenant_id: z.string().nullable(),
});
export type CloseRequest = z.output<typeof closeRequest>;

const closedPeriod = z.strictObject({
  tenant_id: z.string(),
  period_start: dayField,
  state: z.enum(['closed', 'already_closed', 'not_ended', 'refused']),
  /** Why it was not closed, and what to do. */
  detail: z.string().nullable(),
  charge_total: amountField.nullable(),
  currency: z.string().nullable(),
  manifest_hash: hashField.nullable(),
});
/** What closing one tenant's period came to. */
export type ClosedPeriod = z.infer<typeof closedPeriod>;

/** By tenant. */
export const closeAnswer = listOf(closedPeriod);
export type CloseAnswer = z.infer<typeof closeAnswer>;
