import type { InstantMs } from '../clock.ts';

export const ALERT_KINDS = [
  'push_parked',
  'meter_error',
  'meter_errors_not_named',
  'no_meter_found',
  'foreign_meter_error',
  'customer_deleted',
  'subscription_canceled',
  'subscription_changed',
  'no_subscription',
  'usage_left_on_meter',
  'invoice_differs',
  'invoice_final_too_early',
  'invoice_without_period',
  'invoice_void',
  'invoice_credited',
  'event_not_handled',
] as const;

/** The alerts that say what is wrong with a final invoice of a period. */
export const INVOICE_ALERTS = [
  'invoice_differs',
  'invoice_final_too_early',
  'invoice_void',
  'invoice_credited',
] as const satisfies readonly Alert['kind'][];

/** What a person must look at. */
export interface Alert {
  readonly kind: (typeof ALERT_KINDS)[number];
  /** The identifier, invoice, customer, subscription or event that it is about. */
  readonly subject: string;
  readonly tenantId: string | null;
  readonly periodStart: string | null;
  readonly detail: string;
}

/** An alert as it is kept, and what was done about it; null while it is open. */
export interface KeptAlert extends Alert {
  readonly alertId: bigint;
  readonly raisedAt: InstantMs;
  readonly resolvedAt: InstantMs | null;
  readonly resolution: string | null;
  readonly resolvedBy: string | null;
}
