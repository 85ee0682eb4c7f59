import type Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { openReceiver } from './receiver.ts';
import {
  createPrice,
  FIRST_OF_MONTH,
  ms,
  openScene,
  type Scene,
  sendEvent,
  unix,
} from './scene.ts';

async function openOctober() {
  const scene = await openScene({ now: ms('2026-10-01T00:00:00Z') });
  const price = await createPrice(scene, '1');
  await scene.stripe.subscriptions.create({
    customer: scene.customer,
    items: [{ price: price.id }],
    billing_cycle_anchor_config: FIRST_OF_MONTH,
  });
  await sendEvent(scene, { value: '10' });
  const receiver = await openReceiver();
  const endpoint = await scene.stripe.webhookEndpoints.create({
    url: receiver.url,
    enabled_events: ['invoice.created', 'invoice.finalized'],
  });
  return { ...scene, receiver, secret: endpoint.secret ?? '' };
}

async function october({ stripe, customer }: Scene): Promise<Stripe.Invoice> {
  const { data } = await stripe.invoices.list({ customer });
  return data.at(-1) as Stripe.Invoice;
}

describe('a webhook delivery', () => {
  it('is signed, and carries the object as it was', async () => {
    const scene = await openOctober();
    await scene.double.control.setClock(ms('2026-11-01T02:00:00Z'));
    const [created] = scene.receiver.received;
    const event = scene.stripe.webhooks.constructEvent(
      created?.body ?? '',
      created?.signature ?? '',
      scene.secret,
    );
    expect(event).toMatchObject({
      type: 'invoice.created',
      created: unix('2026-11-01T00:00:00Z'),
      data: { object: { object: 'invoice', status: 'draft', total: 10 } },
    });
    const tampered = `${created?.body} `;
    const check = () =>
      scene.stripe.webhooks.constructEvent(tampered, created?.signature ?? '', scene.secret);
    expect(check).toThrow(/signature/i);
  });

  it('brings the types that the endpoint asked for, in order', async () => {
    const scene = await openOctober();
    await scene.double.control.setClock(ms('2026-11-01T02:00:00Z'));
    expect(scene.receiver.types()).toEqual(['invoice.created', 'invoice.finalized']);
  });

  it('can be looked up among the events, newest first', async () => {
    const scene = await openOctober();
    await scene.double.control.setClock(ms('2026-11-01T02:00:00Z'));
    const { data } = await scene.stripe.events.list({
      types: ['invoice.created', 'invoice.finalized'],
    });
    expect(data.map(({ type }) => type)).toEqual(['invoice.finalized', 'invoice.created']);
    const [newest] = data;
    expect((await scene.stripe.events.retrieve(newest?.id ?? '')).id).toBe(newest?.id);
  });

  it('is retried when it fails', async () => {
    const scene = await openOctober();
    scene.receiver.answerWith(500);
    await scene.double.control.setClock(ms('2026-11-01T00:30:00Z'));
    expect(scene.receiver.types()).toEqual(['invoice.created']);
    scene.receiver.answerWith(200);
    await scene.double.control.setClock(ms('2026-11-01T01:00:00Z'));
    expect(scene.receiver.types()).toEqual(['invoice.created', 'invoice.created']);
    await scene.double.control.setClock(ms('2026-11-01T01:59:59Z'));
    expect(scene.receiver.received).toHaveLength(2);
  });

  it('is given up after three days', async () => {
    const scene = await openOctober();
    scene.receiver.answerWith(500);
    await scene.double.control.setClock(ms('2026-11-04T00:00:00Z'));
    const attempts = scene.receiver.types().filter((type) => type === 'invoice.created').length;
    expect(attempts).toBeGreaterThan(3);
    await scene.double.control.setClock(ms('2026-11-30T00:00:00Z'));
    const later = scene.receiver.types().filter((type) => type === 'invoice.created').length;
    expect(later).toBe(attempts);
  });

  it('can be answered after calling the double itself, which does not wait for it', async () => {
    const scene = await openOctober();
    scene.receiver.beforeAnswer(async ({ body, type }) => {
      if (type !== 'invoice.created') return;
      const { id } = JSON.parse(body).data.object;
      await scene.stripe.invoices.update(id, { auto_advance: false });
    });
    await scene.double.control.setClock(ms('2026-11-10T00:00:00Z'));
    expect(await october(scene)).toMatchObject({ status: 'draft', auto_advance: false });
  });
});

describe('a failing invoice.created', () => {
  it('delays finalization to 72 hours, and no longer', async () => {
    const scene = await openOctober();
    scene.receiver.answerWith(500);
    await scene.double.control.setClock(ms('2026-11-03T23:59:59Z'));
    expect((await october(scene)).status).toBe('draft');
    await scene.double.control.setClock(ms('2026-11-04T00:00:00Z'));
    expect((await october(scene)).status).toBe('open');
  });

  it('lets it finalize an hour after the first answer of 2xx', async () => {
    const scene = await openOctober();
    scene.receiver.answerWith(500);
    // The first attempt is at 00:00, the retries at 01:00 and at 03:00.
    await scene.double.control.setClock(ms('2026-11-01T02:00:00Z'));
    scene.receiver.answerWith(200);
    await scene.double.control.setClock(ms('2026-11-01T03:59:59Z'));
    expect((await october(scene)).automatically_finalizes_at).toBe(unix('2026-11-01T04:00:00Z'));
    expect((await october(scene)).status).toBe('draft');
    await scene.double.control.setClock(ms('2026-11-01T04:00:00Z'));
    expect((await october(scene)).status).toBe('open');
  });

  it('does not delay it when the account has chosen its grace period', async () => {
    const scene = await openOctober();
    scene.double.control.configure({ finalizationGraceMs: 2 * 60 * 60 * 1000 });
    scene.receiver.answerWith(500);
    await scene.double.control.setClock(ms('2026-11-01T02:00:00Z'));
    expect((await october(scene)).status).toBe('open');
  });
});
