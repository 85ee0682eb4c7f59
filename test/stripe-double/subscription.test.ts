import type Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import type { StripeDoubleOptions } from '../../src/stripe-double/stripe-double.ts';
import {
  createPrice,
  FIRST_OF_MONTH,
  HOUR_MS,
  ms,
  openScene,
  refusalOf,
  type Scene,
  sendEvent,
  unix,
} from './scene.ts';

type Change = Partial<Stripe.SubscriptionCreateParams>;

async function subscribe(options: StripeDoubleOptions, change: Change = {}) {
  const scene = await openScene(options);
  const price = await createPrice(scene, '1');
  const subscription = await scene.stripe.subscriptions.create({
    customer: scene.customer,
    items: [{ price: price.id }],
    ...change,
  });
  return { ...scene, price, subscription };
}

async function periodOf(scene: Scene, id: string): Promise<readonly [string, string]> {
  const { items } = await scene.stripe.subscriptions.retrieve(id);
  const [item] = items.data;
  return [isoOf(item?.current_period_start), isoOf(item?.current_period_end)];
}

function isoOf(seconds: number | undefined): string {
  return new Date((seconds ?? 0) * 1000).toISOString().replace('.000Z', 'Z');
}

/** The ends of the periods that begin one after another, seen by moving the clock to each. */
async function periodEnds(scene: Scene & { subscription: Stripe.Subscription }, count: number) {
  const ends: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const [, end] = await periodOf(scene, scene.subscription.id);
    ends.push(end);
    await scene.double.control.setClock(ms(end));
  }
  return ends;
}

describe('the anchor of a subscription', () => {
  it('is its start when none is asked for', async () => {
    const scene = await subscribe({ now: ms('2026-10-15T12:34:56Z') });
    expect(await periodOf(scene, scene.subscription.id)).toEqual([
      '2026-10-15T12:34:56Z',
      '2026-11-15T12:34:56Z',
    ]);
  });

  it('on the 31st falls on the last day of a shorter month, and comes back to the 31st', async () => {
    const scene = await subscribe({ now: ms('2027-01-31T00:00:00Z') });
    expect(await periodEnds(scene, 4)).toEqual([
      '2027-02-28T00:00:00Z',
      '2027-03-31T00:00:00Z',
      '2027-04-30T00:00:00Z',
      '2027-05-31T00:00:00Z',
    ]);
  });

  it('on the 31st falls on February 29th in a leap year', async () => {
    const scene = await subscribe({ now: ms('2028-01-31T00:00:00Z') });
    expect(await periodEnds(scene, 2)).toEqual(['2028-02-29T00:00:00Z', '2028-03-31T00:00:00Z']);
  });

  it('configured for the 31st in February comes back to the 31st too', async () => {
    const config = { ...FIRST_OF_MONTH, day_of_month: 31 };
    const scene = await subscribe(
      { now: ms('2027-02-10T00:00:00Z') },
      { billing_cycle_anchor_config: config },
    );
    expect(await periodEnds(scene, 3)).toEqual([
      '2027-02-28T00:00:00Z',
      '2027-03-31T00:00:00Z',
      '2027-04-30T00:00:00Z',
    ]);
  });

  it('configured for the first of the month gives a stub and then UTC calendar months', async () => {
    const scene = await subscribe(
      { now: ms('2026-10-15T12:00:00Z') },
      { billing_cycle_anchor_config: FIRST_OF_MONTH },
    );
    expect(await periodOf(scene, scene.subscription.id)).toEqual([
      '2026-10-15T12:00:00Z',
      '2026-11-01T00:00:00Z',
    ]);
    expect(await periodEnds(scene, 2)).toEqual(['2026-11-01T00:00:00Z', '2026-12-01T00:00:00Z']);
  });

  it('takes the time of day of the start where the configuration names none', async () => {
    const scene = await subscribe(
      { now: ms('2026-10-15T12:34:56Z') },
      { billing_cycle_anchor_config: { day_of_month: 1 } },
    );
    expect(isoOf(scene.subscription.billing_cycle_anchor)).toBe('2026-11-01T12:34:56Z');
  });

  it('may be an instant ahead, and not both that and a configuration', async () => {
    const anchor = unix('2026-10-20T00:00:00Z');
    const scene = await subscribe(
      { now: ms('2026-10-15T12:00:00Z') },
      { billing_cycle_anchor: anchor },
    );
    expect(await periodEnds(scene, 2)).toEqual(['2026-10-20T00:00:00Z', '2026-11-20T00:00:00Z']);
    const both = scene.stripe.subscriptions.create({
      customer: scene.customer,
      items: [{ price: scene.price.id }],
      billing_cycle_anchor: unix('2026-12-20T00:00:00Z'),
      billing_cycle_anchor_config: FIRST_OF_MONTH,
    });
    expect(await refusalOf(both)).toMatchObject({ code: 'parameters_exclusive' });
  });
});

describe('a subscription', () => {
  it('has its period on its items, and is flexible unless it asks to be classic', async () => {
    const { subscription } = await subscribe({});
    expect(subscription.billing_mode.type).toBe('flexible');
    expect(subscription).not.toHaveProperty('current_period_end');
    expect(subscription.latest_invoice).toBeNull();
  });

  it('in the classic mode begins with an empty invoice that is paid at once', async () => {
    const scene = await subscribe({}, { billing_mode: { type: 'classic' } });
    const { data } = await scene.stripe.invoices.list({ customer: scene.customer });
    expect(data).toMatchObject([
      { billing_reason: 'subscription_create', total: 0, status: 'paid' },
    ]);
  });

  it('of an unknown customer or price is refused', async () => {
    const scene = await subscribe({});
    const items = [{ price: scene.price.id }];
    const noCustomer = scene.stripe.subscriptions.create({ customer: 'cus_unknown', items });
    expect(await refusalOf(noCustomer)).toMatchObject({
      code: 'resource_missing',
      param: 'customer',
    });
    const noPrice = scene.stripe.subscriptions.create({
      customer: scene.customer,
      items: [{ price: 'price_unknown' }],
    });
    expect(await refusalOf(noPrice)).toMatchObject({ param: 'items[0][price]' });
  });

  it('is listed by customer, without those that are canceled', async () => {
    const scene = await subscribe({});
    const list = (status?: 'all') =>
      scene.stripe.subscriptions.list({ customer: scene.customer, ...(status ? { status } : {}) });
    expect((await list()).data.map(({ id }) => id)).toEqual([scene.subscription.id]);
    await scene.stripe.subscriptions.cancel(scene.subscription.id);
    expect((await list()).data).toEqual([]);
    expect((await list('all')).data).toHaveLength(1);
  });
});

describe('a canceled subscription', () => {
  const NOW = ms('2026-10-01T00:00:00Z');

  async function canceled(params: Stripe.SubscriptionCancelParams) {
    const scene = await subscribe({ now: NOW });
    await scene.double.control.advanceClock(HOUR_MS);
    await sendEvent(scene, { value: '7' });
    await scene.double.control.advanceClock(HOUR_MS);
    const subscription = await scene.stripe.subscriptions.cancel(scene.subscription.id, params);
    expect(subscription.status).toBe('canceled');
    await scene.double.control.setClock(ms('2026-12-01T00:00:00Z'));
    return scene.stripe.invoices.list({ customer: scene.customer });
  }

  it('never bills what was used and not yet invoiced', async () => {
    expect((await canceled({})).data).toEqual([]);
  });

  it('bills it with invoice_now', async () => {
    const { data } = await canceled({ invoice_now: true });
    expect(data).toMatchObject([{ total: 7, period_start: NOW / 1000, status: 'open' }]);
  });

  it('at the end of its period has a last invoice with its usage', async () => {
    const scene = await subscribe({ now: NOW });
    await sendEvent(scene, { value: '7' });
    await scene.stripe.subscriptions.update(scene.subscription.id, { cancel_at_period_end: true });
    await scene.double.control.setClock(ms('2026-12-15T00:00:00Z'));
    const { data } = await scene.stripe.invoices.list({ customer: scene.customer });
    expect(data).toMatchObject([{ total: 7, period_end: unix('2026-11-01T00:00:00Z') }]);
    const ended = await scene.stripe.subscriptions.retrieve(scene.subscription.id);
    expect(ended).toMatchObject({ status: 'canceled', ended_at: unix('2026-11-01T00:00:00Z') });
  });
});

describe('a backdated subscription', () => {
  const change = {
    backdate_start_date: unix('2026-09-15T00:00:00Z'),
    billing_cycle_anchor_config: FIRST_OF_MONTH,
  };

  async function backdated(mode: 'classic' | 'flexible') {
    const scene = await openScene({ now: ms('2026-10-10T00:00:00Z') });
    await sendEvent(scene, { value: '7', at: '2026-09-20T00:00:00Z' });
    const price = await createPrice(scene, '1');
    await scene.stripe.subscriptions.create({
      customer: scene.customer,
      items: [{ price: price.id }],
      billing_mode: { type: mode },
      ...change,
    });
    await scene.double.control.setClock(ms('2026-11-01T02:00:00Z'));
    const { data } = await scene.stripe.invoices.list({ customer: scene.customer });
    return data.map(({ billing_reason, total }) => [billing_reason, total]).reverse();
  }

  it('has the usage of past periods on its first invoice in the flexible mode', async () => {
    expect(await backdated('flexible')).toEqual([
      ['subscription_create', 7],
      ['subscription_cycle', 0],
    ]);
  });

  it('has it on the next in the classic mode', async () => {
    expect(await backdated('classic')).toEqual([
      ['subscription_create', 0],
      ['subscription_cycle', 7],
    ]);
  });
});

it('a customer is billed in the currency of its first subscription, and of no other', async () => {
  const { stripe, customer } = await subscribe({ now: ms('2026-10-15T00:00:00Z') });
  expect(await stripe.customers.retrieve(customer)).toMatchObject({ currency: 'usd' });

  const item = { customer, amount: 100, currency: 'eur' };
  expect(await refusalOf(stripe.invoiceItems.create(item))).toMatchObject({
    statusCode: 400,
    message: expect.stringContaining('cannot combine currencies on a single customer'),
  });
  const invoice = await stripe.invoices.create({ customer, currency: 'eur' });
  const placed = await stripe.invoiceItems.create({ ...item, invoice: invoice.id ?? '' });
  expect(placed).toMatchObject({ currency: 'eur' });
});
