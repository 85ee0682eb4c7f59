import { z } from 'zod';
import { dayField, monthField, wholeField } from '../fields.ts';

export const settleRequest = z.strictObject({
  tenant_id: z.string(),
  month: monthField,
  /** The first day of the period, where several begin in the month and more than one of them has something untold. */
  period_start: dayField.optional(),
  /** Major units, as the person billed it. */
  amount: z.string(),
  /** Where it was billed, such as the number of an invoice. */
  reason: z.string(),
  /** The person or program that says so. */
  actor: z.string(),
});
export type SettleRequest = z.output<typeof settleRequest>;

export const settleAnswer = z.strictObject({
  tenant_id: z.string(),
  period_start: dayField,
  identifier: z.string(),
  currency: z.string(),
  /** Micro units that count as told by this, and those that are still due. */
  settled: wholeField,
  due: wholeField,
});
export type SettleAnswer = z.infer<typeof settleAnswer>;
