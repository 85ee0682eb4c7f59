import { z } from 'zod';
import { formatInstant } from '../clock.ts';
import { dayField, instantField, listOf, wholeField } from '../fields.ts';
import type { Remedy } from '../remedy.ts';
import { advise, remedyField } from '../remedy.ts';
import type { KeptAlert } from './alert.ts';
import { ALERT_KINDS } from './alert.ts';
import { unparkAdvice } from './push-period.ts';

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
});
export type ResolveRequest = z.output<typeof resolveRequest>;

export const alertAnswer = z.strictObject({
  alert_id: wholeField,
  raised_at: instantField,
  kind: z.enum(ALERT_KINDS),
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
    kind: alert.kind,
    subject: alert.subject,
    tenant_id: alert.tenantId,
    period_start: alert.periodStart,
    detail: alert.detail,
    remedy: alert.resolvedAt === null ? remedyOf(alert) : null,
    resolved_at: alert.resolvedAt === null ? null : formatInstant(alert.resolvedAt),
    resolution: alert.resolution,
    resolved_by: alert.resolvedBy,
  };
}

/** What a person does about an alert that is open. */
export function remedyOf({ kind, subject, tenantId, alertId }: KeptAlert): Remedy {
  const resolve = { operation: 'stripe resolve', alert_id: String(alertId) } as const;
  switch (kind) {
    // An alert about an intent is open as long as that is parked.
    case 'push_parked':
    case 'meter_error':
    case 'no_meter_found':
      return unparkAdvice(subject);
    case 'customer_deleted': {
      const link = { operation: 'tenant set', tenant_id: tenantId, from: null } as const;
      return advise`link another one with ${{ ...link, give: 'stripe_customer' }}, or set the tenant to shadow; then ${resolve}`;
    }
    default:
      return advise`when that is done, ${resolve}`;
  }
}
