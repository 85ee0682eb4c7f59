import type { Alert } from '../../push/alert.ts';

/** Every kind of alert: the push's own, and what Stripe says of meters, customers and invoices. */
export const ALERT_KINDS = [
  'push_parked',
  'meter_error',
  'meter_errors_not_named',
  'no_meter_found',
  'foreign_meter_error',
  'customer_deleted',
  'subscription_canceled',
  'subscription_changed',
  'collection_paused',
  'no_subscription',
  'usage_left_on_meter',
  'invoice_not_final',
  'item_draft_gone',
  'invoice_differs',
  'invoice_final_too_early',
  'invoice_without_period',
  'invoice_void',
  'invoice_credited',
  'event_not_handled',
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

/** The alerts that say what is wrong with what a final invoice bills; a credit takes nothing of that away. */
export const WRONG_BILL_ALERTS = [
  'invoice_differs',
  'invoice_final_too_early',
  'invoice_void',
] as const satisfies readonly AlertKind[];

/** The alerts that say what is wrong with a final invoice of a period. */
export const INVOICE_ALERTS = [
  ...WRONG_BILL_ALERTS,
  'invoice_credited',
] as const satisfies readonly AlertKind[];

/** An alert of one of these kinds; its subject may be an invoice, a customer, a subscription or an event. */
export interface StripeAlert extends Alert {
  readonly kind: AlertKind;
}
