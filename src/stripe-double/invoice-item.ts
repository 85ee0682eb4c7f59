import type Stripe from 'stripe';
import { z } from 'zod';
import { type Account, found } from './account.ts';
import { invalidRequest } from './api-failure.ts';
import { bindCurrency } from './customer.ts';
import { type ExactDecimal, readDecimal } from './exact-decimal.ts';
import { pricedAmount } from './invoice-line.ts';
import { mergeMetadata, metadata } from './metadata.ts';
import { newId } from './object-id.ts';
import { expandable, text, unixSeconds, wholeNumber } from './params.ts';
import type { InvoiceItem } from './stripe-object.ts';

/** Stripe's docs: a quantity is not negative and has at most 12 decimals. */
const QUANTITY_DECIMALS_MAX = 12;

export const createParams = z.strictObject({
  ...expandable,
  customer: text,
  amount: wholeNumber.optional(),
  currency: text.length(3),
  description: text.optional(),
  invoice: text.optional(),
  metadata: metadata.optional(),
  period: z.strictObject({ start: unixSeconds, end: unixSeconds }).optional(),
  quantity_decimal: text.optional(),
  quantity: wholeNumber.optional(),
  subscription: text.optional(),
  unit_amount_decimal: text.optional(),
});

type CreateParams = z.infer<typeof createParams>;

/** Moves the pending items of a customer that may ride on an invoice onto it. */
export function takePendingItems(
  account: Account,
  invoice: { readonly id: string; readonly customer: string; readonly currency: string },
  subscription: string | null,
): InvoiceItem[] {
  const taken = [...account.invoiceItems.values()]
    .filter((item) => item.invoice === null && item.customer === invoice.customer)
    .filter((item) => item.currency === invoice.currency)
    .filter((item) => [undefined, subscription].includes(subscriptionOf(item)))
    .map((item) => ({ ...item, invoice: invoice.id }));
  for (const item of taken) account.invoiceItems.set(item.id, item);
  return taken;
}

function subscriptionOf(item: InvoiceItem): string | undefined {
  return item.parent?.subscription_details?.subscription;
}

export function createItem(account: Account, params: CreateParams): InvoiceItem {
  found(account.customers, 'customer', { id: params.customer, param: 'customer' });
  // One that waits for the next recurring invoice has to be of its currency.
  if (params.invoice === undefined) {
    bindCurrency(account, params.customer, params.currency.toLowerCase());
  }
  const now = account.clock.nowSeconds();
  const { amount, quantity, quantity_decimal } = amountsOf(params);
  const item = {
    id: newId('ii'),
    object: 'invoiceitem',
    amount,
    currency: params.currency.toLowerCase(),
    customer: params.customer,
    customer_account: null,
    date: now,
    description: params.description ?? null,
    discountable: true,
    discounts: [],
    invoice: params.invoice ?? null,
    livemode: false,
    metadata: mergeMetadata(null, params.metadata),
    parent: parentOf(account, params.subscription),
    period: params.period ?? { start: now, end: now },
    pricing: {
      type: 'price_details',
      unit_amount_decimal: params.unit_amount_decimal ?? String(amount),
    },
    proration: false,
    quantity: quantity ?? 0,
    quantity_decimal,
    tax_rates: [],
    test_clock: null,
  } satisfies InvoiceItem;
  account.invoiceItems.set(item.id, item);
  return item;
}

function parentOf(
  account: Account,
  subscription: string | undefined,
): Stripe.InvoiceItem.Parent | null {
  if (subscription === undefined) return null;
  found(account.subscriptions, 'subscription', { id: subscription, param: 'subscription' });
  return { subscription_details: { subscription }, type: 'subscription_details' };
}

/** Returns the amounts: either an amount in the minor unit, or a unit amount and a quantity. */
export function amountsOf(params: CreateParams) {
  if ((params.amount === undefined) === (params.unit_amount_decimal === undefined)) {
    throw invalidRequest('Set one of amount and unit_amount_decimal.');
  }
  const quantity = quantityOf(params);
  const currency = params.currency.toLowerCase();
  if (params.unit_amount_decimal !== undefined) {
    return pricedAmount(quantity, params.unit_amount_decimal, currency);
  }
  return { ...pricedAmount(quantity, '0', currency), amount: params.amount ?? 0 };
}

function quantityOf(params: CreateParams): ExactDecimal {
  const quantity = readDecimal(params.quantity_decimal ?? String(params.quantity ?? 1));
  if (quantity !== null && quantity.digits >= 0n && quantity.scale <= QUANTITY_DECIMALS_MAX) {
    return quantity;
  }
  const message = `A quantity is not negative and has at most ${QUANTITY_DECIMALS_MAX} decimals.`;
  throw invalidRequest(message, { param: 'quantity_decimal' });
}
