import { expect, onTestFinished, test } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { readOpenAlerts } from '../../../src/push/alert-store.ts';
import { setTenant } from '../../../src/tenants/set-tenant.ts';
import type { BillingScene } from '../billing-scene.ts';
import { MONTH, openBillingScene, runWholeMonth } from '../billing-scene.ts';

async function opened(): Promise<BillingScene> {
  const scene = await openBillingScene();
  onTestFinished(scene.close);
  return scene;
}

function link({ parts }: BillingScene, customer: string) {
  return setTenant(parts, { tenant_id: 'acme', stripe_customer: customer });
}

/** Runs October at each of these instants, and answers what was missing after the last one. */
async function runAt({ parts, double }: BillingScene, ...instants: readonly string[]) {
  let last: readonly unknown[] = [];
  for (const instant of instants) {
    await double.control.setClock(parseInstant(instant));
    last = (await runWholeMonth(parts, MONTH)).missing;
  }
  return last;
}

/** The alerts that are open; of a customer without a subscription a person must know. */
async function alerted({ database }: BillingScene): Promise<readonly string[]> {
  return (await readOpenAlerts(database, null)).map(({ kind }) => kind);
}

/** The cents that final invoices bill to these customers. */
async function billed({ parts }: BillingScene, ...customers: readonly string[]): Promise<number> {
  let sum = 0;
  for (const customer of customers) {
    const { data } = await parts.stripe.invoices.list({ customer, limit: 100 });
    for (const { status, total } of data) if (status === 'open' || status === 'paid') sum += total;
  }
  return sum;
}

const OCTOBER_CENTS = 624;

test.each([
  ['before its first push', '2026-11-01T00:10:00Z'],
  ['after the draft of the other customer was final', '2026-11-01T09:00:00Z'],
])('a tenant that is linked to another customer %s is billed once', async (_, linkedAt) => {
  const scene = await opened();
  scene.double.control.addCustomer({ id: 'cus_new' });
  await scene.double.control.setClock(parseInstant(linkedAt));
  await link(scene, 'cus_new');

  const missing = await runAt(
    scene,
    ...['2026-11-01T09:30:00Z', '2026-11-01T15:30:00Z', '2026-11-12T05:30:00Z'],
    ...['2026-11-12T09:30:00Z', '2026-11-30T05:30:00Z'],
  );

  expect(await billed(scene, 'cus_acme', 'cus_new')).toBe(OCTOBER_CENTS);
  expect(await billed(scene, 'cus_new')).toBe(OCTOBER_CENTS);
  expect(missing).toEqual([]);
  expect(await alerted(scene)).toEqual(['no_subscription']);
});

test('a tenant that is linked to the customer who has the subscription is billed once', async () => {
  const scene = await opened();
  scene.double.control.addCustomer({ id: 'cus_right' });
  await scene.parts.stripe.subscriptions.create({
    customer: 'cus_right',
    items: [{ price: scene.meter.priceId }],
    billing_cycle_anchor_config: { day_of_month: 1, hour: 0, minute: 0, second: 0 },
  });
  await scene.double.control.setClock(parseInstant('2026-11-01T09:00:00Z'));
  await link(scene, 'cus_right');

  const missing = await runAt(
    scene,
    ...['2026-11-01T09:30:00Z', '2026-11-01T15:30:00Z', '2026-11-25T05:30:00Z'],
  );

  expect(await billed(scene, 'cus_right')).toBe(OCTOBER_CENTS);
  expect(await billed(scene, 'cus_acme')).toBe(0);
  expect(missing).toEqual([]);
  expect(await alerted(scene)).toEqual([]);
});

test('a tenant whose customer was deleted is billed once by the one that it is linked to', async () => {
  const scene = await opened();
  await scene.double.control.setClock(parseInstant('2026-11-01T00:05:00Z'));
  await scene.parts.stripe.customers.del('cus_acme');
  await runAt(scene, '2026-11-01T00:10:00Z');
  scene.double.control.addCustomer({ id: 'cus_new' });
  await scene.double.control.setClock(parseInstant('2026-11-01T09:10:00Z'));
  await link(scene, 'cus_new');

  await runAt(scene, ...['2026-11-01T09:20:00Z', '2026-11-25T05:30:00Z', '2026-11-25T09:30:00Z']);

  expect(await billed(scene, 'cus_new')).toBe(OCTOBER_CENTS);
  expect(await billed(scene, 'cus_acme')).toBe(0);
});
