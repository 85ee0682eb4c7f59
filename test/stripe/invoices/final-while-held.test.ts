import { expect, onTestFinished, test, vi } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { readAlerts } from '../../../src/push/alert-store.ts';
import { holdInvoice, releaseInvoices } from '../../../src/stripe/invoices/invoice.ts';
import { readInvoice, saveGone } from '../../../src/stripe/invoices/invoice-store.ts';
import { verifyInvoice } from '../../../src/stripe/invoices/verify-invoice.ts';
import { pushMonth } from '../../../src/stripe/push-month.ts';
import { ofMonth } from '../../support/stripe.ts';
import type { BillingScene, SceneOptions } from '../billing-scene.ts';
import { customerOf, MONTH, openBillingScene, runSteps } from '../billing-scene.ts';

const HOUR_MS = 3_600_000;

/** A month that has ended, and the draft of its invoice. */
async function ended(options: SceneOptions = {}) {
  const scene = await openBillingScene(options);
  onTestFinished(scene.close);
  const { stripe } = scene.parts;
  await scene.double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  const [draft] = (await stripe.invoices.list({ customer: customerOf('acme') })).data;
  const id = draft?.id ?? '';
  const atStripe = () => stripe.invoices.retrieve(id);
  return { ...scene, id, atStripe, known: () => readInvoice(scene.database, id) };
}

const close = ({ parts }: BillingScene) => closePeriods(parts, { month: MONTH, tenant_id: null });

test('a draft that we hold and a person finalizes is collected, and what is held afterwards is held on purpose', async () => {
  const scene = await ended();
  const { parts, double, id, atStripe, known } = scene;
  // given something on it that is not zero, so that it is to be collected
  await parts.stripe.invoiceItems.create({
    ...{ customer: customerOf('acme'), invoice: id, amount: 2000, currency: 'usd' },
  });
  await parts.stripe.invoices.finalizeInvoice(id);
  await double.control.settle();
  expect(await atStripe()).toMatchObject({ status: 'open', auto_advance: false });

  await releaseInvoices(parts, { month: MONTH });
  expect(await atStripe()).toMatchObject({ status: 'open', auto_advance: true });

  await double.control.advanceClock(HOUR_MS);
  await releaseInvoices(parts, { month: MONTH });
  expect(await known()).toMatchObject({ state: 'finalized', holdAskedAt: null });
  await parts.stripe.invoices.update(id, { auto_advance: false });
  await releaseInvoices(parts, { month: MONTH });
  expect(await atStripe()).toMatchObject({ auto_advance: false });
});

test('a draft that a person finalizes before its release hears of it is let go by that', async () => {
  const scene = await ended();
  const { parts, id, atStripe, known } = scene;
  await close(scene);
  await pushMonth(parts, ofMonth(MONTH));
  await scene.stopWebhooks();
  await parts.stripe.invoices.finalizeInvoice(id);
  expect(await known()).toMatchObject({ state: 'held' });

  await releaseInvoices(parts, { month: MONTH });

  expect(await known()).toMatchObject({ state: 'finalized' });
  expect(await atStripe()).toMatchObject({ status: 'open', auto_advance: true });
});

test('an invoice that Stripe finalizes before it holds it is known to be final, and is collected', async () => {
  const scene = await ended({ withWebhooks: false });
  const { parts, double, id, atStripe, known, differences } = scene;
  const { stripe } = parts;
  await stripe.invoiceItems.create({
    ...{ customer: customerOf('acme'), invoice: id, amount: 2000, currency: 'usd' },
  });
  await close(scene);
  const update = stripe.invoices.update.bind(stripe.invoices);
  // The client sends one request where we hold; whoever else finalizes it uses another one.
  const headers = { authorization: `Bearer ${double.apiKey}` };
  const finalizing = vi.spyOn(stripe.invoices, 'update').mockImplementation((...given) => {
    finalizing.mockRestore();
    const final = fetch(`${double.url}/v1/invoices/${id}/finalize`, { method: 'POST', headers });
    return final.then(() => update(...given)) as unknown as ReturnType<typeof update>;
  });

  await holdInvoice(parts, id);

  expect(await known()).toMatchObject({ state: 'finalized', quantity: 0n, holdAnsweredAt: null });
  expect(await atStripe()).toMatchObject({ status: 'open', auto_advance: true });
  await pushMonth(parts, ofMonth(MONTH));
  expect(double.control.meterEvents()).toEqual([]);
  await double.control.advanceClock(2 * HOUR_MS);
  expect(await differences()).toEqual([]);
});

test('a draft that may still be held waits for its collection to go on, however long that is', async () => {
  const { parts, double, id, atStripe, known } = await ended();
  const { stripe } = parts;
  const subscription = (await stripe.subscriptions.list({ customer: customerOf('acme') })).data[0];
  await runSteps(parts, MONTH);
  expect(await known()).toMatchObject({ state: 'released' });
  // given the request that holds it comes last, and the collection is paused then
  await stripe.invoices.update(id, { auto_advance: false });
  const pause_collection = { behavior: 'keep_as_draft' } as const;
  await stripe.subscriptions.update(subscription?.id ?? '', { pause_collection });
  await double.control.advanceClock(2 * HOUR_MS);

  expect(await releaseInvoices(parts, { month: MONTH })).toMatchObject([{ state: 'paused' }]);
  expect(await atStripe()).toMatchObject({ status: 'draft', auto_advance: false });
  await stripe.subscriptions.update(subscription?.id ?? '', { pause_collection: '' });
  await releaseInvoices(parts, { month: MONTH });

  expect(await atStripe()).toMatchObject({ status: 'draft', auto_advance: true });
  expect(await known()).toMatchObject({ state: 'released', holdAskedAt: null });
  const open = (await readAlerts(parts.database)).filter(({ resolvedAt }) => resolvedAt === null);
  expect(open.map(({ kind, subject }) => [kind, subject])).not.toContainEqual([
    'collection_paused',
    id,
  ]);
});

test.each(['void', 'gone'] as const)(
  'the pause of an invoice that is %s is nothing to do any more',
  async (state) => {
    const { parts, double, id, known } = await ended();
    const { stripe, database } = parts;
    await runSteps(parts, MONTH);
    await stripe.invoices.update(id, { auto_advance: false });
    const subscription = (await stripe.subscriptions.list({ customer: customerOf('acme') }))
      .data[0];
    const pause_collection = { behavior: 'keep_as_draft' } as const;
    await stripe.subscriptions.update(subscription?.id ?? '', { pause_collection });
    expect(await releaseInvoices(parts, { month: MONTH })).toMatchObject([{ state: 'paused' }]);
    const pauseOf = async () =>
      (await readAlerts(database)).find(
        ({ kind, subject }) => kind === 'collection_paused' && subject === id,
      );
    expect(await pauseOf()).toMatchObject({ resolvedAt: null });

    if (state === 'void') {
      await stripe.invoices.finalizeInvoice(id);
      await stripe.invoices.voidInvoice(id);
      await double.control.settle();
    } else await saveGone(database, id);
    expect(await known()).toMatchObject({ state });
    await releaseInvoices(parts, { month: MONTH });

    expect(await pauseOf()).toMatchObject({
      resolvedBy: 'spanledger',
      resolution: 'it is void or gone, and nothing of it is left to collect',
    });
  },
);

test('a draft that was held by a ledger of before a restore is let go by the one that does not know of that', async () => {
  const scene = await ended({ withWebhooks: false });
  const { parts, double, id, atStripe, known, differences } = scene;
  await holdInvoice(parts, id);
  await close(scene);
  await pushMonth(parts, ofMonth(MONTH));
  await scene.database.pool.query('delete from stripe_invoices');
  expect(await atStripe()).toMatchObject({ status: 'draft', auto_advance: false });

  expect(await holdInvoice(parts, id)).toBe('let go: its usage is proven to be there');

  expect(await known()).toMatchObject({ state: 'released' });
  await double.control.advanceClock(2 * HOUR_MS);
  expect(await differences()).toEqual([]);
});

test('an invoice that is void stays so, whoever read it before that compares it later', async () => {
  const { parts, double, id, known } = await ended();
  await runSteps(parts, MONTH);
  await double.control.advanceClock(3 * HOUR_MS);
  const read = await parts.stripe.invoices.retrieve(id);
  await parts.stripe.invoices.voidInvoice(id);
  await double.control.settle();
  expect(await known()).toMatchObject({ state: 'void' });

  await verifyInvoice(parts, read);

  expect(await known()).toMatchObject({ state: 'void' });
  expect((await readAlerts(parts.database)).map(({ kind }) => kind)).toEqual(['invoice_void']);
});
