import { z } from 'zod';
import { amountField, amountGiven, dayField, entryIdField, noteFields } from '../../fields.ts';

export const adjustRequest = z.strictObject({
  tenant_id: z.string(),
  /** Below zero it is a credit, above zero a fee; in the major unit of the tenant's currency. */
  amount: amountGiven,
  /** The same id again is the same adjustment; null makes a new one each time. */
  id: z.string().nullable(),
  /** The customer reads the reason on the statement. */
  ...noteFields,
});
export type AdjustRequest = z.output<typeof adjustRequest>;

export const adjustmentAnswer = z.strictObject({
  state: z.enum(['posted', 'duplicate']),
  entry_id: entryIdField,
  tenant_id: z.string(),
  id: z.string(),
  amount: amountField,
  currency: z.string(),
  reason: z.string(),
  /** The open period, in which it bills. */
  period_start: dayField,
});
export type AdjustmentAnswer = z.infer<typeof adjustmentAnswer>;
