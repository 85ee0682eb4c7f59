import Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { createPrice, openScene, refusalOf } from './scene.ts';

describe('a meter', () => {
  it('has the defaults of Stripe, and another name for what it asks for', async () => {
    const { meter } = await openScene();
    expect(meter).toMatchObject({
      object: 'billing.meter',
      status: 'active',
      customer_mapping: { event_payload_key: 'stripe_customer_id', type: 'by_id' },
      value_settings: { event_payload_key: 'value' },
      event_time_window: null,
    });
  });

  it('takes its customer and its value from the keys that it was made with', async () => {
    const scene = await openScene(
      {},
      {
        customer_mapping: { event_payload_key: 'tenant', type: 'by_id' },
        value_settings: { event_payload_key: 'tokens' },
      },
    );
    await scene.stripe.billing.meterEvents.create({
      event_name: 'usage',
      payload: { tenant: 'cus_acme', tokens: '9' },
    });
    expect(scene.double.control.meterEvents()).toMatchObject([
      { customer: 'cus_acme', value: '9' },
    ]);
  });

  it('changes nothing but its display name', async () => {
    const { stripe, meter } = await openScene();
    const renamed = await stripe.billing.meters.update(meter.id, { display_name: 'Tokens' });
    expect(renamed).toMatchObject({ display_name: 'Tokens', event_name: 'usage' });
    const change = { event_name: 'other' } as Stripe.Billing.MeterUpdateParams;
    expect(await refusalOf(stripe.billing.meters.update(meter.id, change))).toMatchObject({
      code: 'parameter_unknown',
      param: 'event_name',
    });
  });

  it('has its event name to itself as long as it is active', async () => {
    const { stripe, meter } = await openScene();
    const create = () =>
      stripe.billing.meters.create({
        display_name: 'Again',
        event_name: 'usage',
        default_aggregation: { formula: 'sum' },
      });
    expect(await refusalOf(create())).toMatchObject({ statusCode: 400, param: 'event_name' });
    await stripe.billing.meters.deactivate(meter.id);
    const second = await create();
    expect(await refusalOf(stripe.billing.meters.reactivate(meter.id))).toMatchObject({
      statusCode: 400,
    });
    await stripe.billing.meters.deactivate(second.id);
    expect((await stripe.billing.meters.reactivate(meter.id)).status).toBe('active');
  });

  it('is listed by its status', async () => {
    const { stripe, meter } = await openScene();
    const active = async () => (await stripe.billing.meters.list({ status: 'active' })).data;
    expect(await active()).toHaveLength(1);
    const { status_transitions } = await stripe.billing.meters.deactivate(meter.id);
    expect(status_transitions.deactivated_at).not.toBeNull();
    expect(await active()).toEqual([]);
    expect((await stripe.billing.meters.retrieve(meter.id)).status).toBe('inactive');
  });

  it('has no formula of its own making', async () => {
    const { stripe } = await openScene();
    const call = stripe.billing.meters.create({
      display_name: 'Peak',
      event_name: 'peak',
      default_aggregation: { formula: 'max' },
    });
    expect(await refusalOf(call)).toMatchObject({ param: 'default_aggregation[formula]' });
  });

  it('that does not exist is a 404', async () => {
    const { stripe } = await openScene();
    expect(await refusalOf(stripe.billing.meters.retrieve('mtr_none'))).toMatchObject({
      statusCode: 404,
      code: 'resource_missing',
    });
  });
});

describe('a price', () => {
  it('keeps a decimal unit amount exactly', async () => {
    const scene = await openScene();
    const { id } = await createPrice(scene, '0.000000000001');
    const price = await scene.stripe.prices.retrieve(id);
    expect(price.unit_amount_decimal?.eq(Stripe.Decimal.from('0.000000000001'))).toBe(true);
    expect(price.unit_amount).toBeNull();
  });

  it('has at most 12 decimals', async () => {
    const scene = await openScene();
    expect(await refusalOf(createPrice(scene, '0.0000000000001'))).toMatchObject({
      param: 'unit_amount_decimal',
    });
  });

  it('has one unit amount, not two and not none', async () => {
    const { stripe } = await openScene();
    const call = stripe.prices.create({ currency: 'usd', product_data: { name: 'Nothing' } });
    expect(await refusalOf(call)).toMatchObject({ statusCode: 400 });
  });

  it('that is metered names its meter', async () => {
    const { stripe } = await openScene();
    const call = stripe.prices.create({
      currency: 'usd',
      product_data: { name: 'Usage' },
      recurring: { interval: 'month', usage_type: 'metered' },
      unit_amount: 1,
    });
    expect(await refusalOf(call)).toMatchObject({ param: 'recurring[meter]' });
  });

  it('is found by its lookup key', async () => {
    const { stripe, meter } = await openScene();
    const product = await stripe.products.create({ id: 'prod_usage', name: 'Usage' });
    const { id } = await stripe.prices.create({
      currency: 'usd',
      lookup_key: 'usage_usd',
      product: product.id,
      recurring: { interval: 'month', meter: meter.id, usage_type: 'metered' },
      unit_amount: 1,
    });
    const { data } = await stripe.prices.list({ lookup_keys: ['usage_usd', 'other'] });
    expect(data.map((price) => [price.id, price.product])).toEqual([[id, 'prod_usage']]);
  });
});

describe('a product', () => {
  it('can be given its id, once', async () => {
    const { stripe } = await openScene();
    const create = () => stripe.products.create({ id: 'prod_usage', name: 'Usage' });
    expect((await create()).id).toBe('prod_usage');
    expect(await refusalOf(create())).toMatchObject({ code: 'resource_already_exists' });
    expect(await stripe.products.update('prod_usage', { active: false })).toMatchObject({
      active: false,
      name: 'Usage',
    });
  });
});

describe('a customer', () => {
  it('keeps the metadata that an update does not name, and loses what it empties', async () => {
    const { stripe } = await openScene();
    const { id } = await stripe.customers.create({ metadata: { keep: '1', drop: '2' } });
    const updated = await stripe.customers.update(id, { metadata: { drop: '', add: '3' } });
    expect(updated.metadata).toEqual({ keep: '1', add: '3' });
    expect((await stripe.customers.update(id, { metadata: '' })).metadata).toEqual({});
  });

  it('that was deleted is unknown to meter events', async () => {
    const { double, stripe, customer } = await openScene();
    await stripe.customers.del(customer);
    await stripe.billing.meterEvents.create({
      event_name: 'usage',
      payload: { stripe_customer_id: customer, value: '1' },
    });
    expect(double.control.meterEvents()).toEqual([]);
  });
});

describe('a list', () => {
  it('has the newest first, in pages', async () => {
    const { stripe } = await openScene();
    for (const name of ['a', 'b', 'c']) await stripe.customers.create({ name });
    const page = await stripe.customers.list({ limit: 2 });
    expect(page).toMatchObject({ object: 'list', url: '/v1/customers', has_more: true });
    const names: unknown[] = [];
    for await (const customer of stripe.customers.list({ limit: 2 })) names.push(customer.name);
    expect(names).toEqual(['c', 'b', 'a', null]);
  });

  it('cannot be continued from something that is not on it', async () => {
    const { stripe } = await openScene();
    const call = stripe.customers.list({ starting_after: 'cus_none' });
    expect(await refusalOf(call)).toMatchObject({ param: 'starting_after' });
  });
});
