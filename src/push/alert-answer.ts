import { z } from 'zod';
import { formatInstant } from '../clock.ts';
import { dayField, instantField, listOf, wholeField } from '../fields.ts';
import type { KeptAlert } from './alert.ts';
import { ALERT_KINDS } from './alert.ts';

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
    resolved_at: alert.resolvedAt === null ? null : formatInstant(alert.resolvedAt),
    resolution: alert.resolution,
    resolved_by: alert.resolvedBy,
  };
}
