import { expect, onTestFinished, test } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { nameMissing } from '../../../src/month/completeness/name-missing.ts';
import { pushMonth } from '../../../src/stripe/push-month.ts';
import { reconcileMonth } from '../../../src/stripe/reconcile-month.ts';
import { settleMonth } from '../../../src/stripe/settle-month.ts';
import { unsettleMonth } from '../../../src/stripe/unsettle-month.ts';
import { textRows } from '../../support/database.ts';
import { ofMonth } from '../../support/stripe.ts';
import { brokenLaws } from '../../support/worker.ts';
import type { BillingScene } from '../billing-scene.ts';
import { MONTH, openBillingScene } from '../billing-scene.ts';

const OCTOBER = { tenant_id: 'acme', month: MONTH, actor: 'ann' } as const;

/** October as it is closed, and told only where the push comes first. */
async function closed(at = '2026-11-01T00:30:00Z'): Promise<BillingScene> {
  const scene = await openBillingScene({ withSubscriptions: false });
  onTestFinished(scene.close);
  await scene.double.control.setClock(parseInstant(at));
  await closePeriods(scene.parts, { month: MONTH, tenant_id: null });
  return scene;
}

const push = async ({ parts }: BillingScene) =>
  (await pushMonth(parts, ofMonth(MONTH))).find((row) => row.tenant_id === 'acme');
const settle = ({ parts }: BillingScene, amount: string) =>
  settleMonth(parts, { ...OCTOBER, amount, reason: 'invoice R-17' });
const unsettle = ({ parts }: BillingScene, identifier: string, actor = 'ann') =>
  unsettleMonth(parts, { identifier, reason: 'R-17 was never sent', actor });
test('what was settled by mistake is billed by the next push, once', async () => {
  const scene = await closed();
  const { database, double, parts } = scene;
  const { identifier } = await settle(scene, '6.24');
  expect(await push(scene)).toMatchObject({ state: 'confirmed' });
  expect(double.control.meterEvents()).toEqual([]);

  const back = await unsettle(scene, identifier);
  expect(back).toMatchObject({ tenant_id: 'acme', period_start: '2026-10-01' });
  expect(back.due).toBe(back.taken_back);
  const [period] = await textRows(
    database,
    "select told from audit.periods where tenant_id = 'acme'",
  );
  expect(period).toEqual({ told: 'untold' });
  const missing = await nameMissing(parts, { month: MONTH, tenant_id: 'acme' });
  expect(missing.map(({ kind }) => kind)).toEqual(['untold']);
  expect(await reconcileMonth(parts, ofMonth(MONTH))).toMatchObject([
    { tenant_id: 'acme', difference: 'not_pushed', settled: '0' },
    {},
  ]);
  expect(await brokenLaws(database)).toEqual([]);

  for (let run = 0; run < 2; run += 1)
    expect(await push(scene)).toMatchObject({ state: 'confirmed' });
  expect(double.control.meterEvents().map(({ value }) => value)).toEqual([back.taken_back]);
  expect(await reconcileMonth(parts, ofMonth(MONTH))).toMatchObject([
    { tenant_id: 'acme', difference: 'none', settled: '0' },
    {},
  ]);
  expect(await brokenLaws(database)).toEqual([]);
  await expect(unsettle(scene, identifier)).rejects.toThrow('is taken back already');
  await expect(unsettle(scene, back.identifier)).rejects.toThrow('nothing that was settled has');
});

test('one of two settlements is taken back, and what is too old for the meter is billed by an item', async () => {
  const scene = await closed('2026-12-20T00:00:00Z');
  const first = await settle(scene, '1.00');
  const second = await settle(scene, '5.24');
  expect(second.due).toBe('0');
  expect(await unsettle(scene, first.identifier)).toMatchObject({
    taken_back: '1000000',
    due: '1000000',
  });

  expect(await push(scene)).toMatchObject({ state: 'confirmed' });
  expect(await push(scene)).toMatchObject({ state: 'confirmed' });
  const { data } = await scene.parts.stripe.invoiceItems.list({ customer: 'cus_acme' });
  expect(data.map(({ amount }) => amount)).toEqual([100]);
  expect(await brokenLaws(scene.database)).toEqual([]);
});

test('what says what a final invoice bills beyond the record stays', async () => {
  const scene = await closed();
  const { database } = scene;
  const { identifier, settled } = await settle(scene, '6.24');
  await database.pool.query(
    `insert into stripe_invoices (invoice_id, tenant_id, period_start, stripe_customer, state, quantity, amount, finalized_at)
     values ('in_before', 'acme', '2026-10-01', 'cus_acme', 'finalized', $1, 624, now())`,
    [settled],
  );
  await expect(unsettle(scene, identifier)).rejects.toThrow(
    /final invoices of this period \(in_before\) bill 6\.\d+ USD of the meter, of which 0\.000000 USD is on record/,
  );
  await database.pool.query("update stripe_invoices set state = 'void'");
  expect(await unsettle(scene, identifier)).toMatchObject({ taken_back: settled });
});

test('a settlement is taken back with a reason and a name', async () => {
  const scene = await closed();
  const { identifier } = await settle(scene, '6.24');
  await expect(unsettle(scene, identifier, ' ')).rejects.toThrow('needs a name');
  await unsettle(scene, identifier);
  const rows = await textRows(
    scene.database,
    "select last_answer from push_intents where destination = 'settled' order by sequence",
  );
  expect(rows.map(({ last_answer: says }) => says)).toEqual([
    'settled by ann: invoice R-17',
    'taken back by ann: R-17 was never sent',
  ]);
});

test('a part that is recorded once more with the same words is the same bill, until that is taken back', async () => {
  const scene = await closed();
  const first = await settle(scene, '3.12');
  // What is left comes to the same on a bill, and is a millionth less.
  expect(first).toMatchObject({ settled: '3120000', due: '3119715' });
  await expect(settle(scene, '3.12')).rejects.toThrow(
    `3.12 USD of tenant "acme" period 2026-10-01 is recorded as settled already, with the same reason (${first.identifier})`,
  );
  await unsettle(scene, first.identifier);
  await settle(scene, '3.12');
  await settleMonth(scene.parts, { ...OCTOBER, amount: '3.12', reason: 'invoice R-18' });

  expect(await push(scene)).toMatchObject({ state: 'confirmed' });
  expect(scene.double.control.meterEvents()).toEqual([]);
});
