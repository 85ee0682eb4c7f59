import { z } from 'zod';
import { holdAnswer } from '../../budgets/budget-answer.ts';
import { countField, instantField, listOf, monthField } from '../../fields.ts';
import { leaversAnswer } from '../../reports/leavers-answer.ts';
import { leftOwed } from '../../tenants/tenant-answer.ts';
import { missingThing } from '../completeness/missing-answer.ts';

export const statusRequest = z.strictObject({
  /** What the month lacks; null for what is open, and what was closed last. */
  month: monthField.nullable(),
});
export type StatusRequest = z.output<typeof statusRequest>;

/** What a person wants to know first. */
export const statusAnswer = z.strictObject({
  at: instantField,
  /** Messages that wait or are in somebody's hand, as the queue says; null where it was not asked. */
  queue: countField.nullable(),
  /** The last batch that was recorded; null before the first. */
  last_batch_at: instantField.nullable(),
  /** Seconds since the last batch while messages wait, and 0 while none does; null where nobody knows. */
  lag_seconds: countField.nullable(),
  open_periods: countField,
  /** The periods of these that have ended, and could be closed. */
  ended_periods: countField,
  unrated: countField,
  unmeasured: countField,
  without_cost: countField,
  quarantine: countField,
  under_two_tenants: countField,
  /** Calls that two events report, and both stand. */
  reported_twice: countField,
  unregistered_tenants: countField,
  /** What budgets have promised to calls that were not reported yet. */
  holds: countField,
  /** The holds whose call is over by their expiry, and whose event did not come; a hundred at the most. */
  unsettled_holds: listOf(holdAnswer),
  /** Events that named a hold which nobody made, of the last 30 days; a hundred at the most. */
  unknown_holds: listOf(
    z.strictObject({
      hold_id: z.string(),
      tenant_id: z.string(),
      source: z.string(),
      event_id: z.string(),
    }),
  ),
  untold_periods: countField,
  /** Pushes that nobody answered for 23 hours: they are not sent again until the destination's summary decides. */
  ambiguous_pushes: countField,
  unbilled_periods: countField,
  periods_on_two_invoices: countField,
  periods_on_voided_invoices: countField,
  /** Alerts about anything else. */
  alerts: countField,
  /** Messages to webhooks that nobody took for three days, by the receiver. */
  dead_webhooks: listOf(
    z.strictObject({ endpoint_id: z.string(), url: z.string(), count: countField }),
  ),
  /** Customers who left, and what is owed to them, not closed, or told to nobody. */
  leavers: leaversAnswer,
  /** What is owed to customers in a currency in which they pay no more, so that no period takes it in. */
  left_owed: listOf(leftOwed),
  /** What is due of months that were billed and waits for a live one; an amount below zero is owed to the customer. */
  waiting_due: listOf(leftOwed),
  /** Events that were taken for second reports of calls, by the source that sent them and why. */
  second_reports: listOf(
    z.strictObject({
      source: z.string(),
      because: z.enum(['response', 'call', 'nested']),
      count: countField,
    }),
  ),
  /** Batches that are not in the rollups, and not in the chain of seals, yet. */
  rollups_behind: countField,
  seals_behind: countField,
  /** What could not be asked, and why. */
  not_asked: listOf(z.string()),
  /** Everything that keeps the month from being whole. */
  missing: listOf(missingThing),
});
export type StatusAnswer = z.infer<typeof statusAnswer>;
