import Stripe from 'stripe';
import { expect, it } from 'vitest';
import { openStripe } from '../../src/stripe/stripe-client.ts';
import { openDouble } from '../support/stripe.ts';

it('a key has an account, the same each time and another for another key', async () => {
  const double = await openDouble();
  const accountOf = async (apiKey: string) =>
    (await openStripe({ apiKey, apiBase: double.url }).accounts.retrieveCurrent()).id;
  const first = await accountOf(double.apiKey);
  expect(first).toMatch(/^acct_\w+$/);
  expect(await accountOf(double.apiKey)).toBe(first);
  expect(await accountOf('sk_test_another')).not.toBe(first);
});

it('an item may be put on a draft at once, and on no final invoice', async () => {
  const double = await openDouble();
  double.control.addCustomer({ id: 'cus_acme' });
  const stripe = openStripe({ apiKey: double.apiKey, apiBase: double.url });
  const invoice = await stripe.invoices.create({ customer: 'cus_acme', currency: 'usd' });
  const item = { customer: 'cus_acme', currency: 'usd', amount: 700, invoice: invoice.id ?? '' };
  expect((await stripe.invoiceItems.create(item)).invoice).toBe(invoice.id);
  expect((await stripe.invoices.finalizeInvoice(invoice.id ?? '')).total).toBe(700);
  await expect(stripe.invoiceItems.create(item)).rejects.toThrow('no longer editable');
});

it('an archived price holds its lookup key until it is transferred', async () => {
  const double = await openDouble();
  const stripe = openStripe({ apiKey: double.apiKey, apiBase: double.url });
  const product = await stripe.products.create({ name: 'usage' });
  const body = {
    currency: 'usd',
    product: product.id,
    lookup_key: 'usage',
    unit_amount_decimal: Stripe.Decimal.from('1'),
  };
  const first = await stripe.prices.create(body);
  await stripe.prices.update(first.id, { active: false });
  await expect(stripe.prices.create(body)).rejects.toThrow('already uses that lookup key');
  const second = await stripe.prices.create({ ...body, transfer_lookup_key: true });
  expect(second.lookup_key).toBe('usage');
  expect((await stripe.prices.retrieve(first.id)).lookup_key).toBeNull();
});
