import { expect, onTestFinished, test } from 'vitest';
import { remedyText } from '../../../src/cli/terminal/commands-to-type.ts';
import { parseInstant } from '../../../src/clock.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { nameMissing } from '../../../src/month/completeness/name-missing.ts';
import { readAlerts, readOpenAlerts } from '../../../src/push/alert-store.ts';
import type { Refusal } from '../../../src/refusal.ts';
import { resolveAlert } from '../../../src/stripe/alerts/resolve-alert.ts';
import { holdInvoice } from '../../../src/stripe/invoices/invoice.ts';
import { pushMonth } from '../../../src/stripe/push-month.ts';
import { reconcileMonth } from '../../../src/stripe/reconcile-month.ts';
import { settleMonth } from '../../../src/stripe/settle-month.ts';
import { checkSummaries } from '../../../src/stripe/summary-law.ts';
import { gatherEvents } from '../../../src/webhooks/gather-events.ts';
import { addEndpoint } from '../../../src/webhooks/manage-endpoints.ts';
import { textRows } from '../../support/database.ts';
import { ofMonth } from '../../support/stripe.ts';
import { brokenLaws } from '../../support/worker.ts';
import type { BillingScene, SceneOptions } from '../billing-scene.ts';
import { ACME, MONTH, openBillingScene, runSteps } from '../billing-scene.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const METER_EVENTS = { method: 'POST', path: '/v1/billing/meter_events' };

/** October told to the meter of a customer that has no subscription, unless the scene gives it one. */
async function told(options: SceneOptions = {}): Promise<BillingScene> {
  const scene = await openBillingScene({ withSubscriptions: false, ...options });
  onTestFinished(scene.close);
  await scene.double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  await closePeriods(scene.parts, { month: MONTH, tenant_id: null });
  expect(await push(scene)).toMatchObject({ state: 'confirmed' });
  await reconcileMonth(scene.parts, ofMonth(MONTH));
  return scene;
}

const push = async ({ parts }: BillingScene, but = {}) =>
  (await pushMonth(parts, ofMonth(MONTH, but))).find((row) => row.tenant_id === 'acme');
const intents = async ({ database }: BillingScene) =>
  (
    await textRows(
      database,
      'select destination, state, sign(value) as sign from audit.pushes order by identifier',
    )
  ).map((row) => `${row['sign']} ${row['destination']} ${row['state']}`);
const values = ({ double }: BillingScene) =>
  double.control.meterEvents().map(({ value }) => Number(value));
const items = async ({ parts }: BillingScene) =>
  (await parts.stripe.invoiceItems.list({ customer: 'cus_acme', limit: 100 })).data;
const missing = async ({ parts }: BillingScene) =>
  (await nameMissing(parts, { month: MONTH, tenant_id: 'acme' })).map(({ kind }) => kind);

const TOLD = '1 meter confirmed';
const BILLED_BY_ITEM = [TOLD, '-1 meter confirmed', '1 invoice_item confirmed'];

/** The item bills what the statement says, the meter counts nothing, and no law is broken. */
async function expectBilledOnce(scene: BillingScene): Promise<void> {
  const [period] = await textRows(
    scene.database,
    "select charge_total, told from audit.periods where tenant_id = 'acme'",
  );
  expect((await items(scene)).map(({ amount }) => amount)).toEqual([
    Math.round(Number(period?.['charge_total']) * 100),
  ]);
  expect(values(scene).reduce((sum, value) => sum + value, 0)).toBe(0);
  expect(await reconcileMonth(scene.parts, ofMonth(MONTH))).toMatchObject([
    { tenant_id: 'acme', difference: 'none', explained: true },
    {},
  ]);
  expect((await checkSummaries(scene.parts)).violations).toEqual([]);
  expect(await brokenLaws(scene.database)).toEqual([]);
}

test('what no subscription bills within a week is taken back from the meter and billed by an invoice item, once', async () => {
  const scene = await told();
  await scene.double.control.advanceClock(7 * DAY_MS - HOUR_MS);
  expect(await push(scene)).toMatchObject({ state: 'confirmed' });
  expect(await intents(scene)).toEqual([TOLD]);
  await scene.double.control.advanceClock(HOUR_MS);
  expect(await push(scene, { dry_run: true })).toMatchObject({ state: 'would_send' });
  expect(await intents(scene)).toEqual([TOLD]);

  expect(await push(scene)).toMatchObject({ state: 'confirmed' });
  expect(await push(scene)).toMatchObject({ state: 'confirmed' });

  expect(await intents(scene)).toEqual(BILLED_BY_ITEM);
  await expectBilledOnce(scene);
  // It is named once, for a person to say whether that is meant.
  expect(await missing(scene)).toEqual(['alert']);
  const [alert] = await readOpenAlerts(scene.database, MONTH);
  expect(alert).toMatchObject({ kind: 'no_subscription', subject: 'cus_acme' });
  const said = { reason: 'pays by letter', actor: 'ann' };
  await resolveAlert(scene.parts, { alert_id: String(alert?.alertId), ...said });
  expect(await missing(scene)).toEqual([]);
  expect((await runSteps(scene.parts, MONTH)).filter(({ state }) => state !== 'done')).toEqual([]);
});

test('who hears of pushes hears of what was told, and not of what was taken back', async () => {
  const scene = await told();
  const { parts, double, database } = scene;
  const hears = { url: 'https://billing.example.com/hook', events: null, actor: 'ann' };
  await addEndpoint({ ...parts, allowsPrivateWebhooks: false }, hears);
  await double.control.advanceClock(8 * DAY_MS);
  await push(scene);
  expect(await intents(scene)).toEqual(BILLED_BY_ITEM);

  await gatherEvents(parts, { withMissing: false });

  const keys = "select event_key from webhook_events where kind = 'period.pushed' order by 1";
  expect((await textRows(database, keys)).map((row) => row['event_key'])).toEqual([
    'period.pushed spl-testbook-acme-2026-10-01-usd-1',
    'period.pushed spl-testbook-acme-2026-10-01-usd-3',
  ]);
});

test('a subscription that is backdated afterwards bills nothing a second time', async () => {
  const scene = await told();
  const { double, parts, meter } = scene;
  await double.control.advanceClock(8 * DAY_MS);
  await push(scene);

  await parts.stripe.subscriptions.create({
    customer: 'cus_acme',
    items: [{ price: meter.priceId }],
    backdate_start_date: parseInstant('2026-10-01T00:00:00Z') / 1000,
    billing_cycle_anchor_config: { day_of_month: 1, hour: 0, minute: 0, second: 0 },
  });
  await double.control.advanceClock(3 * HOUR_MS);

  const invoices = (await parts.stripe.invoices.list({ customer: 'cus_acme' })).data;
  const [item] = await items(scene);
  expect(invoices.map(({ total }) => total).sort()).toEqual([0, item?.amount].sort());
  expect((await readAlerts(scene.database)).map(({ kind }) => kind)).toEqual(['no_subscription']);
  await expectBilledOnce(scene);
});

test.each([
  ['an hour', 1],
  ['two days', 48],
])(
  'answers that are lost while it is taken back bill nothing twice when it is pushed again after %s',
  async (_, hours) => {
    const scene = await told();
    const { control } = scene.double;
    await control.advanceClock(8 * DAY_MS);
    for (const kind of ['apply_then_reset', 'reset_before_apply'] as const) {
      control.injectFault({ kind, match: METER_EVENTS, times: 7 });
      await push(scene);
      control.clearFaults();
      await control.advanceClock(hours * HOUR_MS);
    }
    for (let run = 0; run < 4; run += 1) {
      await push(scene);
      await control.advanceClock(25 * HOUR_MS);
    }
    expect((await intents(scene)).filter((intent) => !intent.endsWith('missing'))).toEqual(
      BILLED_BY_ITEM,
    );
    await expectBilledOnce(scene);
  },
);

test('nothing is billed by an item while the summary still holds what was taken back', async () => {
  const scene = await told();
  const { control } = scene.double;
  await control.advanceClock(8 * DAY_MS);
  control.setSummaryLag(2 * HOUR_MS);

  const waits = await push(scene);

  expect(waits).toMatchObject({ state: 'skipped' });
  expect(waits?.detail).toContain('is still counted');
  expect(await items(scene)).toEqual([]);
  expect(await missing(scene)).toEqual(['untold', 'alert']);
  expect((await checkSummaries(scene.parts)).violations).toHaveLength(1);
  await control.advanceClock(2 * HOUR_MS);
  expect(await push(scene)).toMatchObject({ state: 'confirmed' });
  await expectBilledOnce(scene);
});

test('usage that a subscription bills is left to it, however late its invoice comes', async () => {
  const scene = await told({ withSubscriptions: true, withWebhooks: false });
  const [draft] = (await scene.parts.stripe.invoices.list({ customer: 'cus_acme' })).data;
  expect(draft?.status).toBe('draft');
  // The invoice is there, and no event told of it.
  await scene.double.control.advanceClock(8 * DAY_MS);
  expect(await push(scene)).toMatchObject({ state: 'confirmed' });
  expect(await intents(scene)).toEqual([TOLD]);
});

test('what is too old to be taken back is a matter for a person, which ends with the number of an invoice', async () => {
  const scene = await told();
  await scene.double.control.advanceClock(36 * DAY_MS);

  expect(await push(scene)).toMatchObject({ state: 'confirmed' });

  expect(await intents(scene)).toEqual([TOLD]);
  expect(await missing(scene)).toEqual(['alert']);
  const [alert] = await readOpenAlerts(scene.database, MONTH);
  expect(alert).toMatchObject({ kind: 'usage_left_on_meter', tenantId: 'acme' });
  const said = { reason: 'invoice R-17', actor: 'ann' };
  await resolveAlert(scene.parts, { alert_id: String(alert?.alertId), ...said });
  await push(scene);
  expect(await missing(scene)).toEqual([]);
});

test('what was told and is billed elsewhere is settled, taken back, and billed by nothing of Stripe', async () => {
  const scene = await told();
  const [period] = await textRows(
    scene.database,
    "select charge_total from audit.periods where tenant_id = 'acme'",
  );
  const request = { tenant_id: 'acme', month: MONTH, reason: 'R-17', actor: 'ann' };
  const amount = period?.['charge_total'] ?? '';
  await expect(settleMonth(scene.parts, { ...request, amount: '999' })).rejects.toThrow('is due');
  expect(await intents(scene)).toEqual([TOLD]);
  expect(await settleMonth(scene.parts, { ...request, amount })).toMatchObject({ due: '0' });
  expect(await brokenLaws(scene.database)).toEqual([]);

  expect(await push(scene)).toMatchObject({ state: 'confirmed' });
  await scene.double.control.advanceClock(9 * DAY_MS);
  expect(await push(scene)).toMatchObject({ state: 'confirmed' });

  expect(await intents(scene)).toEqual([TOLD, '-1 meter confirmed', '1 settled confirmed']);
  expect(await items(scene)).toEqual([]);
  expect(values(scene).reduce((sum, value) => sum + value, 0)).toBe(0);
  expect(await reconcileMonth(scene.parts, ofMonth(MONTH))).toMatchObject([
    { difference: 'none' },
    {},
  ]);
  expect(await missing(scene)).toEqual([]);
  await expect(settleMonth(scene.parts, { ...request, amount })).rejects.toThrow('is due');
});

test('what a final invoice or an invoice item bills is not settled elsewhere', async () => {
  const scene = await told({ withSubscriptions: true });
  await runSteps(scene.parts, MONTH);
  await scene.double.control.advanceClock(3 * HOUR_MS);
  const request = { tenant_id: 'acme', month: MONTH, amount: '1', reason: 'R-17', actor: 'ann' };
  await expect(settleMonth(scene.parts, request)).rejects.toThrow('of this period is final with');

  const other = await told({ tenants: [ACME] });
  await other.double.control.advanceClock(8 * DAY_MS);
  await push(other);
  await expect(settleMonth(other.parts, request)).rejects.toThrow(
    'cannot be settled: an invoice item',
  );
});

/** October told when a person had made its held draft final already, and nobody had heard of that. */
async function toldTooLate(subscriptions: number): Promise<BillingScene> {
  const scene = await openBillingScene({ withWebhooks: false });
  onTestFinished(scene.close);
  const { parts, double, meter } = scene;
  for (let more = 1; more < subscriptions; more += 1) {
    await parts.stripe.subscriptions.create({
      customer: 'cus_acme',
      items: [{ price: meter.priceId }],
      billing_cycle_anchor_config: { day_of_month: 2, hour: 0, minute: 0, second: 0 },
    });
  }
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  const [draft] = (await parts.stripe.invoices.list({ customer: 'cus_acme' })).data;
  await holdInvoice(parts, draft?.id ?? '');
  await parts.stripe.invoices.finalizeInvoice(draft?.id ?? '');
  await runSteps(parts, MONTH);
  expect(await intents(scene)).toEqual([TOLD]);
  expect((await readOpenAlerts(scene.database, MONTH)).map(({ kind }) => kind)).toEqual([
    'invoice_differs',
  ]);
  return scene;
}

test('what was told after its invoice was final is taken back and billed by an invoice item, and no person is asked any more', async () => {
  const scene = await toldTooLate(1);

  await runSteps(scene.parts, MONTH);

  expect(await intents(scene)).toEqual(BILLED_BY_ITEM);
  await scene.double.control.advanceClock(3 * HOUR_MS);
  expect((await runSteps(scene.parts, MONTH)).filter(({ state }) => state !== 'done')).toEqual([]);
  await expectBilledOnce(scene);
  expect(await missing(scene)).toEqual([]);
});

test('what another subscription may still bill, or a person has billed, stays on the meter', async () => {
  const other = await toldTooLate(2);
  await runSteps(other.parts, MONTH);
  expect(await intents(other)).toEqual([TOLD]);

  const scene = await toldTooLate(1);
  const [alert] = await readOpenAlerts(scene.database, MONTH);
  const said = { reason: 'invoice 7 of the bookkeeping', actor: 'ann' };
  await resolveAlert(scene.parts, { alert_id: String(alert?.alertId), ...said });
  await runSteps(scene.parts, MONTH);
  expect(await intents(scene)).toEqual([TOLD]);
});

test('what was told whole is settled no more after 35 days, and the refusal says which way is right', async () => {
  const scene = await told();
  await scene.double.control.advanceClock(40 * DAY_MS);
  const request = { tenant_id: 'acme', month: MONTH, amount: '6.24', reason: 'R-17', actor: 'ann' };
  const refused = await settleMonth(scene.parts, request).catch((error: Refusal) => error);
  expect(refused).toMatchObject({
    message: expect.stringContaining('cannot be settled: the period ended more than 35 days ago'),
  });
  expect(remedyText((refused as Refusal).remedy)).toMatch(
    /^all of it is told, so that no push bills it again.*"spanledger stripe resolve ALERT --reason …"/,
  );
});

test('what is to be taken back from a meter that is not active waits for it, and its row says so', async () => {
  const scene = await told();
  const { billing } = scene.parts.stripe;
  await scene.double.control.advanceClock(8 * DAY_MS);
  await billing.meters.deactivate(scene.meter.meterId);

  const row = await push(scene);

  expect(row).toMatchObject({ tenant_id: 'acme', state: 'refused' });
  expect(row?.detail).toContain('is not active in Stripe');
  await billing.meters.reactivate(scene.meter.meterId);
  expect(await push(scene)).toMatchObject({ state: 'confirmed' });
  expect(await intents(scene)).toEqual(BILLED_BY_ITEM);
  await expectBilledOnce(scene);
});
