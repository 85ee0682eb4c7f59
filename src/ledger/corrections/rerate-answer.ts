import { z } from 'zod';
import { amountField, listOf, monthField, noteFields } from '../../fields.ts';

export const rerateRequest = z.strictObject({
  /** The month in which the periods begin. */
  month: monthField,
  /** It is null for every tenant. */
  tenant_id: z.string().nullable(),
  /** Shows the difference and posts nothing. */
  dry_run: z.boolean(),
  ...noteFields,
});
export type RerateRequest = z.output<typeof rerateRequest>;

/**
 * What re-rating changes for one tenant and model. Amounts of two currencies are never added, nor known
 * ones to unknown: where entries of a model differ in that, there is a row for each sort.
 */
const rerateRow = z.strictObject({
  tenant_id: z.string(),
  requested_model: z.string(),
  currency_before: z.string(),
  currency: z.string(),
  entries: z.int(),
  /** Entries that had no price and have one now (R10). */
  released: z.int(),
  /** It is null where there is no price. */
  charge_before: amountField.nullable(),
  charge_after: amountField.nullable(),
  /** It is null where nobody knows what the provider takes. */
  cost_before: amountField.nullable(),
  cost_after: amountField.nullable(),
});
export type RerateRow = z.infer<typeof rerateRow>;

/** Entries that have no price by the books as they are now (R10). */
const unratedRow = z.strictObject({
  tenant_id: z.string(),
  requested_model: z.string(),
  entries: z.int(),
});
export type UnratedRow = z.infer<typeof unratedRow>;

export const rerateAnswer = z.strictObject({
  month: monthField,
  dry_run: z.boolean(),
  rows: listOf(rerateRow),
  unrated: listOf(unratedRow),
});
export type RerateAnswer = z.infer<typeof rerateAnswer>;
