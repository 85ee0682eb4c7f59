import type Stripe from 'stripe';
import { expect, it } from 'vitest';
import { readBilledUsage } from '../../../src/stripe/invoices/billed-period.ts';
import { openStripe } from '../../../src/stripe/stripe-client.ts';

const METER = {
  currency: 'USD',
  eventName: 'spanledger_usd',
  meterId: 'mtr_1',
  productId: 'prod_1',
  priceId: 'price_1',
};

/** An invoice with lines on our price, of which only the quantities differ; Stripe is not asked for anything. */
async function quantityOfLines(quantities: readonly object[]): Promise<bigint | null | undefined> {
  const data = quantities.map((quantity) => ({
    ...{ amount: 0, currency: 'usd', period: { start: 1, end: 2 } },
    pricing: { price_details: { price: 'price_1' } },
    ...quantity,
  }));
  const invoice: unknown = { id: 'in_1', lines: { has_more: false, data } };
  const stripe = openStripe({ apiKey: 'sk_test_1', apiBase: 'http://127.0.0.1:9' });
  const billed = await readBilledUsage(
    stripe,
    invoice as Stripe.Invoice,
    new Map([['USD', METER]]),
  );
  return billed?.quantity;
}

it.each([
  ['the decimal before the whole number', [{ quantity: 4, quantity_decimal: '5.000' }], 5n],
  ['the whole number where there is no decimal', [{ quantity: 4, quantity_decimal: null }], 4n],
  ['zero where Stripe says zero', [{ quantity: 0, quantity_decimal: '0' }], 0n],
  ['nothing that is known of a fraction', [{ quantity: 4, quantity_decimal: '4.5' }], null],
  ['nothing that is known where a line has no quantity', [{ quantity: 4 }, {}], null],
] as const)('the quantity of an invoice is %s', async (_, quantities, billed) => {
  expect(await quantityOfLines(quantities)).toBe(billed);
});
