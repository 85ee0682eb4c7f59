import type Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import type { StripeDoubleOptions } from '../../src/stripe-double/stripe-double.ts';
import {
  createPrice,
  FIRST_OF_MONTH,
  HOUR_MS,
  type MeterChange,
  ms,
  openScene,
  refusalOf,
  type Scene,
  sendEvent,
  unix,
} from './scene.ts';

const PERIOD_END = '2026-11-01T00:00:00Z';

/** A customer that is billed by UTC calendar months; October has begun. */
async function openOctober(
  options: StripeDoubleOptions = {},
  unitAmount = '0.0001',
  meterChange: MeterChange = {},
) {
  const scene = await openScene({ now: ms('2026-10-01T00:00:00Z'), ...options }, meterChange);
  const price = await createPrice(scene, unitAmount);
  await scene.stripe.subscriptions.create({
    customer: scene.customer,
    items: [{ price: price.id }],
    billing_cycle_anchor_config: FIRST_OF_MONTH,
  });
  return scene;
}

describe('a credit note', () => {
  /** October's usage is 2,075,000 × 0.0001 cents: 2.08 on an open invoice. */
  async function billed() {
    const scene = await openOctober();
    await scene.double.control.setClock(ms('2026-10-16T00:00:00Z'));
    await sendEvent(scene, { value: '2075000', at: '2026-10-15T00:00:00Z' });
    await scene.double.control.setClock(ms(PERIOD_END) + 2 * HOUR_MS);
    return { scene, invoice: await onlyInvoice(scene) };
  }

  it('takes from what remains of an open invoice, which is paid when nothing does, and gives it back when it is voided', async () => {
    const { scene, invoice } = await billed();
    const { creditNotes, invoices } = scene.stripe;
    const note = await creditNotes.create({ invoice: invoice.id ?? '', amount: 58 });
    const credited = await invoices.retrieve(invoice.id ?? '');
    expect(credited).toMatchObject({
      status: 'open',
      total: 208,
      amount_remaining: 150,
      pre_payment_credit_notes_amount: 58,
    });
    expect((await creditNotes.list({ invoice: invoice.id ?? '' })).data).toEqual([note]);
    expect(await creditNotes.voidCreditNote(note.id)).toMatchObject({ status: 'void' });
    expect(await invoices.retrieve(invoice.id ?? '')).toMatchObject({
      amount_remaining: 208,
      pre_payment_credit_notes_amount: 0,
    });
    const over = creditNotes.create({ invoice: invoice.id ?? '', amount: 209 });
    expect(await refusalOf(over)).toMatchObject({ statusCode: 400, param: 'amount' });
    await creditNotes.create({ invoice: invoice.id ?? '', amount: 208 });
    expect(await invoices.retrieve(invoice.id ?? '')).toMatchObject({ status: 'paid' });
    const types = (await scene.stripe.events.list({ limit: 100 })).data.map(({ type }) => type);
    expect(types.slice(0, 3)).toEqual(['invoice.paid', 'invoice.updated', 'credit_note.created']);
  });

  it('of a paid invoice says where the money goes, and a draft or a void invoice has none', async () => {
    const { scene, invoice } = await billed();
    const { creditNotes, invoices } = scene.stripe;
    const id = invoice.id ?? '';
    await invoices.pay(id);
    expect(await refusalOf(creditNotes.create({ invoice: id, amount: 8 }))).toMatchObject({
      statusCode: 400,
    });
    const note = await creditNotes.create({ invoice: id, amount: 8, credit_amount: 8 });
    expect(note).toMatchObject({ type: 'post_payment', post_payment_amount: 8 });
    expect((await invoices.retrieve(id)).post_payment_credit_notes_amount).toBe(8);
    const draft = await invoices.create({ customer: scene.customer });
    const none = creditNotes.create({ invoice: draft.id ?? '', amount: 8 });
    expect(await refusalOf(none)).toMatchObject({ statusCode: 400, param: 'invoice' });
  });
});

async function onlyInvoice({ stripe, customer }: Scene): Promise<Stripe.Invoice> {
  const { data } = await stripe.invoices.list({ customer });
  expect(data).toHaveLength(1);
  return data[0] as Stripe.Invoice;
}

describe('the invoice of a period', () => {
  it('is drafted at its end and finalized an hour later', async () => {
    const scene = await openOctober();
    const { control } = scene.double;
    await sendEvent(scene, { value: '5000000' });

    await control.setClock(ms(PERIOD_END));
    const draft = await onlyInvoice(scene);
    expect(draft).toMatchObject({
      status: 'draft',
      billing_reason: 'subscription_cycle',
      period_start: unix('2026-10-01T00:00:00Z'),
      period_end: unix(PERIOD_END),
      automatically_finalizes_at: unix('2026-11-01T01:00:00Z'),
      auto_advance: true,
      number: null,
    });

    await control.setClock(ms('2026-11-01T00:59:59Z'));
    expect((await onlyInvoice(scene)).status).toBe('draft');
    await control.setClock(ms('2026-11-01T01:00:00Z'));
    const { status, total, amount_due, status_transitions } = await onlyInvoice(scene);
    // 5,000,000 units × 0.0001 cents = 500 cents
    expect({ status, total, amount_due }).toEqual({ status: 'open', total: 500, amount_due: 500 });
    expect(status_transitions.finalized_at).toBe(unix('2026-11-01T01:00:00Z'));
  });

  it('has a line for each item, with its period, price, exact quantity and subscription', async () => {
    const scene = await openOctober();
    await sendEvent(scene, { value: '1234567' });
    await scene.double.control.setClock(ms('2026-11-01T02:00:00Z'));
    const invoice = await onlyInvoice(scene);
    const [line] = invoice.lines.data;
    expect(line).toMatchObject({
      amount: 123,
      quantity: 1_234_567,
      period: { start: unix('2026-10-01T00:00:00Z'), end: unix(PERIOD_END) },
    });
    expect(line?.quantity_decimal?.toString()).toBe('1234567');
    expect(line?.pricing?.unit_amount_decimal?.toString()).toBe('0.0001');
    expect(line?.parent?.subscription_item_details?.subscription).toBe(
      invoice.parent?.subscription_details?.subscription,
    );
    const lines = await scene.stripe.invoices.listLineItems(invoice.id);
    expect(lines.data.map(({ id }) => id)).toEqual([line?.id]);
  });

  it('counts the events with timestamps in the period, whenever they arrived', async () => {
    const scene = await openOctober({}, '1');
    const { control } = scene.double;
    await sendEvent(scene, { value: '1', at: '2026-09-30T23:59:59Z' });
    await sendEvent(scene, { value: '2', at: '2026-10-01T00:00:00Z' });
    await control.setClock(ms('2026-10-31T23:59:59Z'));
    await sendEvent(scene, { value: '4', at: '2026-10-31T23:59:59Z' });
    await sendEvent(scene, { value: '8', at: PERIOD_END });
    await control.setClock(ms('2026-12-01T02:00:00Z'));
    const { data } = await scene.stripe.invoices.list({ customer: scene.customer });
    expect(data.map(({ total }) => total)).toEqual([8, 6]);
  });

  it('is counted anew when it is finalized: usage that arrives for the draft is on it', async () => {
    const scene = await openOctober({}, '1');
    const { control } = scene.double;
    await sendEvent(scene, { value: '10' });
    await control.setClock(ms('2026-11-01T00:30:00Z'));
    await sendEvent(scene, { value: '5', at: '2026-10-31T23:59:59Z' });
    expect((await onlyInvoice(scene)).total).toBe(10);
    await control.setClock(ms('2026-11-01T01:00:00Z'));
    expect((await onlyInvoice(scene)).total).toBe(15);
  });

  it('ignores what arrives after it was finalized, and so does the next', async () => {
    const scene = await openOctober({}, '1');
    const { control } = scene.double;
    await sendEvent(scene, { value: '10' });
    await control.setClock(ms('2026-11-01T01:00:01Z'));
    await sendEvent(scene, { value: '5', at: '2026-10-31T23:59:59Z' });
    await control.setClock(ms('2026-12-01T02:00:00Z'));
    const { data } = await scene.stripe.invoices.list({ customer: scene.customer });
    expect(data.map(({ total }) => total)).toEqual([0, 10]);
  });

  it('bills a negative total as a quantity of zero, and is then paid', async () => {
    const scene = await openOctober({}, '1');
    await sendEvent(scene, { value: '-10' });
    await scene.double.control.setClock(ms('2026-11-01T02:00:00Z'));
    const { status, total, lines } = await onlyInvoice(scene);
    expect({ status, total }).toEqual({ status: 'paid', total: 0 });
    expect(lines.data[0]?.quantity).toBe(0);
  });

  it.each([
    // 7 and 5 in one hour, and 2 in another hour of the same day.
    [{}, 14],
    [{ event_time_window: 'hour' }, 5 + 2],
    [{ event_time_window: 'day' }, 2],
    [{ default_aggregation: { formula: 'last' } }, 2],
    [{ default_aggregation: { formula: 'count' } }, 3],
  ] as const)('counts as the meter %j does', async (meterChange, total) => {
    const scene = await openOctober({}, '1', meterChange);
    await sendEvent(scene, { value: '7', at: '2026-10-01T00:01:00Z' });
    await sendEvent(scene, { value: '5', at: '2026-10-01T00:02:00Z' });
    await scene.double.control.setClock(ms('2026-10-01T10:00:00Z'));
    await sendEvent(scene, { value: '2' });
    await scene.double.control.setClock(ms('2026-11-01T02:00:00Z'));
    expect((await onlyInvoice(scene)).total).toBe(total);
  });

  it('does not bill the stub before the first anchor when nothing is prorated', async () => {
    const scene = await openScene({ now: ms('2026-10-15T00:00:00Z') });
    const price = await createPrice(scene, '1');
    await scene.stripe.subscriptions.create({
      customer: scene.customer,
      items: [{ price: price.id }],
      billing_cycle_anchor_config: FIRST_OF_MONTH,
      proration_behavior: 'none',
    });
    await sendEvent(scene, { value: '10' });
    await scene.double.control.setClock(ms('2026-11-02T00:00:00Z'));
    await sendEvent(scene, { value: '3' });
    await scene.double.control.setClock(ms('2026-12-02T00:00:00Z'));
    const { data } = await scene.stripe.invoices.list({ customer: scene.customer });
    expect(data.map(({ total }) => total)).toEqual([3, 0]);
  });
});

describe('a line', () => {
  it.each([
    // quantity, unit amount in cents, amount in cents
    ['30', '0.05', 2], // 1.5
    ['29', '0.05', 1], // 1.45
    ['1005000', '0.0001', 101], // 100.5
    ['1004999', '0.0001', 100], // 100.4999
    ['0.5', '1', 1],
    ['123456789012345', '0.000001', 123456789],
  ])('of %s × %s cents is rounded half up to %i', async (value, unitAmount, amount) => {
    const scene = await openOctober({}, unitAmount);
    await sendEvent(scene, { value });
    await scene.double.control.setClock(ms('2026-11-01T02:00:00Z'));
    expect((await onlyInvoice(scene)).total).toBe(amount);
  });

  it.each([
    ['14398509', 'kwd', '0.001', 14_400],
    ['14394999', 'kwd', '0.001', 14_390],
    ['14500000', 'isk', '0.0001', 1500],
    ['14499999', 'ugx', '0.0001', 1400],
    ['14500000', 'jpy', '0.000001', 15],
    ['14398509', 'huf', '0.0001', 1440],
  ])(
    'of %s in %s at %s minor units is rounded half up to %i',
    async (value, currency, unitAmount, amount) => {
      const scene = await openScene({ now: ms('2026-10-01T00:00:00Z') });
      const { id: price } = await createPrice(scene, unitAmount, currency);
      const { customer } = scene;
      await scene.stripe.subscriptions.create({ customer, items: [{ price }] });
      await sendEvent(scene, { value });
      await scene.double.control.setClock(ms('2026-11-01T02:00:00Z'));
      expect((await onlyInvoice(scene)).total).toBe(amount);
    },
  );

  it('is rounded by itself, before the lines are added', async () => {
    const scene = await openScene({ now: ms('2026-10-01T00:00:00Z') });
    const prices = [await createPrice(scene, '0.05'), await createPrice(scene, '0.05')];
    await scene.stripe.subscriptions.create({
      customer: scene.customer,
      items: prices.map(({ id }) => ({ price: id })),
    });
    await sendEvent(scene, { value: '30' });
    await scene.double.control.setClock(ms('2026-11-01T02:00:00Z'));
    // Twice 1.5 cents: 2 + 2, where the exact sum would be 3.
    expect((await onlyInvoice(scene)).total).toBe(4);
  });
});

describe('a draft', () => {
  it('with auto_advance: false is held until it is finalized by hand, and counted anew then', async () => {
    const scene = await openOctober({}, '1');
    const { control } = scene.double;
    await sendEvent(scene, { value: '10' });
    await control.setClock(ms('2026-11-01T00:10:00Z'));
    const { id } = await onlyInvoice(scene);
    const held = await scene.stripe.invoices.update(id, { auto_advance: false });
    expect(held.automatically_finalizes_at).toBeNull();

    await control.setClock(ms('2026-11-20T00:00:00Z'));
    expect((await onlyInvoice(scene)).status).toBe('draft');
    await sendEvent(scene, { value: '5', at: '2026-10-31T23:59:59Z' });
    const finalized = await scene.stripe.invoices.finalizeInvoice(id, { auto_advance: true });
    expect(finalized).toMatchObject({ status: 'open', total: 15, auto_advance: true });
  });

  it('finalizes at the time that was chosen for it', async () => {
    const scene = await openOctober();
    const { control } = scene.double;
    await control.setClock(ms('2026-11-01T00:10:00Z'));
    const { id } = await onlyInvoice(scene);
    const chosen = unix('2026-11-03T00:00:00Z');
    await scene.stripe.invoices.update(id, { automatically_finalizes_at: chosen });
    await control.setClock(ms('2026-11-02T23:59:59Z'));
    expect((await onlyInvoice(scene)).status).toBe('draft');
    await control.setClock(ms('2026-11-03T00:00:00Z'));
    expect((await onlyInvoice(scene)).status).toBe('paid');
  });

  it('waits for the grace period of the account', async () => {
    const scene = await openOctober({ finalizationGraceMs: 72 * HOUR_MS });
    await scene.double.control.setClock(ms('2026-11-03T23:59:59Z'));
    expect((await onlyInvoice(scene)).status).toBe('draft');
    await scene.double.control.setClock(ms('2026-11-04T00:00:00Z'));
    expect((await onlyInvoice(scene)).status).toBe('paid');
  });

  it('can be finalized once', async () => {
    const scene = await openOctober({}, '1');
    await sendEvent(scene, { value: '1' });
    await scene.double.control.setClock(ms(PERIOD_END));
    const { id } = await onlyInvoice(scene);
    await scene.stripe.invoices.finalizeInvoice(id);
    expect(await refusalOf(scene.stripe.invoices.finalizeInvoice(id))).toMatchObject({
      statusCode: 400,
    });
  });
});

describe('a finalized invoice', () => {
  it('is paid or voided by hand, since the double takes no money', async () => {
    const scene = await openOctober({}, '1');
    await sendEvent(scene, { value: '1' });
    await scene.double.control.setClock(ms('2026-11-01T02:00:00Z'));
    const { id } = await onlyInvoice(scene);
    expect(await scene.stripe.invoices.pay(id)).toMatchObject({ status: 'paid', amount_paid: 1 });
    expect(await refusalOf(scene.stripe.invoices.voidInvoice(id))).toMatchObject({
      statusCode: 400,
    });
  });

  it('that is voided does not give its usage to the next', async () => {
    const scene = await openOctober({}, '1');
    await sendEvent(scene, { value: '1' });
    await scene.double.control.setClock(ms('2026-11-01T02:00:00Z'));
    const { id } = await onlyInvoice(scene);
    expect((await scene.stripe.invoices.voidInvoice(id)).status).toBe('void');
    await scene.double.control.setClock(ms('2026-12-01T02:00:00Z'));
    const { data } = await scene.stripe.invoices.list({ customer: scene.customer });
    expect(data.map(({ total }) => total)).toEqual([0, 1]);
  });
});

describe('an invoice item', () => {
  it('rides on the next invoice of its customer, with its metadata', async () => {
    const scene = await openOctober({}, '1');
    const item = await scene.stripe.invoiceItems.create({
      customer: scene.customer,
      amount: 250,
      currency: 'usd',
      description: 'Late usage of September',
      metadata: { period_key: '2026-09' },
    });
    expect(item.invoice).toBeNull();
    await sendEvent(scene, { value: '10' });
    await scene.double.control.setClock(ms('2026-11-01T02:00:00Z'));
    const invoice = await onlyInvoice(scene);
    expect(invoice.total).toBe(260);
    expect(invoice.lines.data[1]).toMatchObject({
      amount: 250,
      metadata: { period_key: '2026-09' },
      parent: { invoice_item_details: { invoice_item: item.id } },
    });
    expect((await scene.stripe.invoiceItems.retrieve(item.id)).invoice).toBe(invoice.id);
  });

  it('can have an invoice made for it alone', async () => {
    const { stripe, customer } = await openOctober();
    await stripe.invoiceItems.create({ customer, amount: 99, currency: 'usd' });
    const { id } = await stripe.invoices.create({
      customer,
      pending_invoice_items_behavior: 'include',
    });
    expect(await stripe.invoices.finalizeInvoice(id)).toMatchObject({
      billing_reason: 'manual',
      total: 99,
    });
  });
});
