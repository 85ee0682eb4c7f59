import { expect, onTestFinished, test, vi } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { readOpenAlerts } from '../../src/push/alert-store.ts';
import { openPushLocks } from '../../src/push/push-lock-store.ts';
import { saveMeter } from '../../src/stripe/meters/meter-store.ts';
import { setUpMeter } from '../../src/stripe/meters/set-up-meter.ts';
import { pushMonth } from '../../src/stripe/push-month.ts';
import { reconcileMonth } from '../../src/stripe/reconcile-month.ts';
import { unparkIntent } from '../../src/stripe/unpark-intent.ts';
import { count, textRows } from '../support/database.ts';
import { importBook, makeTenant, receiveEvents, sharedBook } from '../support/ledger.ts';
import { ofMonth } from '../support/stripe.ts';
import { setIntentsBack } from '../support/tamper.ts';
import type { BillingScene, SceneOptions } from './billing-scene.ts';
import { ACME, customerOf, MONTH, openBillingScene, usage } from './billing-scene.ts';

const HOUR_MS = 3_600_000;
const METER_EVENTS = { method: 'POST', path: '/v1/billing/meter_events' };
const INTENTS = 'select identifier, state from audit.pushes order by identifier';

/** October closed, nothing pushed. */
async function closed(options: SceneOptions = {}, at = '2026-11-01T00:30:00Z') {
  const opened = await openBillingScene({
    withSubscriptions: false,
    withWebhooks: false,
    ...options,
  });
  onTestFinished(opened.close);
  await opened.double.control.setClock(parseInstant(at));
  const { database, clock } = opened.parts;
  await closePeriods({ database, clock }, { month: MONTH, tenant_id: null });
  return opened;
}

const ofAcme = async ({ parts }: BillingScene) =>
  (await pushMonth(parts, ofMonth(MONTH))).find((row) => row.tenant_id === 'acme');

test('an event that never arrived is missing only after its absence has lasted a day, and is told anew', async () => {
  const scene = await closed();
  const { double, database } = scene;
  double.control.injectFault({ kind: 'reset_before_apply', match: METER_EVENTS, times: 5 });

  expect(await ofAcme(scene)).toMatchObject({ state: 'sent' });
  await double.control.advanceClock(23 * HOUR_MS);
  expect(await ofAcme(scene)).toMatchObject({ state: 'ambiguous' });
  await double.control.advanceClock(23 * HOUR_MS);
  expect(await ofAcme(scene)).toMatchObject({ state: 'ambiguous' });
  await double.control.advanceClock(HOUR_MS);
  expect(await ofAcme(scene)).toMatchObject({ state: 'confirmed' });

  expect(await textRows(database, INTENTS)).toEqual([
    { identifier: 'spl-testbook-acme-2026-10-01-usd-1', state: 'missing' },
    { identifier: 'spl-testbook-acme-2026-10-01-usd-2', state: 'confirmed' },
  ]);
  expect(double.control.meterEvents().map((event) => event.identifier)).toEqual([
    'spl-testbook-acme-2026-10-01-usd-2',
  ]);
});

test('an event that arrived without an answer is found in the summary in the same run', async () => {
  const scene = await closed();
  scene.double.control.injectFault({ kind: 'stored_500', applied: true, match: METER_EVENTS });

  expect(await ofAcme(scene)).toMatchObject({ state: 'confirmed' });
  expect(scene.double.control.meterEvents()).toHaveLength(1);
});

test('a refusal of an inactive meter that Stripe replays concerns one tenant and not all', async () => {
  const scene = await closed({ tenants: [ACME, { tenantId: 'globex', calls: [5_000_000] }] });
  const { double, parts, meter, database } = scene;
  const key = { idempotencyKey: 'spl-testbook-acme-2026-10-01-usd-1' };
  await pushMonth(parts, ofMonth(MONTH, { dry_run: true }));
  const { database: _, ...rest } = parts;
  expect(rest.livemode).toBe(false);
  // given the first request met an inactive meter, although the check before it had found it active
  const value = (
    await textRows(
      database,
      "select trunc(billable_micro)::text as v from closes where tenant_id = 'acme'",
    )
  )[0]?.['v'];
  await parts.stripe.billing.meters.deactivate(meter.meterId);
  const body = {
    event_name: meter.eventName,
    identifier: key.idempotencyKey,
    timestamp: parseInstant('2026-10-31T23:59:59Z') / 1000,
    payload: { stripe_customer_id: customerOf('acme'), value: value ?? '' },
  };
  await expect(parts.stripe.billing.meterEvents.create(body, key)).rejects.toThrow(
    'No active meter',
  );

  // then a push refuses at once while the meter is inactive, with nothing sent
  await expect(pushMonth(parts, ofMonth(MONTH))).rejects.toThrow('is not active in Stripe');
  expect(await count(database, 'push_intents')).toBe(0);

  // and once it is active again, only the replayed one waits
  await parts.stripe.billing.meters.reactivate(meter.meterId);
  const results = await pushMonth(parts, ofMonth(MONTH));
  const states = Object.fromEntries(results.map((row) => [row.tenant_id, row.state]));
  expect(states).toMatchObject({ acme: 'sent', globex: 'confirmed' });
  expect(double.control.meterEvents().map((event) => event.customer)).toEqual(['cus_globex']);
});

test('an inactive meter holds up the tenants of its currency, and nobody else', async () => {
  const scene = await openBillingScene({ withSubscriptions: false, withWebhooks: false });
  onTestFinished(scene.close);
  const { parts, double, database } = scene;
  await importBook(database, {
    ...Object(sharedBook('standard')),
    ...{ book: 'euro', currency: 'EUR' },
  });
  double.control.addCustomer({ id: customerOf('euro') });
  const euro = { mode: 'live', priceBook: 'euro', stripeCustomer: customerOf('euro') } as const;
  await makeTenant(database, 'euro', euro);
  await receiveEvents(database, [usage('euro', { tokens: 5_000_000, index: 1 })]);
  const meter = await setUpMeter(parts.stripe, 'EUR');
  await saveMeter(database, meter, { livemode: false, account: null, at: parts.clock() });
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  await closePeriods(parts, { month: MONTH, tenant_id: null });
  await parts.stripe.billing.meters.deactivate(meter.meterId);

  const [acme, ofEuro] = await pushMonth(parts, ofMonth(MONTH));

  expect(acme).toMatchObject({ tenant_id: 'acme', state: 'confirmed' });
  expect(ofEuro).toMatchObject({ tenant_id: 'euro', state: 'refused' });
  expect(ofEuro?.detail).toContain('(spanledger_usage_eur) is not active in Stripe');
  // A second run finds nothing else open, and still says of each what became of it.
  expect((await pushMonth(parts, ofMonth(MONTH))).slice(0, 2)).toMatchObject([
    { tenant_id: 'acme', state: 'confirmed' },
    { tenant_id: 'euro', state: 'refused', detail: ofEuro?.detail },
  ]);
  await parts.stripe.billing.meters.reactivate(meter.meterId);
  expect((await pushMonth(parts, ofMonth(MONTH))).slice(0, 2)).toMatchObject([
    { state: 'confirmed' },
    { state: 'confirmed' },
  ]);
  expect(double.control.meterEvents().map(({ customer }) => customer)).toEqual([
    customerOf('acme'),
    customerOf('euro'),
  ]);
});

test('a dry run says where what was never sent would go by now', async () => {
  const scene = await closed();
  const { parts, double, database, meter } = scene;
  await parts.stripe.billing.meterEvents.create({
    ...{ event_name: meter.eventName, identifier: 'foreign' },
    timestamp: parseInstant('2026-10-31T23:59:59Z') / 1000,
    payload: { stripe_customer_id: customerOf('acme'), value: '7' },
  });
  expect(await ofAcme(scene)).toMatchObject({ state: 'refused' });
  expect(await textRows(database, INTENTS)).toMatchObject([{ state: 'pending' }]);
  double.control.addCustomer({ id: 'cus_new' });
  await makeTenant(database, 'acme', { stripeCustomer: 'cus_new' });
  const planned = async () =>
    (await pushMonth(parts, ofMonth(MONTH, { dry_run: true })))[0]?.detail ?? '';

  expect(await planned()).toMatch(/-1 \(pending\) 6\.239715 USD to cus_new$/);
  await double.control.advanceClock(40 * 24 * HOUR_MS);
  expect(await planned()).toMatch(/-1 \(pending\) 6\.239715 USD to cus_new by an invoice item$/);
});

test('a dry run says what would be sent, and sends and writes nothing', async () => {
  const { parts, double, database } = await closed({
    tenants: [ACME, { tenantId: 'dark', mode: 'shadow' }, { tenantId: 'idle', calls: [] }],
  });
  const writes = () => double.control.requests().filter(({ method }) => method !== 'GET').length;
  const before = writes();

  const results = await pushMonth(parts, ofMonth(MONTH, { dry_run: true }));

  expect(results.map((row) => [row.tenant_id, row.state])).toEqual([
    ['acme', 'would_send'],
    ['dark', 'shadow'],
    ['idle', 'nothing_due'],
    ['unattributed', 'shadow'],
  ]);
  expect(results[0]?.detail).toMatch(
    /^spl-testbook-acme-2026-10-01-usd-1 \(new\) 6\.239715 USD to cus_acme$/,
  );
  expect(writes()).toBe(before);
  expect(await count(database, 'push_intents')).toBe(0);
});

test('a dry run says where a push would begin, and which intents would only be compared', async () => {
  const late = await closed({}, '2026-12-05T23:30:00Z');
  const [billed] = await pushMonth(late.parts, ofMonth(MONTH, { dry_run: true }));
  expect(billed).toMatchObject({ tenant_id: 'acme', state: 'would_send' });
  expect(billed?.detail).toContain('to cus_acme by an invoice item');

  const scene = await closed();
  scene.double.control.injectFault({ kind: 'reset_before_apply', match: METER_EVENTS, times: 10 });
  await ofAcme(scene);
  await scene.double.control.advanceClock(23 * HOUR_MS);
  const [acme] = await pushMonth(scene.parts, ofMonth(MONTH, { dry_run: true }));
  expect(acme?.state).toBe('would_send');
  expect(acme?.detail).toContain("-usd-1 (sent, compared with Stripe's summary and not sent)");
});

test('a customer that the key does not know is refused by the name of its tenant, and nothing is sent', async () => {
  const scene = await closed({ tenants: [ACME, { tenantId: 'globex' }] });
  await scene.database.pool.query(
    "update tenants set stripe_customer = 'cus_live' where tenant_id = 'acme'",
  );

  const results = await pushMonth(scene.parts, ofMonth(MONTH));

  const [acme, globex] = results;
  expect([acme?.state, globex?.state]).toEqual(['refused', 'confirmed']);
  expect(acme?.detail).toContain('cus_live of tenant "acme" does not exist in test mode');
  expect(scene.double.control.meterEvents()).toHaveLength(1);
});

test('a push with a key of the other mode is refused where the first mode was told already', async () => {
  const scene = await closed();
  await ofAcme(scene);
  await setIntentsBack(
    scene.database,
    `update push_intents set state = 'sent';
     insert into stripe_meters select currency, true, event_name, meter_id, product_id, price_id, set_up_at from stripe_meters`,
  );

  const results = await pushMonth({ ...scene.parts, livemode: true }, ofMonth(MONTH));

  expect(results[0]?.state).toBe('refused');
  expect(results[0]?.detail).toContain('was made with a test key');
});

test('what a key of test mode told is no push by one of live mode', async () => {
  const scene = await closed();
  expect(await ofAcme(scene)).toMatchObject({ state: 'confirmed' });

  const [acme] = await pushMonth({ ...scene.parts, livemode: true }, ofMonth(MONTH));

  expect(acme).toMatchObject({ state: 'refused' });
  expect(acme?.detail).toContain('was made with a test key and STRIPE_API_KEY is of live mode');
  expect(await ofAcme(scene)).toMatchObject({ state: 'confirmed' });
});

test('two processes push at once, and each customer is told once', async () => {
  const tenants = Array.from({ length: 12 }, (_, index) => ({
    tenantId: `t${index}`,
    calls: [9_999],
  }));
  const scene = await closed({ tenants });
  scene.double.control.configure({ latencyMs: 2 });

  const both = await Promise.all([
    pushMonth(scene.parts, ofMonth(MONTH)),
    pushMonth(scene.parts, ofMonth(MONTH)),
  ]);

  expect(scene.double.control.meterEvents()).toHaveLength(12);
  expect(scene.double.control.requests().filter((request) => request.status === 409)).toEqual([]);
  const states = new Set(both.flat().map((row) => row.state));
  expect([...states].filter((state) => !['confirmed', 'busy', 'shadow'].includes(state))).toEqual(
    [],
  );
});

test('a pool of two connections is enough for any number of tenants', async () => {
  const tenants = Array.from({ length: 20 }, (_, index) => ({
    tenantId: `t${index}`,
    calls: [9_999],
  }));
  const scene = await closed({ tenants });
  const { rows } = await scene.database.pool.query<{ name: string }>(
    'select current_database() as name',
  );
  const url = new URL(String(scene.database.pool.options.connectionString));
  url.pathname = `/${rows[0]?.name}`;
  const small = openDatabase({ url: url.href, connections: 2, onConnectionLost: () => {} });
  onTestFinished(() => closeDatabase(small));

  const results = await pushMonth({ ...scene.parts, database: small }, ofMonth(MONTH));

  expect(results.filter((row) => row.state === 'confirmed')).toHaveLength(20);
});

test('locks go with their connection, and whoever lost them knows', async () => {
  const { database } = await closed();
  const first = await openPushLocks(database);
  const second = await openPushLocks(database);
  const inside = await first.whileAlone('a', () => second.whileAlone('a', async () => 'both'));
  expect(inside).toBeNull();
  expect(await first.whileAlone('b', () => first.whileAlone('b', async () => 'twice'))).toBeNull();
  expect(await second.whileAlone('a', async () => 'alone')).toBe('alone');

  await database.pool.query(
    `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'
        and database = (select oid from pg_database where datname = current_database())`,
  );
  await first.whileAlone('c', async () => {
    await database.pool.query(
      `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'
        and database = (select oid from pg_database where datname = current_database())`,
    );
    await vi.waitFor(() => expect(first.areLost()).toBe(true));
  });
  await first.close();
  await second.close();
});

test('what foreign usage kept from being decided is confirmed by a person, once that is gone', async () => {
  const opened = await closed();
  const { parts, meter, double, database } = opened;
  double.control.injectFault({ kind: 'apply_then_reset', times: 40, match: METER_EVENTS });
  // Its answers are lost, and the summary that would show it lags.
  double.control.setSummaryLag(HOUR_MS);
  await pushMonth(parts, ofMonth(MONTH));
  double.control.clearFaults();
  await parts.stripe.billing.meterEvents.create({
    event_name: meter.eventName,
    identifier: 'foreign',
    timestamp: parseInstant('2026-10-20T00:00:00Z') / 1000,
    payload: { stripe_customer_id: 'cus_acme', value: '7' },
  });
  await double.control.advanceClock(23 * HOUR_MS);

  const parked = await ofAcme(opened);
  const identifier = 'spl-testbook-acme-2026-10-01-usd-1';
  expect(parked).toMatchObject({
    state: 'parked',
    remedy: expect.arrayContaining([{ operation: 'stripe unpark', identifier }]),
  });
  await expect(unparkIntent(parts, { identifier })).rejects.toThrow('proves neither');
  await parts.stripe.billing.meterEventAdjustments.create({
    event_name: meter.eventName,
    type: 'cancel',
    cancel: { identifier: 'foreign' },
  });

  expect(await unparkIntent(parts, { identifier })).toMatchObject({ state: 'confirmed' });

  expect((await ofAcme(opened))?.state).toBe('confirmed');
  expect(await readOpenAlerts(database, null)).toEqual([]);
  expect(double.control.meterEvents().filter((event) => !event.canceled)).toHaveLength(1);
});

test('reconcile tells a value counted twice from usage that is not ours', async () => {
  const scene = await closed({ tenants: [ACME, { tenantId: 'globex' }] });
  const { parts, meter } = scene;
  await pushMonth(parts, ofMonth(MONTH));
  const [acme] = scene.double.control.meterEvents();
  const also = (customer: string, value: string) =>
    parts.stripe.billing.meterEvents.create({
      event_name: meter.eventName,
      timestamp: parseInstant('2026-10-20T00:00:00Z') / 1000,
      payload: { stripe_customer_id: customer, value },
    });
  await also('cus_acme', acme?.value ?? '');
  await also('cus_globex', '7');

  const rows = await reconcileMonth(parts, ofMonth(MONTH));

  expect(rows.slice(0, 2).map((row) => [row.tenant_id, row.difference, row.explained])).toEqual([
    ['acme', 'duplicate', false],
    ['globex', 'foreign_usage', false],
  ]);
});

test('reconcile reads one summary for each live tenant, an idle one too, and none for the others', async () => {
  const scene = await closed({
    tenants: [
      ACME,
      { tenantId: 'globex' },
      { tenantId: 'dark', mode: 'shadow' },
      { tenantId: 'idle', calls: [] },
    ],
  });
  await pushMonth(scene.parts, ofMonth(MONTH));
  const before = scene.double.control.requests().length;

  const rows = await reconcileMonth(scene.parts, ofMonth(MONTH));

  expect(rows.every((row) => row.explained)).toBe(true);
  expect(scene.double.control.requests().length - before).toBe(3);
});
