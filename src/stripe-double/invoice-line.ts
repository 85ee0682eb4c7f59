import { divideHalfUp } from '../money.ts';
import type { Account } from './account.ts';
import {
  type ExactDecimal,
  multiplyDecimals,
  readDecimal,
  writeDecimal,
  ZERO,
} from './exact-decimal.ts';
import { meterOf } from './meter.ts';
import { derivedId } from './object-id.ts';
import type { InvoiceItem, InvoiceLine, MeteredCharge } from './stripe-object.ts';
import { aggregateUsage } from './usage-book.ts';

/**
 * Counts the usage of a charge and prices it: quantity × unit amount, rounded half up to the least
 * amount once for the line. A negative total has a quantity of 0.
 */
export function meteredLine(account: Account, charge: MeteredCharge, invoice: string): InvoiceLine {
  const quantity = notNegative(usageOf(account, charge));
  const { price } = charge;
  return {
    ...lineBasis(invoice, derivedId('il', invoice, charge.subscriptionItem, charge.start)),
    ...pricedAmount(quantity, price.unit_amount_decimal ?? '0', price.currency),
    currency: price.currency,
    description: `Usage of ${price.nickname ?? price.id}`,
    parent: {
      invoice_item_details: null,
      subscription_item_details: {
        invoice_item: null,
        proration: false,
        proration_details: { credited_items: null },
        subscription: charge.subscription,
        subscription_item: charge.subscriptionItem,
      },
      type: 'subscription_item_details',
    },
    period: { start: charge.start, end: charge.end },
    pricing: {
      type: 'price_details',
      price_details: { price: price.id, product: String(price.product) },
      unit_amount_decimal: price.unit_amount_decimal,
    },
    subscription: charge.subscription,
  } satisfies InvoiceLine;
}

/** Returns the line of an invoice item: its own amount, which is not computed again. */
export function itemLine(item: InvoiceItem, invoice: string): InvoiceLine {
  const subscription = item.parent?.subscription_details?.subscription ?? null;
  return {
    ...lineBasis(invoice, derivedId('il', invoice, item.id)),
    amount: item.amount,
    subtotal: item.amount,
    quantity: item.quantity,
    quantity_decimal: item.quantity_decimal,
    currency: item.currency,
    description: item.description,
    metadata: item.metadata ?? {},
    parent: {
      invoice_item_details: {
        invoice_item: item.id,
        proration: false,
        proration_details: { credited_items: null },
        subscription,
      },
      subscription_item_details: null,
      type: 'invoice_item_details',
    },
    period: item.period,
    pricing: item.pricing,
    subscription,
  } satisfies InvoiceLine;
}

/**
 * The minor units in the least amount that is billed, where that is not one: three decimals end in 0, and two currencies
 * of two decimals have none any more.
 */
const LEAST_AMOUNTS: ReadonlyMap<string, bigint> = new Map([
  ...['bhd', 'jod', 'kwd', 'omr', 'tnd'].map((currency) => [currency, 10n] as const),
  ...['isk', 'ugx'].map((currency) => [currency, 100n] as const),
]);

/** Returns the amounts of a quantity at a unit amount in the minor unit, rounded half up to the least amount. */
export function pricedAmount(quantity: ExactDecimal, unitAmount: string, currency: string) {
  const product = multiplyDecimals(quantity, readDecimal(unitAmount) ?? ZERO);
  const least = LEAST_AMOUNTS.get(currency) ?? 1n;
  const amount = Number(divideHalfUp(product.digits, least * 10n ** BigInt(product.scale)) * least);
  const written = writeDecimal(quantity);
  return {
    amount,
    subtotal: amount,
    // It is null when the quantity is not whole; an assumption, since the docs do not say.
    quantity: written.includes('.') ? null : Number(written),
    quantity_decimal: written,
  };
}

function usageOf(account: Account, charge: MeteredCharge): ExactDecimal {
  const meter = meterOf(account, { id: charge.price.recurring?.meter ?? '' });
  return aggregateUsage(account.usage, meter, {
    customer: charge.customer,
    start: Math.max(charge.start, charge.countedFrom),
    end: charge.end,
    receivedBy: account.clock.now(),
  });
}

function notNegative(quantity: ExactDecimal): ExactDecimal {
  return quantity.digits < 0n ? ZERO : quantity;
}

function lineBasis(invoice: string, id: string) {
  return {
    id,
    object: 'line_item',
    discount_amounts: [],
    discountable: true,
    discounts: [],
    invoice,
    livemode: false,
    metadata: {},
    pretax_credit_amounts: [],
    taxes: [],
  } satisfies Partial<InvoiceLine>;
}
