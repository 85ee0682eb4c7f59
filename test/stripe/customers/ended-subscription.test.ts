import { expect, onTestFinished, test } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { closeTenant } from '../../../src/ledger/closes/close-tenant.ts';
import { readOpenAlerts } from '../../../src/push/alert-store.ts';
import { resolveAlert } from '../../../src/stripe/alerts/resolve-alert.ts';
import { pushMonth } from '../../../src/stripe/push-month.ts';
import { textRows } from '../../support/database.ts';
import { ofMonth } from '../../support/stripe.ts';
import type { BillingScene } from '../billing-scene.ts';
import { MONTH, openBillingScene, runWholeMonth } from '../billing-scene.ts';

/** Acme leaves on the 20th of October at ten, which is closed half an hour later. */
async function openedWhereAcmeLeft(): Promise<BillingScene> {
  const scene = await openBillingScene();
  onTestFinished(scene.close);
  await scene.double.control.setClock(parseInstant('2026-10-20T10:30:00Z'));
  await closeTenant(scene.parts, { tenant_id: 'acme', at: parseInstant('2026-10-20T10:00:00Z') });
  return scene;
}

async function cancelAt(
  { parts, double }: BillingScene,
  at: string,
  given: { readonly invoice_now?: boolean } = {},
): Promise<void> {
  await double.control.setClock(parseInstant(at));
  const { data } = await parts.stripe.subscriptions.list({ customer: 'cus_acme' });
  for (const { id } of data) await parts.stripe.subscriptions.cancel(id, given);
}

/** Runs October at each of these instants, and answers whether the last run was done. */
async function runAt({ parts, double }: BillingScene, ...instants: readonly string[]) {
  let isDone = false;
  for (const instant of instants) {
    await double.control.setClock(parseInstant(instant));
    isDone = (await runWholeMonth(parts, MONTH)).done;
  }
  return isDone;
}

async function alerted({ database }: BillingScene): Promise<readonly string[]> {
  return (await readOpenAlerts(database, MONTH)).map(({ kind }) => kind);
}

async function billedCents({ parts }: BillingScene): Promise<number> {
  const { data } = await parts.stripe.invoices.list({ customer: 'cus_acme', limit: 100 });
  const final = data.filter(({ status }) => status === 'open' || status === 'paid');
  return final.reduce((sum, { total }) => sum + total, 0);
}

function told({ database }: BillingScene) {
  return textRows(
    database,
    'select destination, state, sign(value_micro) as sign from push_intents order by sequence',
  );
}

test.each([false, true])(
  'the last month of one who leaves is billed once where its subscription is canceled the same hour, invoice_now %s',
  async (now) => {
    const scene = await openedWhereAcmeLeft();
    await cancelAt(scene, '2026-10-20T11:00:00Z', now ? { invoice_now: true } : {});
    await scene.double.control.setClock(parseInstant('2026-10-20T16:00:00Z'));

    const isDone = await runAt(scene, '2026-11-01T00:30:00Z', '2026-11-09T00:30:00Z');

    expect(await billedCents(scene)).toBe(624);
    expect(isDone).toBe(true);
  },
);

test('what an ended subscription billed no more than it was told is taken back after a week and billed by an item', async () => {
  const scene = await openedWhereAcmeLeft();
  await pushMonth(scene.parts, ofMonth(MONTH));
  await cancelAt(scene, '2026-10-20T11:00:00Z');

  await runAt(scene, ...['2026-11-01T00:30:00Z', '2026-11-01T06:30:00Z', '2026-11-01T09:30:00Z']);

  expect(await told(scene)).toEqual([
    { destination: 'meter', state: 'confirmed', sign: '1' },
    { destination: 'meter', state: 'confirmed', sign: '-1' },
    { destination: 'invoice_item', state: 'confirmed', sign: '1' },
  ]);
  expect(await billedCents(scene)).toBe(624);
  expect(await alerted(scene)).toEqual(['no_subscription']);
});

test('what an ended subscription left on the meter past its 35 days is a matter for a person, which ends', async () => {
  const scene = await openedWhereAcmeLeft();
  await pushMonth(scene.parts, ofMonth(MONTH));
  await cancelAt(scene, '2026-10-20T11:00:00Z');

  await runAt(scene, '2026-11-26T00:30:00Z', '2026-11-26T01:30:00Z');

  expect(await alerted(scene)).toEqual(['usage_left_on_meter']);
  const [alert] = await readOpenAlerts(scene.database, MONTH);
  const by = { reason: 'invoice R-1', actor: 'ada' };
  await resolveAlert(scene.parts, { alert_id: String(alert?.alertId), ...by });
  expect(await runAt(scene, '2026-11-26T02:30:00Z')).toBe(true);
});
