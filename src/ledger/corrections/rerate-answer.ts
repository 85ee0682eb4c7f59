import { z } from 'zod';
import { monthField, noteFields } from '../../fields.ts';
import { differenceFields } from './bulk-answer.ts';

export const rerateRequest = z.strictObject({
  /** The month of the calls: that in which the period begins in which they occurred. */
  month: monthField,
  /** It is null for every tenant. */
  tenant_id: z.string().nullable(),
  /** Shows the difference and posts nothing. */
  dry_run: z.boolean(),
  /** An entry whose price is no longer there loses it. */
  unprice: z.boolean().optional(),
  ...noteFields,
});
export type RerateRequest = z.output<typeof rerateRequest>;

export const rerateAnswer = z.strictObject({ month: monthField, ...differenceFields });
export type RerateAnswer = z.infer<typeof rerateAnswer>;
