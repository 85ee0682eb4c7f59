import { expect, onTestFinished, test } from 'vitest';
import { remedyText } from '../../../src/cli/terminal/commands-to-type.ts';
import { parseInstant } from '../../../src/clock.ts';
import { nameMissing } from '../../../src/month/completeness/name-missing.ts';
import { readAlerts, readOpenAlerts } from '../../../src/push/alert-store.ts';
import { listAlerts } from '../../../src/stripe/alerts/list-alerts.ts';
import { resolveAlert } from '../../../src/stripe/alerts/resolve-alert.ts';
import { textRows } from '../../support/database.ts';
import { makeTenant } from '../../support/ledger.ts';
import { customerOf, MONTH, openBillingScene, runSteps } from '../billing-scene.ts';

const HOUR_MS = 3_600_000;

/** A month that has ended, with a fee on the draft of its invoice, so that the invoice is not zero without usage. */
async function endedWithFee() {
  const scene = await openBillingScene();
  onTestFinished(scene.close);
  const { stripe } = scene.parts;
  await stripe.invoiceItems.create({
    ...{ customer: customerOf('acme'), amount: 2000, currency: 'usd', description: 'fee' },
  });
  await scene.double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  const [draft] = (await stripe.invoices.list({ customer: customerOf('acme') })).data;
  return { ...scene, id: draft?.id ?? '' };
}

test('a credit hides nothing of what an invoice lacks, and is no account of it', async () => {
  const scene = await endedWithFee();
  const { parts, double, database, id } = scene;
  // given a held draft that somebody makes final and credits, of which no event tells
  await scene.stopWebhooks();
  await parts.stripe.invoices.finalizeInvoice(id);
  await parts.stripe.creditNotes.create({ invoice: id, amount: 500 });
  await runSteps(parts, MONTH);
  const open = await readOpenAlerts(database, MONTH);
  expect(open.map(({ kind, subject }) => [kind, subject])).toEqual([
    ['invoice_credited', id],
    ['invoice_differs', id],
  ]);
  const [, differs] = await listAlerts(parts, { all: false });
  expect(remedyText(differs?.remedy ?? [])).toMatch(
    /^run "spanledger push 2026-10" before you bill anything/,
  );

  const alert_id = String(open[0]?.alertId);
  await resolveAlert(parts, { alert_id, reason: 'goodwill on the fee', actor: 'ann' });
  for (const hours of [25, 2, 2]) {
    await double.control.advanceClock(hours * HOUR_MS);
    await runSteps(parts, MONTH);
  }

  expect(await scene.differences()).toEqual([]);
  expect(await readOpenAlerts(database, MONTH)).toEqual([]);
});

test('an invoice that is void before its period is closed promises no item, since none is made', async () => {
  const { parts, double, database, id } = await endedWithFee();
  await parts.stripe.invoices.finalizeInvoice(id);
  await double.control.settle();
  const kinds = async () =>
    (await readAlerts(database)).map(({ kind, resolvedBy }) => [kind, resolvedBy]);
  expect(await kinds()).toEqual([['invoice_final_too_early', null]]);

  await parts.stripe.invoices.voidInvoice(id);
  await double.control.settle();

  const both = [
    ['invoice_final_too_early', 'spanledger'],
    ['invoice_void', null],
  ];
  expect(await kinds()).toEqual(both);
  for (const hours of [0, 2, 24 * 10]) {
    await double.control.advanceClock(hours * HOUR_MS);
    await runSteps(parts, MONTH);
  }
  expect(await kinds()).toEqual(both);
  const destinations = await textRows(database, 'select distinct destination from push_intents');
  expect(destinations).toEqual([{ destination: 'meter' }]);
  const missing = await nameMissing(parts, { month: MONTH, tenant_id: null });
  expect(missing.map(({ kind }) => kind)).toEqual(['on_voided_invoice']);
});

test('an invoice that was final before its period was closed in shadow lacks nothing, and promises nothing', async () => {
  const { parts, double, database, id } = await endedWithFee();
  await parts.stripe.invoices.finalizeInvoice(id);
  await double.control.settle();
  expect((await readOpenAlerts(database, MONTH)).map(({ kind }) => kind)).toEqual([
    'invoice_final_too_early',
  ]);

  await makeTenant(database, 'acme', { mode: 'shadow' });
  const steps = await runSteps(parts, MONTH);

  expect(steps.filter(({ state }) => state !== 'done')).toEqual([]);
  expect(await readOpenAlerts(database, MONTH)).toEqual([]);
});
