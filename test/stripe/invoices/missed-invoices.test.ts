import { expect, onTestFinished, test } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { readOpenAlerts } from '../../../src/push/alert-store.ts';
import { readInvoices } from '../../../src/stripe/invoices/invoice-store.ts';
import { pushMonth } from '../../../src/stripe/push-month.ts';
import { reconcileMonth } from '../../../src/stripe/reconcile-month.ts';
import { textRows } from '../../support/database.ts';
import { ofMonth } from '../../support/stripe.ts';
import { MONTH, openBillingScene } from '../billing-scene.ts';

async function closedAt(at: string) {
  const opened = await openBillingScene({ withWebhooks: false });
  onTestFinished(opened.close);
  await opened.double.control.setClock(parseInstant(at));
  await closePeriods(opened.parts, { month: MONTH, tenant_id: null });
  return opened;
}

test('an invoice that was final before its period was told, and of which no webhook told, leaves the period to an item', async () => {
  // A week later, when usage without an invoice is taken back, the meter would not take that any more.
  const { parts, database, double, differences } = await closedAt('2026-12-03T00:00:00Z');

  expect(await pushMonth(parts, ofMonth(MONTH))).toMatchObject([
    { tenant_id: 'acme', state: 'confirmed' },
    { tenant_id: 'unattributed', state: 'shadow' },
  ]);
  expect(await textRows(database, 'select destination, state from push_intents')).toEqual([
    { destination: 'invoice_item', state: 'confirmed' },
  ]);
  const rows = await reconcileMonth(parts, ofMonth(MONTH));
  expect(rows.map(({ difference }) => difference)).toEqual(['none', 'shadow']);
  await double.control.advanceClock(80 * 3_600_000);
  expect(await differences()).toEqual([]);
  expect(await readOpenAlerts(database, MONTH)).toEqual([]);
});

test('a draft of which no webhook told is held before its period is told', async () => {
  const { parts, database } = await closedAt('2026-11-01T00:30:00Z');

  await pushMonth(parts, ofMonth(MONTH));

  expect(await textRows(database, 'select destination, state from push_intents')).toEqual([
    { destination: 'meter', state: 'confirmed' },
  ]);
  const invoices = await readInvoices(database, { month: MONTH, tenantId: null });
  expect(invoices.map(({ state }) => state)).toEqual(['held']);
});
