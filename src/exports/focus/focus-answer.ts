import { z } from 'zod';
import { amountField, countField, dayField, listOf } from '../../fields.ts';
import { exportFields, skippedField } from '../export-answer.ts';

export const focusRequest = z.strictObject({
  ...exportFields,
  /** Who bills, under the names that FOCUS has for it; null is the issuer that is set. */
  issuer: z.string().min(1).max(200).nullable(),
});
export type FocusRequest = z.output<typeof focusRequest>;

export const focusAnswer = z.strictObject({
  rows: countField,
  /** The billed costs of a statement's rows come to its total, to the digit. */
  statements: listOf(
    z.strictObject({
      tenant_id: z.string(),
      period_start: dayField,
      currency: z.string(),
      billed: amountField,
      rows: countField,
    }),
  ),
  skipped: skippedField,
});
export type FocusAnswer = z.infer<typeof focusAnswer>;
