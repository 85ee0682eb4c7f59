import { z } from 'zod';
import { formatInstant, formatInstantOrNull } from '../../clock.ts';
import { dayField, instantField, listOf, wholeField } from '../../fields.ts';
import type { KeptAlert } from '../../push/alert.ts';
import { unparkAdvice } from '../../push/push-period.ts';
import type { Remedy } from '../../remedy.ts';
import { advise, remedyField } from '../../remedy.ts';
import { ALERT_KINDS } from './stripe-alert.ts';

export const alertsRequest = z.strictObject({
  /** With this, alerts that were resolved are listed, too. */
  all: z.boolean(),
});
export type AlertsRequest = z.output<typeof alertsRequest>;

export const resolveRequest = z.strictObject({
  alert_id: wholeField,
  /** What was done, such as the credit note that was made. */
  reason: z.string(),
  /** The person or program that did it. */
  actor: z.string(),
  /** Whether nothing was billed by hand, or stands on the invoice, that is not recorded as settled. */
  nothing_else_billed: z.boolean().optional(),
});
export type ResolveRequest = z.output<typeof resolveRequest>;

const alertKind = z.enum(ALERT_KINDS);

export const alertAnswer = z.strictObject({
  alert_id: wholeField,
  raised_at: instantField,
  kind: alertKind,
  /** The identifier, invoice, customer, subscription or event that it is about. */
  subject: z.string(),
  tenant_id: z.string().nullable(),
  period_start: dayField.nullable(),
  detail: z.string(),
  /** What a person does about it; null once it is resolved. */
  remedy: remedyField.nullable(),
  /** These are null while it is open. */
  resolved_at: instantField.nullable(),
  resolution: z.string().nullable(),
  resolved_by: z.string().nullable(),
});
export type AlertAnswer = z.infer<typeof alertAnswer>;

/** The alerts stand in the order in which they were raised. */
export const alertsAnswer = listOf(alertAnswer);
export type AlertsAnswer = z.infer<typeof alertsAnswer>;

export function alertShown(alert: KeptAlert): AlertAnswer {
  return {
    alert_id: String(alert.alertId),
    raised_at: formatInstant(alert.raisedAt),
    kind: alertKind.parse(alert.kind),
    subject: alert.subject,
    tenant_id: alert.tenantId,
    period_start: alert.periodStart,
    detail: alert.detail,
    remedy: alert.resolvedAt === null ? remedyOf(alert) : null,
    resolved_at: formatInstantOrNull(alert.resolvedAt),
    resolution: alert.resolution,
    resolved_by: alert.resolvedBy,
  };
}

/** Returns what a person does about an alert that is open. */
export function remedyOf(alert: KeptAlert): Remedy {
  const { kind, subject, tenantId, periodStart, alertId } = alert;
  const resolve = { operation: 'stripe resolve', alert_id: String(alertId) } as const;
  const subscriptions = { operation: 'stripe setup', currency: null, subscriptions: true } as const;
  const setUp = { ...subscriptions, tenant_id: tenantId };
  switch (alertKind.parse(kind)) {
    // An alert about an intent is open as long as that is parked.
    case 'push_parked':
      return unparkAdvice(subject);
    case 'meter_error':
    case 'no_meter_found': {
      const reconcile = {
        operation: 'reconcile',
        month: periodStart?.slice(0, 7) ?? null,
      } as const;
      return [...advise`${reconcile} says whether it is counted; `, ...unparkAdvice(subject)];
    }
    case 'meter_errors_not_named':
      return advise`run ${{ operation: 'reconcile', month: null }} for each month that is being pushed; then ${resolve}`;
    case 'foreign_meter_error':
      return advise`find what else reports to the meter; then ${resolve}`;
    case 'customer_deleted': {
      const link = { operation: 'tenant set', tenant_id: tenantId, from: null } as const;
      return advise`link another one with ${{ ...link, give: 'stripe_customer' }}, or set the tenant to shadow; then ${resolve}`;
    }
    case 'subscription_canceled':
      return advise`make it another one with ${setUp}, unless the tenant has left; then ${resolve}`;
    case 'subscription_changed':
      return advise`let it go on, or make another one with ${setUp} once it has ended; then ${resolve}`;
    case 'collection_paused':
      return advise`resume the collection in Stripe and run the month again, which lets its drafts go; or, where the pause is meant, ${resolve}`;
    case 'no_subscription':
      return advise`give it one with ${setUp}, unless that is meant; then ${resolve}`;
    case 'usage_left_on_meter':
      return advise`bill it by an invoice of your own, give its customer no subscription that begins before ${periodStart ?? 'that period'}; then ${resolve} with the number of the invoice`;
    case 'invoice_not_final': {
      const month = periodStart?.slice(0, 7) ?? null;
      const settled = { operation: 'stripe settled', tenant_id: tenantId, month } as const;
      return advise`finalize it in Stripe once what keeps it a draft is mended; where it is to stay one, bill the period another way and record that with ${settled}; where that is refused, see that its auto_advance is off, so that it bills nothing later, and ${resolve} with the place where it was billed`;
    }
    case 'item_draft_gone': {
      const month = periodStart?.slice(0, 7) ?? null;
      const push = { operation: 'push', month } as const;
      const settled = { operation: 'stripe settled', tenant_id: tenantId, month } as const;
      const reconcile = { operation: 'reconcile', month } as const;
      return advise`bill nothing by hand before ${reconcile} has said whether its item is left, which the next invoice of its customer bills; where no subscription makes one, make it in Stripe. Where it is missing, too, do what that says, and the next ${push} bills it anew; what you billed elsewhere is recorded with ${settled} before that push; then ${resolve}`;
    }
    case 'invoice_differs': {
      const month = periodStart?.slice(0, 7) ?? null;
      const push = { operation: 'push', month } as const;
      const settled = { operation: 'stripe settled', tenant_id: tenantId, month } as const;
      return advise`run ${push} before you bill anything, since it bills by an invoice item what was told too late for this invoice. Where that is refused, since the invoice bills more than is on record as told, bill nothing by hand: record with ${settled} what it bills of this usage, and ${push} bills the rest. Then credit what it bills of anything else, and find what else reports usage to the meter; then ${resolve}, after which whatever is not recorded as settled is billed by an item; what you billed by hand nevertheless, record with ${settled} first`;
    }
    case 'invoice_without_period':
      return advise`${setUp} says what is wrong with its subscription; when that is mended, ${resolve}`;
    case 'invoice_void':
      return advise`bill it by another invoice; then ${resolve} with its number`;
    case 'invoice_credited':
      return advise`${resolve} with the reason of the credit`;
    case 'invoice_final_too_early':
    case 'event_not_handled':
      return advise`when that is done, ${resolve}`;
  }
}
