import { expect, onTestFinished, test } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { closeTenant } from '../../../src/ledger/closes/close-tenant.ts';
import { setUpSubscriptions } from '../../../src/stripe/customers/subscription.ts';
import { setTenant } from '../../../src/tenants/set-tenant.ts';
import { receiveEvents } from '../../support/ledger.ts';
import type { BillingScene, SceneOptions } from '../billing-scene.ts';
import { openBillingScene, runWholeMonth, usage } from '../billing-scene.ts';

async function opened(options: SceneOptions = {}): Promise<BillingScene> {
  const scene = await openBillingScene(options);
  onTestFinished(scene.close);
  return scene;
}

function setClock({ double }: BillingScene, at: string) {
  return double.control.setClock(parseInstant(at));
}

function setUp({ parts, meter }: BillingScene) {
  return setUpSubscriptions(parts, meter);
}

test('who left is given no subscription, and has the next months checked for no customer, until it is back', async () => {
  const scene = await opened();
  const { parts, database } = scene;
  await setClock(scene, '2026-10-21T00:00:00Z');
  await closeTenant(parts, { tenant_id: 'acme', at: parseInstant('2026-10-20T10:00:00Z') });
  const { data } = await parts.stripe.subscriptions.list({ customer: 'cus_acme' });
  for (const { id } of data) await parts.stripe.subscriptions.cancel(id);
  await setClock(scene, '2026-11-01T00:30:00Z');
  await runWholeMonth(parts, '2026-10');
  expect(await setUp(scene)).toEqual([]);

  await setTenant(parts, { tenant_id: 'acme', stripe_customer: '' });
  await setClock(scene, '2026-12-01T05:30:00Z');
  const { steps } = await runWholeMonth(parts, '2026-11');
  expect(steps.find(({ step }) => step === 'check')).toMatchObject({ state: 'done' });

  await receiveEvents(
    database,
    [usage('acme', { tokens: 1_000, index: 7, at: '2026-12-05T12:00:00Z' })],
    '2026-12-05T12:00:05Z',
  );
  await setTenant(parts, { tenant_id: 'acme', stripe_customer: 'cus_acme' });
  expect(await setUp(scene)).toMatchObject([{ tenant_id: 'acme', state: 'made' }]);
});

test('after another anchor day a subscription is asked for once the change has taken effect, and fits then', async () => {
  const scene = await opened({ tenants: [{ tenantId: 'acme', anchorDay: 20 }] });
  const { parts } = scene;
  await setClock(scene, '2026-10-16T00:00:00Z');
  await setTenant(parts, { tenant_id: 'acme', anchor_day: 1 });

  const [before] = await setUp(scene);
  expect(before).toMatchObject({ state: 'would_bill_wrongly' });
  const said = JSON.stringify(before?.remedy);
  expect(said).toContain(' at 2026-10-20T00:00:00.000Z');
  expect(said).not.toContain('cancel');

  await setClock(scene, '2026-10-21T00:00:00Z');
  const [after] = await setUp(scene);
  expect(JSON.stringify(after?.remedy)).toContain('day 1 at 00:00 UTC');
  await parts.stripe.subscriptions.cancel(String(after?.subscription));
  expect(await setUp(scene)).toMatchObject([{ state: 'made' }]);
  expect(await setUp(scene)).toMatchObject([{ state: 'fits' }]);
});
