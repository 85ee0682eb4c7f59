import { expect, onTestFinished, test } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { readAlerts } from '../../../src/push/alert-store.ts';
import { releaseInvoices } from '../../../src/stripe/invoices/invoice.ts';
import { readInvoices } from '../../../src/stripe/invoices/invoice-store.ts';
import { pushMonth } from '../../../src/stripe/push-month.ts';
import { receiveFromEventBridge } from '../../../src/stripe/webhooks/webhook.ts';
import { makeTenant } from '../../support/ledger.ts';
import { ofMonth } from '../../support/stripe.ts';
import type { BillingScene } from '../billing-scene.ts';
import { MONTH, openBillingScene, runSteps } from '../billing-scene.ts';

/** A month that ended and was closed in one mode, and a tenant that is in the other since. */
async function closedIn(mode: 'shadow' | 'live'): Promise<BillingScene> {
  const scene = await openBillingScene({ withWebhooks: false });
  onTestFinished(scene.close);
  const { double, parts, database } = scene;
  await makeTenant(database, 'acme', { mode });
  await double.control.setClock(parseInstant('2026-11-01T00:10:00Z'));
  await closePeriods(parts, { month: MONTH, tenant_id: null });
  await makeTenant(database, 'acme', { mode: mode === 'live' ? 'shadow' : 'live' });
  return scene;
}

/** Delivers the events of a type that Stripe has made, as EventBridge brings them. */
async function deliver({ parts }: BillingScene, type: string): Promise<readonly string[]> {
  const events = (await parts.stripe.events.list({ type, limit: 100 })).data;
  const answers: string[] = [];
  for (const event of events) {
    answers.push((await receiveFromEventBridge(parts, JSON.stringify(event))).outcome);
  }
  return answers;
}

const NOT_DUE = expect.stringContaining('a month in shadow is never billed');

test('a month that was closed in shadow is told by no event, held by none and missed by none once its tenant is live', async () => {
  const scene = await closedIn('shadow');
  const { double, parts, database } = scene;

  expect(await deliver(scene, 'invoice.created')).toEqual([NOT_DUE]);
  expect(await readInvoices(database, { month: null, tenantId: null })).toEqual([]);
  expect(await pushMonth(parts, ofMonth(MONTH))).toMatchObject([{ state: 'shadow' }, {}]);
  await runSteps(parts, MONTH);
  await double.control.setClock(parseInstant('2026-11-01T03:00:00Z'));
  expect(await deliver(scene, 'invoice.finalized')).toEqual([NOT_DUE]);
  const [subscription] = (await parts.stripe.subscriptions.list({ customer: 'cus_acme' })).data;
  await parts.stripe.subscriptions.cancel(subscription?.id ?? '');
  await deliver(scene, 'customer.subscription.deleted');

  expect(double.control.meterEvents()).toEqual([]);
  expect((await parts.stripe.invoiceItems.list({ customer: 'cus_acme' })).data).toEqual([]);
  expect((await readAlerts(database)).map(({ kind }) => kind)).toEqual(['subscription_canceled']);
});

test('what Stripe bills of a month that was closed in shadow is an alert', async () => {
  const scene = await closedIn('shadow');
  const { double, parts, meter, database } = scene;
  await parts.stripe.billing.meterEvents.create({
    event_name: meter.eventName,
    timestamp: parseInstant('2026-10-31T23:59:59Z') / 1000,
    payload: { stripe_customer_id: 'cus_acme', value: '5000000' },
  });
  await double.control.setClock(parseInstant('2026-11-01T03:00:00Z'));

  await deliver(scene, 'invoice.finalized');

  expect(await readAlerts(database)).toMatchObject([
    { kind: 'invoice_differs', tenantId: 'acme', periodStart: '2026-10-01' },
  ]);
});

test('a month that was closed live is held, told, released and compared although its tenant is in shadow since', async () => {
  const scene = await closedIn('live');
  const { double, parts, database } = scene;

  expect(await deliver(scene, 'invoice.created')).toEqual(['held until the push is proven']);
  expect(await pushMonth(parts, ofMonth(MONTH))).toMatchObject([{ state: 'confirmed' }, {}]);
  expect(await releaseInvoices(parts, { month: MONTH })).toMatchObject([{ state: 'released' }]);
  await double.control.setClock(parseInstant('2026-11-01T03:00:00Z'));

  expect(await deliver(scene, 'invoice.finalized')).toEqual(['equals the statement']);
  expect(await scene.differences()).toEqual([]);
  expect(await readAlerts(database)).toEqual([]);
});

test('an ended subscription has a month that was closed live told, although its tenant is in shadow since', async () => {
  const scene = await closedIn('live');
  const { double, parts } = scene;
  const [subscription] = (await parts.stripe.subscriptions.list({ customer: 'cus_acme' })).data;
  await parts.stripe.subscriptions.cancel(subscription?.id ?? '');

  await deliver(scene, 'customer.subscription.deleted');

  expect(double.control.meterEvents()).toMatchObject([{ customer: 'cus_acme' }]);
});

test('a draft that was held before its month was closed in shadow is let go', async () => {
  const scene = await openBillingScene({ withWebhooks: false });
  onTestFinished(scene.close);
  const { double, parts, database } = scene;
  await double.control.setClock(parseInstant('2026-11-01T00:10:00Z'));
  expect(await deliver(scene, 'invoice.created')).toEqual(['held until the push is proven']);
  await makeTenant(database, 'acme', { mode: 'shadow' });
  await closePeriods(parts, { month: MONTH, tenant_id: null });

  expect(await releaseInvoices(parts, { month: MONTH })).toMatchObject([{ state: 'released' }]);
  await double.control.setClock(parseInstant('2026-11-01T03:00:00Z'));
  expect(await deliver(scene, 'invoice.finalized')).toEqual([NOT_DUE]);
  // Else every run would go on asking for it.
  expect(await readInvoices(database, { month: MONTH, tenantId: null })).toMatchObject([
    { state: 'finalized', quantity: 0n },
  ]);
});

test('the invoice of a customer whose tenant was given another one since is held and compared', async () => {
  const scene = await openBillingScene({ withWebhooks: false });
  onTestFinished(scene.close);
  const { double, parts, database } = scene;
  await double.control.setClock(parseInstant('2026-11-01T00:10:00Z'));
  await closePeriods(parts, { month: MONTH, tenant_id: null });
  await pushMonth(parts, ofMonth(MONTH));
  await makeTenant(database, 'acme', { stripeCustomer: 'cus_new' });

  await deliver(scene, 'invoice.created');
  await double.control.setClock(parseInstant('2026-11-01T03:00:00Z'));

  expect(await deliver(scene, 'invoice.finalized')).toEqual(['equals the statement']);
});
