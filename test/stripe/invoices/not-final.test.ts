import { expect, onTestFinished, test } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { nameMissing } from '../../../src/month/completeness/name-missing.ts';
import { readAlerts, readOpenAlerts } from '../../../src/push/alert-store.ts';
import { resolveAlert } from '../../../src/stripe/alerts/resolve-alert.ts';
import { releaseInvoices } from '../../../src/stripe/invoices/invoice.ts';
import { reconcileMonth } from '../../../src/stripe/reconcile-month.ts';
import { settleMonth } from '../../../src/stripe/settle-month.ts';
import { textRows } from '../../support/database.ts';
import { ofMonth } from '../../support/stripe.ts';
import type { BillingScene, SceneOptions } from '../billing-scene.ts';
import { customerOf, MONTH, openBillingScene, runSteps, runWholeMonth } from '../billing-scene.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

async function ended(options: SceneOptions = {}): Promise<BillingScene> {
  const scene = await openBillingScene(options);
  onTestFinished(scene.close);
  await scene.double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  return scene;
}

async function draftOf({ parts }: BillingScene): Promise<string> {
  const { data } = await parts.stripe.invoices.list({ customer: customerOf('acme') });
  return data.find(({ status }) => status === 'draft')?.id ?? '';
}

/** A month that is told and proven, and whose draft a person has kept from becoming final. */
async function keptDraft() {
  const scene = await ended();
  expect((await runWholeMonth(scene.parts, MONTH)).done).toBe(true);
  // Nothing is left of our own hold, so that who holds it now does so on purpose.
  await scene.double.control.advanceClock(HOUR_MS / 2);
  await releaseInvoices(scene.parts, { month: MONTH });
  const draft = await draftOf(scene);
  await scene.parts.stripe.invoices.update(draft, { auto_advance: false });
  return { scene, draft };
}

const alertsOf = async ({ database }: BillingScene) =>
  (await readAlerts(database)).map(({ kind, subject, resolvedBy }) => [kind, subject, resolvedBy]);

const intentsOf = ({ database }: BillingScene) =>
  textRows(database, 'select destination, value_micro from push_intents order by sequence');

const isDone = async ({ parts }: BillingScene) => (await runWholeMonth(parts, MONTH)).done;

test('a draft that stays one after it was let go is named until it is final, and nothing else bills it meanwhile', async () => {
  const { scene, draft } = await keptDraft();
  const { parts, double } = scene;
  await scene.stopWebhooks();
  const told = await intentsOf(scene);
  await double.control.advanceClock(70 * HOUR_MS);
  expect(await isDone(scene)).toBe(true);
  expect(await alertsOf(scene)).toEqual([]);

  for (const days of [1, 20]) {
    await double.control.advanceClock(days * DAY_MS);
    const { done, steps } = await runWholeMonth(parts, MONTH);
    expect(done).toBe(false);
    const said = steps.map(({ detail }) => detail).join('\n');
    expect(said).toContain(`invoice_not_final ${draft}: it was let go on 2026-11-01T00:30:00`);
    expect(said).toContain('its auto_advance is off again');
    expect(said.split('invoice_not_final')).toHaveLength(2);
  }
  const missing = await nameMissing(parts, { month: MONTH, tenant_id: null });
  expect(missing).toMatchObject([{ kind: 'unbilled', tenant_id: 'acme' }]);
  expect(await reconcileMonth(parts, ofMonth(MONTH))).toMatchObject([
    { tenant_id: 'acme', difference: 'invoice_wrong', explained: false },
    {},
  ]);
  expect(await intentsOf(scene)).toEqual(told);

  await parts.stripe.invoices.finalizeInvoice(draft);
  expect(await isDone(scene)).toBe(true);
  expect(await alertsOf(scene)).toEqual([['invoice_not_final', draft, 'spanledger']]);
  expect(await nameMissing(parts, { month: MONTH, tenant_id: null })).toEqual([]);
  expect(await scene.differences()).toEqual([]);
});

test('a draft that Stripe cannot finalize is named as soon as Stripe says so, and no more once it is final', async () => {
  const scene = await ended();
  const { parts, double } = scene;
  double.control.configure({ finalizationError: 'the address of the customer is not known' });
  expect(await isDone(scene)).toBe(true);
  const draft = await draftOf(scene);
  await double.control.advanceClock(2 * HOUR_MS);

  const [alert] = await readOpenAlerts(scene.database, MONTH);
  expect(alert).toMatchObject({ kind: 'invoice_not_final', subject: draft });
  expect(alert?.detail).toContain('the address of the customer is not known');
  expect(await isDone(scene)).toBe(false);

  double.control.configure({ finalizationError: null });
  await parts.stripe.invoices.finalizeInvoice(draft);
  await double.control.settle();
  expect(await alertsOf(scene)).toEqual([['invoice_not_final', draft, 'spanledger']]);
  expect(await isDone(scene)).toBe(true);
  expect(await scene.differences()).toEqual([]);
});

test('the invoice of an item that does not become final is named, too', async () => {
  const scene = await ended({ withSubscriptions: false });
  const { parts, double } = scene;
  await runSteps(parts, MONTH);
  await double.control.advanceClock(8 * DAY_MS);
  await runSteps(parts, MONTH);
  const draft = await draftOf(scene);
  await parts.stripe.invoices.update(draft, { auto_advance: false });
  await double.control.advanceClock(4 * DAY_MS);
  await runSteps(parts, MONTH);

  const open = await readOpenAlerts(scene.database, MONTH);
  expect(open.map(({ kind, subject }) => [kind, subject])).toContainEqual([
    'invoice_not_final',
    draft,
  ]);
  await parts.stripe.invoices.finalizeInvoice(draft);
  await double.control.settle();
  expect(await alertsOf(scene)).toContainEqual(['invoice_not_final', draft, 'spanledger']);
  expect(await scene.differences()).toEqual([]);
});

test('a draft whose period was billed elsewhere, or comes to nothing, is waited for by nobody', async () => {
  const { scene, draft } = await keptDraft();
  const { parts, double, database } = scene;
  await double.control.advanceClock(4 * DAY_MS);
  expect(await isDone(scene)).toBe(false);
  const [close] = await textRows(database, 'select charge_total from closes');
  const amount = (Number(close?.['charge_total']) / 100).toFixed(2);
  const who = { reason: 'transfer 7', actor: 'ann' };
  await settleMonth(parts, { tenant_id: 'acme', month: MONTH, amount, ...who });

  await runSteps(parts, MONTH);
  await double.control.advanceClock(2 * HOUR_MS);
  expect(await isDone(scene)).toBe(true);
  expect(await alertsOf(scene)).toEqual([['invoice_not_final', draft, 'spanledger']]);
  await parts.stripe.invoices.finalizeInvoice(draft);
  expect(await parts.stripe.invoices.retrieve(draft)).toMatchObject({ total: 0 });

  const nothing = await ended({ tenants: [{ tenantId: 'acme', calls: [] }] });
  expect(await isDone(nothing)).toBe(true);
  const [empty] = (await nothing.parts.stripe.invoices.list({ customer: customerOf('acme') })).data;
  await nothing.parts.stripe.invoices.update(empty?.id ?? '', { auto_advance: false });
  await nothing.double.control.advanceClock(20 * DAY_MS);
  expect(await isDone(nothing)).toBe(true);
  expect(await alertsOf(nothing)).toEqual([]);
});

test('what a person says of a draft that stays one holds', async () => {
  const { scene, draft } = await keptDraft();
  await scene.double.control.advanceClock(4 * DAY_MS);
  expect(await isDone(scene)).toBe(false);
  const [alert] = await readOpenAlerts(scene.database, MONTH);
  const by = { reason: 'they pay in December', actor: 'ann' };
  await resolveAlert(scene.parts, { alert_id: String(alert?.alertId), ...by });

  await scene.double.control.advanceClock(20 * DAY_MS);
  expect(await isDone(scene)).toBe(true);
  expect(await alertsOf(scene)).toEqual([['invoice_not_final', draft, 'ann']]);
});
