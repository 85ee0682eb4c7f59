import Stripe from 'stripe';
import { expect, onTestFinished, test } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { readAlerts } from '../../../src/push/alert-store.ts';
import { setUpSubscriptions } from '../../../src/stripe/customers/subscription.ts';
import { readInvoices } from '../../../src/stripe/invoices/invoice-store.ts';
import type { SceneOptions } from '../billing-scene.ts';
import { MONTH, openBillingScene, runSteps } from '../billing-scene.ts';

const HOUR_MS = 3_600_000;
const CYCLE = { day_of_month: 1, hour: 0, minute: 0, second: 0 };

async function scene(options: SceneOptions = {}) {
  const opened = await openBillingScene(options);
  onTestFinished(opened.close);
  return opened;
}

test('two subscriptions bill the same usage twice, and their invoices are summed', async () => {
  const { parts, double, meter, database } = await scene();
  await parts.stripe.subscriptions.create({
    customer: 'cus_acme',
    items: [{ price: meter.priceId }],
    billing_cycle_anchor_config: CYCLE,
  });
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  await runSteps(parts, MONTH);
  await double.control.advanceClock(3 * HOUR_MS);

  const alerts = await readAlerts(database);
  expect(alerts.map(({ kind, tenantId }) => [kind, tenantId])).toEqual([
    ['invoice_differs', 'acme'],
  ]);
  expect(alerts[0]?.detail).toContain('with 1 more of this period it bills');
});

test('usage of an invoice that was voided is billed by none, which is an alert', async () => {
  const { parts, double, database } = await scene();
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  await runSteps(parts, MONTH);
  await double.control.advanceClock(3 * HOUR_MS);
  expect(await readAlerts(database)).toEqual([]);
  const [invoice] = (await parts.stripe.invoices.list({ customer: 'cus_acme' })).data;
  await parts.stripe.invoices.voidInvoice(invoice?.id ?? '');
  await double.control.settle();

  expect(await readAlerts(database)).toMatchObject([{ kind: 'invoice_void', tenantId: 'acme' }]);
  expect(await readInvoices(database, { month: MONTH, tenantId: 'acme' })).toMatchObject([
    { state: 'void' },
  ]);
});

test('a price that was replaced goes on being held and compared, by its meter', async () => {
  const { parts, double, meter, database } = await scene({ withSubscriptions: false });
  const price = await parts.stripe.prices.create({
    currency: 'usd',
    product: meter.productId,
    unit_amount_decimal: Stripe.Decimal.from('0.0001'),
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.meterId },
  });
  await parts.stripe.subscriptions.create({
    customer: 'cus_acme',
    items: [{ price: price.id }],
    billing_cycle_anchor_config: CYCLE,
  });
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  expect(await readInvoices(database, { month: MONTH, tenantId: 'acme' })).toMatchObject([
    { state: 'held' },
  ]);
  await runSteps(parts, MONTH);
  await double.control.advanceClock(3 * HOUR_MS);
  expect(await readInvoices(database, { month: MONTH, tenantId: 'acme' })).toMatchObject([
    { state: 'finalized' },
  ]);
  expect(await readAlerts(database)).toEqual([]);
});

test('a cycle that ends a day before the period bills it a month late, and setup says so', async () => {
  const { parts, meter } = await scene({ withSubscriptions: false });
  await parts.stripe.subscriptions.create({
    customer: 'cus_acme',
    items: [{ price: meter.priceId }],
    billing_cycle_anchor_config: { ...CYCLE, day_of_month: 27 },
  });
  const [acme] = await setUpSubscriptions(parts, meter);
  expect(acme).toMatchObject({ tenant_id: 'acme', state: 'would_bill_wrongly' });
  expect(acme?.detail).toContain('would be billed late');
});
