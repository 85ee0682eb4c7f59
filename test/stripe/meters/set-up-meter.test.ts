import Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { setUpMeter } from '../../../src/stripe/meters/set-up-meter.ts';
import { openStripe } from '../../../src/stripe/stripe-client.ts';
import { openDouble } from '../../support/stripe.ts';

const NAME = 'spanledger_usage_usd';

async function ready() {
  const double = await openDouble();
  return { double, stripe: openStripe({ apiKey: double.apiKey, apiBase: double.url }) };
}

const createMeter = (stripe: Stripe, change: Partial<Stripe.Billing.MeterCreateParams> = {}) =>
  stripe.billing.meters.create({
    display_name: 'made by hand',
    event_name: NAME,
    default_aggregation: { formula: 'sum' },
    ...change,
  });

describe('stripe setup', () => {
  it('makes a summing meter in microdollars and the price that bills them', async () => {
    const { stripe } = await ready();
    const made = await setUpMeter(stripe, 'USD');
    expect(made).toMatchObject({ currency: 'USD', eventName: NAME });
    const meter = await stripe.billing.meters.retrieve(made.meterId);
    expect(meter.default_aggregation.formula).toBe('sum');
    expect(meter.value_settings.event_payload_key).toBe('value');
    expect(meter.customer_mapping.event_payload_key).toBe('stripe_customer_id');
    const price = await stripe.prices.retrieve(made.priceId);
    // 0.0001 cent a microdollar: a million of them are 100 cents.
    expect(price.unit_amount_decimal?.toString()).toBe('0.0001');
    expect(price.recurring).toMatchObject({ interval: 'month', usage_type: 'metered' });
  });

  it('makes another price after ours was archived, which goes on holding the lookup key', async () => {
    const { stripe } = await ready();
    const first = await setUpMeter(stripe, 'USD');
    await stripe.prices.update(first.priceId, { active: false });
    const second = await setUpMeter(stripe, 'USD');
    expect(second.priceId).not.toBe(first.priceId);
    expect(second.meterId).toBe(first.meterId);
    expect(await setUpMeter(stripe, 'USD')).toEqual(second);
  });

  it('makes nothing new when it runs again', async () => {
    const { double, stripe } = await ready();
    const first = await setUpMeter(stripe, 'USD');
    const made = () => double.control.requests().filter(({ method }) => method === 'POST').length;
    const before = made();
    expect(await setUpMeter(stripe, 'USD')).toEqual(first);
    expect(made()).toBe(before);
  });

  it('makes a meter for each currency', async () => {
    const { stripe } = await ready();
    const [usd, eur] = [await setUpMeter(stripe, 'USD'), await setUpMeter(stripe, 'EUR')];
    expect(eur.eventName).toBe('spanledger_usage_eur');
    expect(eur.meterId).not.toBe(usd.meterId);
  });

  it('takes over a fitting meter that somebody made', async () => {
    const { stripe } = await ready();
    const meter = await createMeter(stripe);
    expect((await setUpMeter(stripe, 'USD')).meterId).toBe(meter.id);
  });

  it('refuses a meter of its name that counts otherwise', async () => {
    const { stripe } = await ready();
    await createMeter(stripe, { default_aggregation: { formula: 'count' } });
    await expect(setUpMeter(stripe, 'USD')).rejects.toMatchObject({
      kind: 'misconfigured',
      message: expect.stringContaining('its formula is count, not sum'),
      remedy: [
        expect.stringContaining('deactivate that meter'),
        { operation: 'stripe setup', currency: null, subscriptions: false, tenant_id: null },
        ' again',
      ],
    });
  });

  it('refuses a meter that keeps only the newest event of a window', async () => {
    const { stripe } = await ready();
    await createMeter(stripe, { event_time_window: 'day' });
    await expect(setUpMeter(stripe, 'USD')).rejects.toThrow('only the newest event of each day');
  });

  it('refuses a price under its lookup key that bills another amount', async () => {
    const { stripe } = await ready();
    const meter = await createMeter(stripe);
    await stripe.prices.create({
      currency: 'usd',
      product_data: { name: 'by hand' },
      lookup_key: NAME,
      unit_amount_decimal: Stripe.Decimal.from('0.001'),
      recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
    });
    await expect(setUpMeter(stripe, 'USD')).rejects.toThrow('its unit amount is 0.001, not 0.0001');
  });
});

describe('a key of live mode', () => {
  it('is never sent to a double', () => {
    expect(() => openStripe({ apiKey: 'sk_live_x', apiBase: 'http://127.0.0.1:1' })).toThrow(
      'STRIPE_API_BASE is set and STRIPE_API_KEY is a live key',
    );
  });
});
