import { z } from 'zod';
import { amountField, entryIdField, entryIdGiven, listOf, noteFields } from '../../fields.ts';
import { FURTHER_UNITS } from '../../units.ts';

const tag = z.string().nullable().optional();
const tokens = z.int().nonnegative().optional();
/** Counts by the names of units; a unit that is not named stays as it was, and 0 takes one away. */
const units = z.partialRecord(z.enum(FURTHER_UNITS.map(({ name }) => name)), z.int().nonnegative());

/** What of an entry is to be another; what is absent stays as it was. */
export const entryChange = z.strictObject({
  tenant_id: z.string().optional(),
  user_id: tag,
  feature: tag,
  agent_run_id: tag,
  prompt_version: tag,
  status: z.enum(['ok', 'error', 'cancelled']).optional(),
  requested_model: z.string().optional(),
  executed_model: z.string().optional(),
  provider: tag,
  service_tier: z.enum(['standard', 'batch', 'flex', 'priority']).optional(),
  uncached_input_tokens: tokens,
  cache_read_tokens: tokens,
  cache_write_tokens: tokens,
  output_tokens: tokens,
  units: units.optional(),
});
export type ChangeGiven = z.output<typeof entryChange>;

export const correctRequest = z.strictObject({
  entry_id: entryIdGiven,
  /** Null takes the entry back without a replacement. */
  change: entryChange.nullable(),
  /** Shows the difference and posts nothing. */
  dry_run: z.boolean().optional(),
  ...noteFields,
});
export type CorrectRequest = z.output<typeof correctRequest>;

export const correctionAnswer = z.strictObject({
  corrected: entryIdField,
  /** It is null in a dry run, as is the replacement. */
  reversal: entryIdField.nullable(),
  replacement: entryIdField.nullable(),
  charge_before: amountField.nullable(),
  charge_after: amountField.nullable(),
  cost_before: amountField.nullable(),
  cost_after: amountField.nullable(),
});
export type CorrectionAnswer = z.infer<typeof correctionAnswer>;

export const acceptRequest = z.strictObject({
  /** Entries without a price or a measure, which are to be free. */
  entry_ids: listOf(entryIdGiven),
  ...noteFields,
});
export type AcceptRequest = z.output<typeof acceptRequest>;

export const acceptAnswer = listOf(correctionAnswer);
export type AcceptAnswer = z.infer<typeof acceptAnswer>;

export const reattributeRequest = z.strictObject({
  /** None means every entry without a tenant that the rest selects. */
  entry_ids: listOf(entryIdGiven),
  /** The tenant to whom they belong. */
  tenant_id: z.string(),
  /** The one that is meant; null for all. */
  user_id: z.string().nullable(),
  feature: z.string().nullable(),
  agent_run_id: z.string().nullable(),
  /** Shows the difference and posts nothing. */
  dry_run: z.boolean().optional(),
  /** A call whose cost is not known in the tenant's currency loses it. */
  unprice: z.boolean().optional(),
  ...noteFields,
});
export type ReattributeRequest = z.output<typeof reattributeRequest>;

export const reattributeAnswer = listOf(correctionAnswer);
export type ReattributeAnswer = z.infer<typeof reattributeAnswer>;
