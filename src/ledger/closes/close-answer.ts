import { z } from 'zod';
import { amountField, dayField, hashField, listOf, monthField } from '../../fields.ts';

export const closeRequest = z.strictObject({
  month: monthField,
  /** It is null for every tenant. */
  tenant_id: z.string().nullable(),
  /** Says what would be closed, and closes nothing; absent for a close. */
  dry_run: z.boolean().optional(),
});
export type CloseRequest = z.output<typeof closeRequest>;

const closedPeriod = z.strictObject({
  tenant_id: z.string(),
  period_start: dayField,
  state: z.enum(['closed', 'would_close', 'already_closed', 'not_ended', 'refused']),
  /** The reason why it was not closed, and what to do; of one that was, what was left to carry on. */
  detail: z.string().nullable(),
  /** What it came to, or would. */
  charge_total: amountField.nullable(),
  currency: z.string().nullable(),
  manifest_hash: hashField.nullable(),
});
/** What closing one tenant's period came to. */
export type ClosedPeriod = z.infer<typeof closedPeriod>;

/** The periods stand in the order of their tenants. */
export const closeAnswer = listOf(closedPeriod);
export type CloseAnswer = z.infer<typeof closeAnswer>;
