import type { SubscriptionItem, SubscriptionObject } from './stripe-object.ts';

/** What is not modeled of a subscription. */
export const unusedFields = {
  application: null,
  application_fee_percent: null,
  automatic_tax: { disabled_reason: null, enabled: false, liability: null },
  billing_schedules: [],
  billing_thresholds: null,
  cancel_at: null,
  cancellation_details: { comment: null, feedback: null, feedback_option: null, reason: null },
  customer_account: null,
  default_payment_method: null,
  default_source: null,
  default_tax_rates: [],
  discounts: [],
  invoice_settings: {
    account_tax_ids: null,
    custom_fields: null,
    description: null,
    footer: null,
    issuer: { type: 'self' },
  },
  livemode: false,
  managed_payments: null,
  next_pending_invoice_item_invoice: null,
  on_behalf_of: null,
  pause_collection: null,
  payment_settings: null,
  pending_invoice_item_interval: null,
  pending_setup_intent: null,
  pending_update: null,
  schedule: null,
  test_clock: null,
  transfer_data: null,
  trial_end: null,
  trial_settings: null,
  trial_start: null,
} satisfies Partial<SubscriptionObject>;

/** Returns the items of a subscription, as a list with all of them: there are 20 at most. */
export function itemList(
  subscription: string,
  items: readonly SubscriptionItem[],
): SubscriptionObject['items'] {
  return {
    object: 'list',
    url: `/v1/subscription_items?subscription=${subscription}`,
    has_more: false,
    data: items,
  };
}
