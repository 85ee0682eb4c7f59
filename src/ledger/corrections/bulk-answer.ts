import { z } from 'zod';
import { amountField, listOf, monthField, noteFields } from '../../fields.ts';
import { entryChange } from './correction-answer.ts';

/**
 * What a correction of many entries changes for one tenant and model. Amounts of two currencies are never
 * added, nor known ones to unknown: where entries of a model differ in that, there is a row for each sort.
 */
const differenceRow = z.strictObject({
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
export type DifferenceRow = z.infer<typeof differenceRow>;

/** The rows of one currency together. What has no price is not charged; a sum with an unknown cost in it is unknown. */
const totalRow = z.strictObject({
  currency: z.string(),
  entries: z.int(),
  charge_before: amountField,
  charge_after: amountField,
  cost_before: amountField.nullable(),
  cost_after: amountField.nullable(),
});
export type TotalRow = z.infer<typeof totalRow>;

/** Entries of a tenant's model that are counted and not corrected, such as those without a price (R10). */
const unpricedRow = z.strictObject({
  tenant_id: z.string(),
  requested_model: z.string(),
  entries: z.int(),
});
export type UnpricedRow = z.infer<typeof unpricedRow>;

/** The answer to every correction of many entries. */
export const differenceFields = {
  dry_run: z.boolean(),
  /** Entries that were looked at. */
  examined: z.int(),
  rows: listOf(differenceRow),
  totals: listOf(totalRow),
  /** They had no price, and have none by the books as they are now. */
  unrated: listOf(unpricedRow),
  /** They would lose their price, and were left as they are unless that was asked for. */
  losing: listOf(unpricedRow),
  /** They were billed in a currency in which their tenant no longer pays, and were left as they are (R15). */
  in_other_currency: listOf(unpricedRow),
};

const text = z.string().optional();
const tag = z.string().nullable().optional();

export const correctWhereRequest = z.strictObject({
  /** Every field that is given must match; null matches what has none. */
  where: z
    .strictObject({
      tenant_id: text,
      source: text,
      user_id: tag,
      feature: tag,
      agent_run_id: tag,
      prompt_version: tag,
      requested_model: text,
      executed_model: text,
      provider: tag,
      service_tier: text,
      status: text,
      outcome: text,
    })
    .refine((given) => Object.keys(given).length > 0, 'say which entries are meant'),
  /** The month in which the calls occurred; null for any. */
  month: monthField.nullable(),
  /** Null takes the entries back without a replacement. */
  change: entryChange.nullable(),
  /** Shows the difference and posts nothing. */
  dry_run: z.boolean(),
  /** An entry may lose its price by it. */
  unprice: z.boolean().optional(),
  ...noteFields,
});
export type CorrectWhereRequest = z.output<typeof correctWhereRequest>;

export const correctWhereAnswer = z.strictObject({
  month: monthField.nullable(),
  ...differenceFields,
});
export type CorrectWhereAnswer = z.infer<typeof correctWhereAnswer>;
