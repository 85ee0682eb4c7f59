import { expect, onTestFinished, test } from 'vitest';
import { remedyText } from '../../../src/cli/terminal/commands-to-type.ts';
import { parseInstant } from '../../../src/clock.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { raiseAlert, readOpenAlerts } from '../../../src/push/alert-store.ts';
import { decideParked } from '../../../src/push/decide-parked.ts';
import { readTargets } from '../../../src/push/target-store.ts';
import type { Refusal } from '../../../src/refusal.ts';
import { resolveAlert } from '../../../src/stripe/alerts/resolve-alert.ts';
import { noteSubscriptionChange } from '../../../src/stripe/customers/customer-changes.ts';
import { pushPartsOf } from '../../../src/stripe/destinations.ts';
import { pushMonth } from '../../../src/stripe/push-month.ts';
import { reconcileMonth } from '../../../src/stripe/reconcile-month.ts';
import { settleMonth } from '../../../src/stripe/settle-month.ts';
import { textRows } from '../../support/database.ts';
import { receiveEvents } from '../../support/ledger.ts';
import { ofMonth } from '../../support/stripe.ts';
import type { BillingScene, SceneOptions } from '../billing-scene.ts';
import { MONTH, openBillingScene, runWholeMonth, usage } from '../billing-scene.ts';
import { backUp, restore } from '../restored-database.ts';

/** What an invoice bills already is billed by no invoice item, whoever died, was restored or was slow to hear of it. */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

async function closed(options: SceneOptions, at = '2026-11-01T00:30:00Z'): Promise<BillingScene> {
  const scene = await openBillingScene(options);
  onTestFinished(scene.close);
  await scene.double.control.setClock(parseInstant(at));
  await closePeriods(scene.parts, { month: MONTH, tenant_id: null });
  return scene;
}

const push = async ({ parts }: BillingScene) =>
  (await pushMonth(parts, ofMonth(MONTH))).find((row) => row.tenant_id === 'acme');
const intents = async ({ database }: BillingScene) =>
  (
    await textRows(
      database,
      'select destination, state, sign(value) as sign from audit.pushes order by identifier',
    )
  ).map((row) => `${row['sign']} ${row['destination']} ${row['state']}`);
const items = async ({ parts }: BillingScene) =>
  (await parts.stripe.invoiceItems.list({ customer: 'cus_acme', limit: 100 })).data;

const TOLD = '1 meter confirmed';

test.each([
  ['three days', 3],
  ['thirty-six days', 36],
])(
  'a ledger restored from before its push finds on the meter what its final invoice bills, after %s',
  async (_, days) => {
    const scene = await openBillingScene();
    onTestFinished(scene.close);
    const { control } = scene.double;
    await control.setClock(parseInstant('2026-10-31T23:00:00Z'));
    await backUp(scene.database);
    await control.setClock(parseInstant('2026-11-01T00:30:00Z'));
    await runWholeMonth(scene.parts, MONTH);
    await control.advanceClock(days * DAY_MS);
    await restore(scene.database);

    await runWholeMonth(scene.parts, MONTH);
    await control.advanceClock(3 * HOUR_MS);
    expect(await runWholeMonth(scene.parts, MONTH)).toMatchObject({ done: true, missing: [] });

    expect(await intents(scene)).toEqual([TOLD]);
    expect(await items(scene)).toEqual([]);
    expect(await scene.differences()).toEqual([]);
  },
);

test('what another ledger told of a period that is too old for the meter is named, and no item bills it', async () => {
  const scene = await closed({ withWebhooks: false }, '2026-12-10T00:00:00Z');
  const [target] = (await readTargets(scene.database, MONTH)).filter(
    ({ tenantId }) => tenantId === 'acme',
  );
  await scene.double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  await scene.parts.stripe.billing.meterEvents.create({
    event_name: scene.meter.eventName,
    identifier: 'another-ledger',
    payload: { stripe_customer_id: 'cus_acme', value: '7000000' },
    timestamp: Math.floor((target?.endsAt ?? 0) / 1000) - 1,
  });
  await scene.double.control.setClock(parseInstant('2026-12-10T00:00:00Z'));

  const row = await push(scene);

  expect(row).toMatchObject({ state: 'refused' });
  expect(row?.detail).toContain('already says 7000000');
  expect(await items(scene)).toEqual([]);
});

test('a take-back that was not sent is sent no more once an invoice bills the period', async () => {
  const scene = await closed({ withSubscriptions: false });
  const { parts, database } = scene;
  expect(await push(scene)).toMatchObject({ state: 'confirmed' });
  await reconcileMonth(parts, ofMonth(MONTH));
  await scene.double.control.advanceClock(8 * DAY_MS);
  // Another process has the customer, so that the take-back is only made.
  const other = await database.pool.connect();
  await other.query(
    `select pg_advisory_lock(hashtextextended('push:cus_acme ${scene.meter.eventName}', 0))`,
  );
  expect(await push(scene)).toMatchObject({ state: 'busy' });
  await other.query('select pg_advisory_unlock_all()');
  other.release();
  expect(await intents(scene)).toEqual([TOLD, '-1 meter pending']);
  // A person follows the alert that the customer has no subscription.
  await parts.stripe.subscriptions.create({
    customer: 'cus_acme',
    items: [{ price: scene.meter.priceId }],
    backdate_start_date: parseInstant('2026-10-01T00:00:00Z') / 1000,
    billing_cycle_anchor_config: { day_of_month: 1, hour: 0, minute: 0, second: 0 },
  });
  await scene.double.control.advanceClock(60_000);
  const [alert] = await readOpenAlerts(database, MONTH);
  const alert_id = String(alert?.alertId);
  await resolveAlert(parts, { alert_id, reason: 'it has one now', actor: 'ann' });

  await runWholeMonth(parts, MONTH);
  await scene.double.control.advanceClock(3 * HOUR_MS);
  expect(await runWholeMonth(parts, MONTH)).toMatchObject({ done: true, missing: [] });

  expect(await intents(scene)).toEqual([TOLD, '-1 meter missing']);
  expect(await items(scene)).toEqual([]);
  expect(await scene.differences()).toEqual([]);
});

test('a settlement that is broken off takes nothing back', async () => {
  const scene = await closed({ withSubscriptions: false });
  const { parts, database } = scene;
  await push(scene);
  await reconcileMonth(parts, ofMonth(MONTH));
  await database.pool.query(`
    create function break_off() returns trigger language plpgsql as $$ begin raise 'broken off'; end $$;
    create trigger break_off before insert on push_intents for each row
      when (new.destination = 'settled') execute function break_off()`);
  onTestFinished(async () => {
    await database.pool.query('drop trigger if exists break_off on push_intents');
    await database.pool.query('drop function if exists break_off()');
  });
  const [period] = await textRows(
    database,
    "select charge_total from audit.periods where tenant_id = 'acme'",
  );
  const amount = period?.['charge_total'] ?? '';
  const request = { tenant_id: 'acme', month: MONTH, reason: 'R-17', actor: 'ann', amount };

  await expect(settleMonth(parts, request)).rejects.toThrow('broken off');

  expect(await intents(scene)).toEqual([TOLD]);
});

test('what a final invoice bills of the meter is billed by no item, though the meter counts it no more', async () => {
  const scene = await closed({});
  await runWholeMonth(scene.parts, MONTH);
  await scene.double.control.advanceClock(3 * HOUR_MS);
  await runWholeMonth(scene.parts, MONTH);
  const { parts, database } = scene;
  const [target] = (await readTargets(database, MONTH)).filter(
    ({ tenantId }) => tenantId === 'acme',
  );
  if (target === undefined) throw new Error('acme has a closed period');
  const item = (await pushPartsOf(parts)).destinations.find(({ kind }) => kind === 'invoice_item');
  const { billableMicro: valueMicro } = target;
  const eventTimestamp = Math.floor(target.endsAt / 1000) - 1;
  const address = { customer: 'cus_acme', channel: 'items' };
  const look = () => item?.lookAt({ target, valueMicro, eventTimestamp, ...address });
  // What is on record as told explains the invoice.
  expect(await look()).toBeNull();
  await database.keeper.pool.query("update push_intents set state = 'missing'");

  const found = await look();
  expect(found?.fault).toContain(`bill ${valueMicro} micro of the meter, and 0 of it`);
  expect(found?.remedy?.join('')).toContain('bill nothing more');
  // A person has credited it, and says so.
  const [invoice] = await textRows(database, 'select invoice_id from stripe_invoices');
  const subject = invoice?.['invoice_id'] ?? '';
  const about = { kind: 'invoice_differs', subject, tenantId: 'acme', periodStart: '2026-10-01' };
  await raiseAlert(database, { ...about, detail: 'it bills what is on no record' }, parts.clock());
  const [alert] = await readOpenAlerts(database, MONTH);
  const alert_id = String(alert?.alertId);
  const said = { alert_id, reason: 'credited', actor: 'ann' };
  const refused = await resolveAlert(parts, said).catch((error: Refusal) => error);
  expect(refused).toMatchObject({
    message: expect.stringMatching(/is neither told nor settled, and once alert \d+ is resolved/),
  });
  const remedy = remedyText((refused as Refusal).remedy);
  expect(remedy).toContain('"spanledger stripe settled acme 2026-10 --amount … --reason …"');
  expect(remedy).toContain(`stripe resolve ${alert_id} --reason … --nothing-else-billed"`);
  await resolveAlert(parts, { ...said, nothing_else_billed: true });
  expect(await look()).toBeNull();
});

test('a subscription that ends makes the meter no promise that a final invoice, of which nobody told, cannot keep', async () => {
  const scene = await closed({ withWebhooks: false }, '2026-12-03T00:00:00Z');
  const { stripe } = scene.parts;
  const [subscription] = (await stripe.subscriptions.list({ customer: 'cus_acme' })).data;
  const ended = await stripe.subscriptions.cancel(subscription?.id ?? '');

  await noteSubscriptionChange(scene.parts, ended);

  expect(await intents(scene)).toEqual(['1 invoice_item confirmed']);
});

/** What a person does with the alert that the final invoice differs. */
async function resolveDifference({ parts, database }: BillingScene): Promise<void> {
  const alerts = await readOpenAlerts(database, MONTH);
  const alert = alerts.find(({ kind }) => kind === 'invoice_differs');
  const alert_id = String(alert?.alertId);
  const said = { alert_id, reason: 'credited', actor: 'ann', nothing_else_billed: true };
  await resolveAlert(parts, said);
}

test('what something else put on a final invoice keeps the period from no item, once a person has settled it', async () => {
  const scene = await closed({});
  const { stripe } = scene.parts;
  await stripe.billing.meterEvents.create({
    event_name: scene.meter.eventName,
    identifier: 'another-program',
    payload: { stripe_customer_id: 'cus_acme', value: '7000000' },
    timestamp: parseInstant('2026-10-31T12:00:00Z') / 1000,
  });
  const [draft] = (await stripe.invoices.list({ customer: 'cus_acme' })).data;
  await stripe.invoices.finalizeInvoice(draft?.id ?? '');
  await scene.double.control.advanceClock(60_000);
  expect(await push(scene)).toMatchObject({ state: 'refused' });

  await resolveDifference(scene);

  expect(await push(scene)).toMatchObject({ state: 'confirmed' });
  expect(await intents(scene)).toEqual(['1 invoice_item confirmed']);
});

test('what was settled and is on a final invoice all the same is named until a person has settled that', async () => {
  const scene = await closed({});
  await runWholeMonth(scene.parts, MONTH);
  const [period] = await textRows(
    scene.database,
    "select charge_total from audit.periods where tenant_id = 'acme'",
  );
  const amount = period?.['charge_total'] ?? '';
  const request = { tenant_id: 'acme', month: MONTH, reason: 'R-17', actor: 'ann', amount };
  await settleMonth(scene.parts, request);
  await scene.double.control.advanceClock(3 * HOUR_MS);
  const refused = await push(scene);
  expect(refused).toMatchObject({ state: 'refused' });
  expect(refused?.detail).toContain('more than is due is told and settled together');
  expect(refused?.remedy).not.toBeNull();

  await resolveDifference(scene);

  expect(await push(scene)).toMatchObject({ state: 'confirmed' });
  expect(await intents(scene)).toEqual([TOLD, '-1 meter missing', '1 settled confirmed']);
  expect(await items(scene)).toEqual([]);
});

const settle = ({ parts }: BillingScene, amount: string) =>
  settleMonth(parts, { tenant_id: 'acme', month: MONTH, reason: 'R-17', actor: 'ann', amount });
const difference = async ({ parts }: BillingScene) =>
  (await reconcileMonth(parts, ofMonth(MONTH))).find(({ tenant_id }) => tenant_id === 'acme')
    ?.difference;

/** A ledger restored from before its push, with more usage of the month since: 6.24 was told, and 15.67 is due. */
async function restoredWithMore(): Promise<BillingScene> {
  const scene = await openBillingScene();
  onTestFinished(scene.close);
  const { control } = scene.double;
  await control.setClock(parseInstant('2026-11-01T00:10:00Z'));
  await backUp(scene.database);
  await control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  await runWholeMonth(scene.parts, MONTH);
  await control.setClock(parseInstant('2026-11-01T00:45:00Z'));
  await restore(scene.database);
  const more = usage('acme', { tokens: 2_000_000, index: 77 });
  await receiveEvents(scene.database, [more], '2026-11-01T00:45:00Z');
  await runWholeMonth(scene.parts, MONTH);
  expect((await push(scene))?.detail).toContain('already says 6239715');
  await control.setClock(parseInstant('2026-11-05T06:45:00Z'));
  await runWholeMonth(scene.parts, MONTH);
  return scene;
}

test('what a final invoice bills of a restored period is settled, and an item bills the rest alone', async () => {
  const scene = await restoredWithMore();
  const refused = await push(scene);
  expect(refused).toMatchObject({ state: 'refused' });
  expect(JSON.stringify(refused?.remedy)).toContain('stripe settled');

  await settle(scene, '6.24');
  await push(scene);
  await resolveDifference(scene);
  await scene.double.control.advanceClock(5 * HOUR_MS);

  expect(await runWholeMonth(scene.parts, MONTH)).toMatchObject({ done: true, missing: [] });
  expect((await items(scene)).map(({ amount }) => amount)).toEqual([943]);
  expect(await difference(scene)).toBe('none');
});

test('a period that was settled whole, whatever its final invoice bills, comes to its end', async () => {
  const scene = await restoredWithMore();

  const { identifier } = await settle(scene, '15.67');
  const unpark = decideParked(await pushPartsOf(scene.parts), { identifier });
  await expect(unpark).rejects.toThrow('is what a person settled, which no count holds');
  await resolveDifference(scene);
  await scene.double.control.advanceClock(5 * HOUR_MS);

  expect(await runWholeMonth(scene.parts, MONTH)).toMatchObject({ done: true, missing: [] });
  expect(await items(scene)).toEqual([]);
  expect(await difference(scene)).toBe('none');
});

test('what something else put on a final invoice is foreign usage until a person has settled it, and no longer', async () => {
  const scene = await closed({});
  const { stripe } = scene.parts;
  expect(await push(scene)).toMatchObject({ state: 'confirmed' });
  await stripe.billing.meterEvents.create({
    event_name: scene.meter.eventName,
    identifier: 'another-program',
    payload: { stripe_customer_id: 'cus_acme', value: '7000000' },
    timestamp: parseInstant('2026-10-31T12:00:00Z') / 1000,
  });
  const [draft] = (await stripe.invoices.list({ customer: 'cus_acme' })).data;
  await stripe.invoices.finalizeInvoice(draft?.id ?? '');
  await scene.double.control.advanceClock(2 * HOUR_MS);
  expect(await difference(scene)).toBe('foreign_usage');

  await resolveDifference(scene);

  expect(await difference(scene)).toBe('excused');
  expect(await runWholeMonth(scene.parts, MONTH)).toMatchObject({ done: true, missing: [] });
});
