import { z } from 'zod';
import {
  amountField,
  countField,
  entryIdField,
  listOf,
  percentField,
  wholeField,
} from '../fields.ts';
import { reportScope } from './report-scope.ts';

/** What a report of counts can be grouped by; how sure they are is always told apart. */
export const COUNTS_DIMENSIONS = [
  'source',
  'provider',
  'model',
  'requested_model',
  'tenant',
  'day',
] as const;
export type CountsDimension = (typeof COUNTS_DIMENSIONS)[number];

export const countsRequest = z.strictObject({
  by: listOf(z.enum(COUNTS_DIMENSIONS)),
  ...reportScope,
});
export type CountsRequest = z.output<typeof countsRequest>;

/** It is null where calls name none, and absent where it was not asked for. */
const named = z.string().nullable().optional();

const sums = {
  /** As the provider reported them; `estimated` by the producer; or `assumed`, where the message leaves a count in doubt. */
  usage_source: z.enum(['assumed', 'estimated', 'reported']),
  currency: z.string(),
  /** Successful calls that stand, and members' parts of calls. */
  entries: countField,
  input_tokens: wholeField,
  output_tokens: wholeField,
  /** What is known of it: that of entries without one is in no sum. */
  charge: amountField,
  entries_without_charge: countField,
};

const countsRow = z.strictObject({
  source: named,
  provider: named,
  model: named,
  requested_model: named,
  tenant: named,
  day: named,
  ...sums,
  /** The earliest of them, to be looked at. */
  first_entry_id: entryIdField,
});
export type CountsRow = z.infer<typeof countsRow>;

const countsTotal = z.strictObject({
  ...sums,
  /** How much of the entries in the currency. */
  share: percentField,
});
export type CountsTotal = z.infer<typeof countsTotal>;

export const countsAnswer = z.strictObject({
  by: listOf(z.enum(COUNTS_DIMENSIONS)),
  /** The least sure first. */
  rows: listOf(countsRow),
  totals: listOf(countsTotal),
});
export type CountsAnswer = z.infer<typeof countsAnswer>;
