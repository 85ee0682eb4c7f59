import type Stripe from 'stripe';
import type { Account } from './account.ts';
import type { DraftBasis } from './invoice.ts';
import type { InvoiceLine } from './invoice-line.ts';
import type { ListPage } from './list-page.ts';

/** An invoice as JSON carries it. */
export type InvoiceObject = Omit<Stripe.Invoice, 'lines'> & {
  readonly lines: ListPage<InvoiceLine>;
};

/** A draft without lines. */
export function invoiceObject(account: Account, id: string, basis: DraftBasis): InvoiceObject {
  const customer = account.customers.get(basis.customer);
  return {
    ...unusedFields,
    id,
    object: 'invoice',
    auto_advance: basis.autoAdvance,
    billing_reason: basis.billingReason,
    collection_method: basis.collectionMethod,
    created: account.clock.nowSeconds(),
    currency: basis.currency,
    customer: basis.customer,
    customer_email: customer?.email ?? null,
    customer_name: customer?.name ?? null,
    lines: { object: 'list', url: `/v1/invoices/${id}/lines`, has_more: false, data: [] },
    metadata: {},
    parent:
      basis.subscription === null
        ? null
        : {
            quote_details: null,
            subscription_details: {
              metadata: basis.subscription.metadata,
              subscription: basis.subscription.id,
            },
            type: 'subscription_details',
          },
    period_end: basis.period.end,
    period_start: basis.period.start,
    status: 'draft',
  } satisfies InvoiceObject;
}

/** What every draft begins with: the amounts are counted next, the rest is not modeled. */
const unusedFields = {
  account_country: 'US',
  account_name: 'Stripe double',
  account_tax_ids: null,
  amount_due: 0,
  amount_overpaid: 0,
  amount_paid: 0,
  amount_remaining: 0,
  amount_shipping: 0,
  application: null,
  attempt_count: 0,
  attempted: false,
  automatic_tax: {
    disabled_reason: null,
    enabled: false,
    liability: null,
    provider: null,
    status: null,
  },
  automatically_finalizes_at: null,
  custom_fields: null,
  customer_account: null,
  customer_address: null,
  customer_phone: null,
  customer_shipping: null,
  customer_tax_exempt: 'none',
  customer_tax_ids: [],
  default_payment_method: null,
  default_source: null,
  default_tax_rates: [],
  description: null,
  discounts: [],
  due_date: null,
  effective_at: null,
  ending_balance: null,
  footer: null,
  from_invoice: null,
  hosted_invoice_url: null,
  invoice_pdf: null,
  issuer: { type: 'self' },
  last_finalization_error: null,
  latest_revision: null,
  livemode: false,
  next_payment_attempt: null,
  number: null,
  on_behalf_of: null,
  payment_settings: {
    default_mandate: null,
    payment_method_options: null,
    payment_method_types: null,
  },
  post_payment_credit_notes_amount: 0,
  pre_payment_credit_notes_amount: 0,
  receipt_number: null,
  rendering: null,
  shipping_cost: null,
  shipping_details: null,
  starting_balance: 0,
  statement_descriptor: null,
  status_transitions: {
    finalized_at: null,
    marked_uncollectible_at: null,
    paid_at: null,
    voided_at: null,
  },
  subtotal: 0,
  subtotal_excluding_tax: 0,
  test_clock: null,
  total: 0,
  total_discount_amounts: [],
  total_excluding_tax: 0,
  total_pretax_credit_amounts: [],
  total_taxes: [],
  webhooks_delivered_at: null,
} satisfies Partial<InvoiceObject>;
