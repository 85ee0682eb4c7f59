import { z } from 'zod';
import { dayField, wholeField } from '../fields.ts';

export const unsettleRequest = z.strictObject({
  /** The identifier of what was recorded as settled. */
  identifier: z.string(),
  /** Why it is not so, such as the invoice that was never sent. */
  reason: z.string(),
  /** The person or program that says so. */
  actor: z.string(),
});
export type UnsettleRequest = z.output<typeof unsettleRequest>;

export const unsettleAnswer = z.strictObject({
  tenant_id: z.string(),
  period_start: dayField,
  /** The identifier of the record that takes it back. */
  identifier: z.string(),
  currency: z.string(),
  /** Micro units that count as told no more, and those that are due by now. */
  taken_back: wholeField,
  due: wholeField,
});
export type UnsettleAnswer = z.infer<typeof unsettleAnswer>;
