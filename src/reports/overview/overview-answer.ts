import { z } from 'zod';
import {
  amountField,
  countField,
  dayField,
  instantField,
  listOf,
  monthField,
  percentField,
} from '../../fields.ts';
import { batchesBehindField } from '../../ledger/rollups/batches-behind.ts';

export const overviewRequest = z.strictObject({
  /** A month of UTC days; null for the one that runs. */
  month: monthField.nullable(),
  /** It is null for the currency in which most was charged. */
  currency: z.string().nullable(),
  /** It is null for every tenant. */
  tenant_id: z.string().nullable(),
  /** Tenants at the most. */
  limit: z.int().positive().max(100),
});
export type OverviewRequest = z.output<typeof overviewRequest>;

const withoutPrice = {
  /** Entries that are charged nothing as yet, because they wait for a price or for their usage; beside them the margin is null. */
  entries_without_price: countField,
};

/** What some days came to in one currency. */
const daysSum = z.strictObject({
  /** Whole UTC days, half-open. */
  from: dayField,
  to: dayField,
  entries: countField,
  charge: amountField,
  /** It is null where the cost of any entry is unknown, and so is the margin. */
  cost: amountField.nullable(),
  margin: amountField.nullable(),
  /** The margin is of the charge; null where that is nothing, or it is unknown. */
  margin_percent: percentField.nullable(),
  entries_without_cost: countField,
  ...withoutPrice,
});
export type DaysSum = z.infer<typeof daysSum>;

const projection = z.strictObject({
  charge: amountField,
  /** `weekdays`: each day to come as the same weekdays of the last four weeks were on the average; `days`: as all days before it were. */
  method: z.enum(['weekdays', 'days']),
  /** Whole days of before on which it rests. */
  from_days: countField,
});
export type ProjectionAnswer = z.infer<typeof projection>;

const overviewTenant = z.strictObject({
  tenant_id: z.string(),
  charge: amountField,
  cost: amountField.nullable(),
  margin: amountField.nullable(),
  margin_percent: percentField.nullable(),
  entries_without_cost: countField,
  ...withoutPrice,
  /** The charge of each day of the month to date, in their order. */
  days: listOf(amountField),
});
export type OverviewTenant = z.infer<typeof overviewTenant>;

/** The month of UTC days in one currency: what it came to so far, against the month before, and by whom. */
export const overviewAnswer = z.strictObject({
  at: instantField,
  batches_behind: batchesBehindField,
  month: monthField,
  currency: z.string(),
  /** Every currency in which these days have entries, the largest charge first. */
  currencies: listOf(z.string()),
  to_date: daysSum,
  /** The same days of the month before, or all of them where it is shorter. */
  before: daysSum,
  /** It is null of a month that is over, and where nothing came before. */
  projection: projection.nullable(),
  days: listOf(z.strictObject({ day: dayField, model: z.string(), charge: amountField })),
  /** The largest charge first, as many as were asked for. */
  tenants: listOf(overviewTenant),
  tenants_in_all: countField,
});
export type OverviewAnswer = z.infer<typeof overviewAnswer>;
