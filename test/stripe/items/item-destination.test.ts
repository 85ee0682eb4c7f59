import { describe, expect, onTestFinished, test } from 'vitest';
import { remedyText } from '../../../src/cli/terminal/commands-to-type.ts';
import { parseInstant } from '../../../src/clock.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { nameMissing } from '../../../src/month/completeness/name-missing.ts';
import { readAlerts } from '../../../src/push/alert-store.ts';
import { listAlerts } from '../../../src/stripe/alerts/list-alerts.ts';
import { resolveAlert } from '../../../src/stripe/alerts/resolve-alert.ts';
import { pushMonth } from '../../../src/stripe/push-month.ts';
import { reconcileMonth } from '../../../src/stripe/reconcile-month.ts';
import { settleMonth } from '../../../src/stripe/settle-month.ts';
import { checkSummaries } from '../../../src/stripe/summary-law.ts';
import { unparkIntent } from '../../../src/stripe/unpark-intent.ts';
import { textRows } from '../../support/database.ts';
import { ofMonth } from '../../support/stripe.ts';
import { brokenLaws } from '../../support/worker.ts';
import type { BillingScene, SceneOptions } from '../billing-scene.ts';
import { MONTH, openBillingScene, runWholeMonth } from '../billing-scene.ts';

const HOUR_MS = 3_600_000;
const LATE = '2026-12-08T00:30:00Z';
const IN_TIME = '2026-11-01T00:30:00Z';

async function closed(at: string, options: SceneOptions = {}): Promise<BillingScene> {
  const opened = await openBillingScene({ withSubscriptions: false, ...options });
  onTestFinished(opened.close);
  await opened.double.control.setClock(parseInstant(at));
  await closePeriods(opened.parts, { month: MONTH, tenant_id: null });
  return opened;
}

const push = async ({ parts }: BillingScene) =>
  (await pushMonth(parts, ofMonth(MONTH))).find((row) => row.tenant_id === 'acme');
const reconcile = async ({ parts }: BillingScene) =>
  (await reconcileMonth(parts, ofMonth(MONTH))).find((row) => row.tenant_id === 'acme');
const items = async ({ parts }: BillingScene) =>
  (await parts.stripe.invoiceItems.list({ customer: 'cus_acme', limit: 100 })).data;
const period = async ({ database }: BillingScene) =>
  (
    await textRows(
      database,
      "select charge_total, mode, told, invoice_id from audit.periods where tenant_id = 'acme'",
    )
  )[0];

async function expectBilledOnce(scene: BillingScene): Promise<void> {
  const found = await items(scene);
  const { charge_total: total, invoice_id: invoice, told } = (await period(scene)) ?? {};
  expect(found.map(({ amount, invoice: on }) => [amount, on])).toEqual([
    [Math.round(Number(total) * 100), invoice],
  ]);
  expect(told).toBe('told');
  expect(await reconcile(scene)).toMatchObject({ difference: 'none', explained: true });
  // It becomes final by itself, is compared with its intent, and raises nothing.
  await scene.double.control.advanceClock(3 * HOUR_MS);
  const [final] = (await scene.parts.stripe.invoices.list({ customer: 'cus_acme' })).data;
  expect(final).toMatchObject({ status: 'open', total: found[0]?.amount });
  expect(await readAlerts(scene.database)).toEqual([]);
  expect(await brokenLaws(scene.database)).toEqual([]);
  expect((await checkSummaries(scene.parts)).violations).toEqual([]);
}

test('usage that is too old for the meter is billed by an invoice item, once', async () => {
  const scene = await closed(LATE);
  expect(await push(scene)).toMatchObject({ state: 'confirmed' });
  expect(await push(scene)).toMatchObject({ state: 'confirmed' });
  expect(scene.double.control.meterEvents()).toEqual([]);
  await expectBilledOnce(scene);
});

test.each([{ path: '/v1/invoiceitems' }, { path: '/v1/invoices' }, { path: /./ }])(
  'an answer that is lost at $path bills nothing twice',
  async ({ path }) => {
    const scene = await closed(LATE);
    const match = path instanceof RegExp ? { method: 'POST' } : { method: 'POST', path };
    scene.double.control.injectFault({ kind: 'apply_then_reset', match, times: 20 });
    await push(scene);
    scene.double.control.clearFaults();
    await scene.double.control.advanceClock(HOUR_MS);
    expect(await push(scene)).toMatchObject({ state: 'confirmed' });
    await expectBilledOnce(scene);
  },
);

test('an item that was made without an answer is found by its metadata after Stripe forgot its key', async () => {
  const scene = await closed(LATE);
  const match = { method: 'POST', path: '/v1/invoiceitems' };
  scene.double.control.injectFault({ kind: 'apply_then_reset', match, times: 20 });
  await push(scene);
  scene.double.control.clearFaults();
  await scene.double.control.advanceClock(30 * HOUR_MS);
  expect(await push(scene)).toMatchObject({ state: 'confirmed' });
  await expectBilledOnce(scene);
});

test('an item whose invoice a person voids is on a voided invoice, which no push bills again', async () => {
  const scene = await closed(LATE);
  const { parts, double } = scene;
  expect(await push(scene)).toMatchObject({ state: 'confirmed' });
  await double.control.advanceClock(3 * HOUR_MS);
  const [invoice] = (await parts.stripe.invoices.list({ customer: 'cus_acme' })).data;
  await parts.stripe.invoices.voidInvoice(invoice?.id ?? '');
  await double.control.settle();

  const [alert] = await listAlerts(parts, { all: false });
  expect(alert).toMatchObject({ kind: 'invoice_void', subject: invoice?.id });
  expect(remedyText(alert?.remedy ?? [])).toMatch(/^bill it by another invoice; then /);
  const missing = await nameMissing(parts, { month: MONTH, tenant_id: null });
  expect(missing.map(({ kind }) => kind)).toEqual(['on_voided_invoice']);
  // A record that it was settled would be refused.
  expect(missing[0]?.remedy).toEqual(alert?.remedy);
  expect(await push(scene)).toMatchObject({ state: 'confirmed' });
  expect(await items(scene)).toHaveLength(1);
});

describe('an item whose invoice could not be let go', () => {
  const match = { method: 'POST', path: '/v1/invoices/*' };

  test.each([1, 30])(
    'is not confirmed before its invoice is let go, %d hours later',
    async (hours) => {
      const scene = await closed(LATE);
      scene.double.control.injectFault({ kind: 'html_503', match, times: 100 });
      expect((await push(scene))?.state).not.toBe('confirmed');
      await scene.double.control.advanceClock(hours * HOUR_MS);
      expect((await push(scene))?.state).not.toBe('confirmed');
      expect(await items(scene)).toHaveLength(1);
      scene.double.control.clearFaults();
      expect(await push(scene)).toMatchObject({ state: 'confirmed' });
      await expectBilledOnce(scene);
    },
  );

  test('is let go when a person decides what Stripe refused', async () => {
    const scene = await closed(LATE);
    scene.double.control.injectFault({ kind: 'error', status: 400, match });
    expect(await push(scene)).toMatchObject({ state: 'parked' });
    const identifier = (await items(scene))[0]?.metadata?.['spanledger_intent'] ?? '';
    expect(await unparkIntent(scene.parts, { identifier })).toMatchObject({ state: 'confirmed' });
    await scene.double.control.advanceClock(3 * HOUR_MS);
    const [final] = (await scene.parts.stripe.invoices.list({ customer: 'cus_acme' })).data;
    expect(final).toMatchObject({ status: 'open' });
  });
});

test('who left in the middle of the month is billed by an invoice item', async () => {
  const scene = await openBillingScene();
  onTestFinished(scene.close);
  const { double, parts } = scene;
  await double.control.setClock(parseInstant('2026-10-20T00:00:00Z'));
  const [subscription] = (await parts.stripe.subscriptions.list({ customer: 'cus_acme' })).data;
  await parts.stripe.subscriptions.cancel(subscription?.id ?? '');
  await double.control.setClock(parseInstant(IN_TIME));
  await closePeriods(parts, { month: MONTH, tenant_id: null });
  expect(await push(scene)).toMatchObject({ state: 'confirmed' });
  expect(double.control.meterEvents()).toEqual([]);
  expect(await items(scene)).toHaveLength(1);
});

test('what would come after the final invoice is billed by an invoice item', async () => {
  const scene = await openBillingScene();
  onTestFinished(scene.close);
  const { double, parts } = scene;
  await double.control.setClock(parseInstant(IN_TIME));
  await closePeriods(parts, { month: MONTH, tenant_id: null });
  // given somebody finalizes the held draft by hand before the push
  const [invoice] = (await parts.stripe.invoices.list({ customer: 'cus_acme' })).data;
  await parts.stripe.invoices.finalizeInvoice(invoice?.id ?? '');
  await double.control.settle();
  expect(await push(scene)).toMatchObject({ state: 'confirmed' });
  expect(double.control.meterEvents()).toEqual([]);
  expect(await items(scene)).toHaveLength(1);
  expect(await reconcile(scene)).toMatchObject({ difference: 'none' });
});

test('what a person billed elsewhere is settled, and told to nobody', async () => {
  const scene = await closed(IN_TIME);
  const total = (await period(scene))?.['charge_total'] ?? '';
  const request = { tenant_id: 'acme', month: MONTH, amount: total, reason: 'R-17', actor: 'ann' };
  await expect(settleMonth(scene.parts, { ...request, amount: '99999' })).rejects.toThrow('is due');
  expect(await settleMonth(scene.parts, request)).toMatchObject({ due: '0' });
  expect(await push(scene)).toMatchObject({ state: 'confirmed' });
  expect(scene.double.control.meterEvents()).toEqual([]);
  expect(await items(scene)).toEqual([]);
  expect(await period(scene)).toMatchObject({ told: 'settled' });
  expect(await reconcile(scene)).toMatchObject({ difference: 'none', explained: true });
  await expect(settleMonth(scene.parts, request)).rejects.toThrow('is due');
  expect(await brokenLaws(scene.database)).toEqual([]);
});

test('a part that was settled leaves the rest to be told', async () => {
  const scene = await closed(IN_TIME);
  const request = { tenant_id: 'acme', month: MONTH, amount: '1', reason: 'R-17', actor: 'ann' };
  const { due } = await settleMonth(scene.parts, request);
  expect(await brokenLaws(scene.database)).toEqual([]);
  expect(await push(scene)).toMatchObject({ state: 'confirmed' });
  expect(scene.double.control.meterEvents()).toMatchObject([{ value: due }]);
  expect(await reconcile(scene)).toMatchObject({ difference: 'none', settled: '1000000' });
  expect((await checkSummaries(scene.parts)).violations).toEqual([]);
});

test('an item that a person made for the period stands against making another', async () => {
  const scene = await closed(LATE);
  await scene.parts.stripe.invoiceItems.create({
    customer: 'cus_acme',
    currency: 'usd',
    amount: 12,
    metadata: { period_key: 'acme/2026-10-01' },
  });
  const refused = await push(scene);
  expect(refused).toMatchObject({ state: 'refused' });
  const settled = { operation: 'stripe settled', tenant_id: 'acme', month: '2026-10' };
  expect(refused?.remedy).toContainEqual(settled);
  expect(await items(scene)).toHaveLength(1);
});

test('a fee that a person adds to the draft of an item is theirs, and the item equals its intent', async () => {
  const scene = await closed(LATE);
  const { stripe } = scene.parts;
  expect(await push(scene)).toMatchObject({ state: 'confirmed' });
  const [item] = await items(scene);
  const invoice = String(item?.invoice);
  const fee = { customer: 'cus_acme', currency: 'usd', amount: 500, description: 'support' };
  await stripe.invoiceItems.create({ ...fee, invoice });

  await scene.double.control.advanceClock(3 * HOUR_MS);

  expect(await stripe.invoices.retrieve(invoice)).toMatchObject({ status: 'open', total: 1124 });
  expect(await readAlerts(scene.database)).toEqual([]);
  expect(await nameMissing(scene.parts, { month: MONTH, tenant_id: 'acme' })).toEqual([]);
  const kept = 'select state, quantity, amount from stripe_invoices where invoice_id = ';
  expect(await textRows(scene.database, `${kept}'${invoice}'`)).toEqual([
    { state: 'finalized', quantity: '6239715', amount: '624' },
  ]);
});

test('an item whose draft a person deleted is billed by nothing, and its month says so until they say where it is billed', async () => {
  const scene = await closed(LATE);
  const { parts, double } = scene;
  expect(await push(scene)).toMatchObject({ state: 'confirmed' });
  const invoice = String((await items(scene))[0]?.invoice);
  const match = { method: 'GET', path: `/v1/invoices/${invoice}` };
  double.control.injectFault({ kind: 'error', status: 404, times: 10_000, match });

  await double.control.advanceClock(3 * HOUR_MS);
  expect(await runWholeMonth(parts, MONTH)).toMatchObject({ done: false });
  const missing = await nameMissing(parts, { month: MONTH, tenant_id: 'acme' });
  expect(missing).toMatchObject([{ kind: 'unbilled', tenant_id: 'acme' }]);
  expect(missing[0]?.detail).toContain('this draft of the item of spl-testbook-acme-2026-10-01');
  // The double keeps the item, as Stripe does with one that waits for another invoice.
  expect(await reconcile(scene)).toMatchObject({ difference: 'invoice_wrong' });
  const [alert] = await listAlerts(parts, { all: false });
  expect(remedyText(alert?.remedy ?? [])).toMatch(
    /^bill nothing by hand before "spanledger reconcile 2026-10" has said whether its item is left/,
  );
  const resolved = { reason: 'its item is left', actor: 'ann' };
  await resolveAlert(parts, { alert_id: String(alert?.alert_id), ...resolved });
  expect(await runWholeMonth(parts, MONTH)).toMatchObject({ done: true, missing: [] });
});
