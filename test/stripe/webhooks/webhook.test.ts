import { createHmac } from 'node:crypto';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startHttpServer } from '../../../src/api/http-server.ts';
import { parseInstant, systemClock } from '../../../src/clock.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { present } from '../../../src/present.ts';
import { readAlerts } from '../../../src/push/alert-store.ts';
import { readInvoices } from '../../../src/stripe/invoices/invoice-store.ts';
import { pushMonth } from '../../../src/stripe/push-month.ts';
import { reconcileMonth } from '../../../src/stripe/reconcile-month.ts';
import { unparkIntent } from '../../../src/stripe/unpark-intent.ts';
import { receiveFromEventBridge } from '../../../src/stripe/webhooks/webhook.ts';
import { count, textRows } from '../../support/database.ts';
import { receiveEvents } from '../../support/ledger.ts';
import { ofMonth } from '../../support/stripe.ts';
import { setIntentsBack } from '../../support/tamper.ts';
import type { BillingScene, SceneOptions } from '../billing-scene.ts';
import { customerOf, MONTH, openBillingScene, runSteps, usage } from '../billing-scene.ts';

const HOUR_MS = 3_600_000;
const SECRET = 'whsec_of_this_test';
const NOTHING = '{"id":"evt_1","object":"event","type":"charge.succeeded","data":{"object":{}}}';

async function scene(options: SceneOptions = {}) {
  const opened = await openBillingScene(options);
  onTestFinished(opened.close);
  return opened;
}

async function endpoint({ parts }: BillingScene) {
  const server = await startHttpServer({
    parts,
    webhook: { parts, secret: SECRET },
    host: '127.0.0.1',
    port: 0,
  });
  onTestFinished(server.close);
  return server.url;
}

function signed(body: string, secret = SECRET): string {
  const at = Math.floor(systemClock() / 1000);
  const signature = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex');
  return `t=${at},v1=${signature}`;
}

async function deliver(url: string, body: string, signature: string | null) {
  const response = await fetch(`${url}/stripe/webhook`, {
    method: 'POST',
    body,
    headers: signature === null ? {} : { 'stripe-signature': signature },
  });
  return { status: response.status, answer: await response.json() };
}

async function closeOctober({ double, parts }: BillingScene, at = '2026-11-01T00:30:00Z') {
  await double.control.setClock(parseInstant(at));
  await closePeriods(parts, { month: MONTH, tenant_id: null });
}

test('a delivery without the right signature is refused and leaves nothing', async () => {
  const opened = await scene({ withWebhooks: false, withSubscriptions: false });
  const url = await endpoint(opened);

  expect(await deliver(url, NOTHING, null)).toMatchObject({ status: 400 });
  expect(await deliver(url, NOTHING, signed(NOTHING, 'whsec_other'))).toMatchObject({
    status: 400,
  });
  expect(await deliver(url, `${NOTHING} `, signed(NOTHING))).toMatchObject({ status: 400 });
  const thin = '{"id":"evt_2","object":"v2.core.event","type":"v1.billing.meter.no_meter_found"}';
  expect(await deliver(url, thin, signed(thin, 'whsec_other'))).toMatchObject({ status: 400 });
  expect(await count(opened.database, 'stripe_events')).toBe(0);
});

test.each(['', 'no JSON', 'null', '[]', '{}', '{"object":"charge"}'])(
  'what was signed and is no event, %j, is a fault of whoever sent it',
  async (body) => {
    const opened = await scene({ withWebhooks: false, withSubscriptions: false });
    const url = await endpoint(opened);
    expect(await deliver(url, body, signed(body))).toMatchObject({ status: 400 });
    expect(await count(opened.database, 'stripe_events')).toBe(0);
  },
);

test('an event is handled once, however often it is delivered', async () => {
  const opened = await scene({ withWebhooks: false, withSubscriptions: false });
  const url = await endpoint(opened);

  const first = await deliver(url, NOTHING, signed(NOTHING));
  const again = await deliver(url, NOTHING, signed(NOTHING));

  expect(first).toMatchObject({ status: 200, answer: { event: 'evt_1', outcome: 'ignored' } });
  expect(again).toMatchObject({
    status: 200,
    answer: { event: 'evt_1', outcome: 'handled before' },
  });
  expect(await count(opened.database, 'stripe_events')).toBe(1);
});

test('the health check says whether the database answers, and other paths are not there', async () => {
  const opened = await scene({ withWebhooks: false, withSubscriptions: false });
  const url = await endpoint(opened);

  const health = await fetch(`${url}/healthz`);
  expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }]);
  expect((await fetch(`${url}/elsewhere`)).status).toBe(404);
  expect((await fetch(`${url}/stripe/webhook`)).status).toBe(405);
});

test('a draft that could not be held is held when Stripe delivers again', async () => {
  const { double, database } = await scene();
  const match = { method: 'POST', path: '/v1/invoices/*' };
  double.control.injectFault({ kind: 'html_503', match, times: 4 });

  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  expect(
    await textRows(database, "select handled_at from stripe_events where type = 'invoice.created'"),
  ).toEqual([{ handled_at: null }]);
  await double.control.advanceClock(HOUR_MS);

  expect(
    await textRows(database, "select outcome from stripe_events where type = 'invoice.created'"),
  ).toEqual([{ outcome: 'held until the push is proven' }]);
  const [invoice] = await readInvoices(database, { month: MONTH, tenantId: null });
  expect(invoice?.state).toBe('held');
  await double.control.advanceClock(100 * HOUR_MS);
  const [later] = await readInvoices(database, { month: MONTH, tenantId: null });
  expect(later?.state).toBe('held');
});

test('usage that Stripe drops after its 200 is parked, and told anew once a person has mended the cause', async () => {
  const opened = await scene();
  const { double, parts, database, differences } = opened;
  await closeOctober(opened);
  await pushMonth(parts, ofMonth(MONTH)).then(() => undefined);
  await setIntentsBack(
    database,
    "update push_intents set state = 'pending', attempts = 0, first_attempt_at = null",
  );
  // given a customer that is deleted at Stripe after it was looked at, so that the event is dropped
  double.control.reset();
  await double.control.setClock(parseInstant('2026-11-01T00:31:00Z'));
  const again = await rebuild(opened);

  await pushMonth(again, ofMonth(MONTH));
  expect(await textRows(database, 'select state from audit.pushes')).toEqual([
    { state: 'confirmed' },
  ]);
  await double.control.advanceClock(60_000);
  await handleThinEvents(again);

  expect(await textRows(database, 'select state from audit.pushes')).toEqual([{ state: 'parked' }]);
  const [alert] = await readAlerts(database);
  expect(alert).toMatchObject({
    kind: 'meter_error',
    tenantId: 'acme',
    subject: 'spl-testbook-acme-2026-10-01-usd-1',
  });
  expect(alert?.detail).toContain('meter_event_customer_not_found');
  const pushed = await pushMonth(again, ofMonth(MONTH));
  expect(pushed.find((row) => row.tenant_id === 'acme')).toMatchObject({ state: 'parked' });
  double.control.addCustomer({ id: customerOf('acme') });
  await expect(
    unparkIntent(again, { identifier: 'spl-testbook-acme-2026-10-01-usd-1' }),
  ).rejects.toThrow('less than a day');
  await double.control.advanceClock(25 * HOUR_MS);

  await unparkIntent(again, { identifier: 'spl-testbook-acme-2026-10-01-usd-1' });
  await pushMonth(again, ofMonth(MONTH));

  expect(
    await textRows(database, 'select identifier, state from audit.pushes order by identifier'),
  ).toEqual([
    { identifier: 'spl-testbook-acme-2026-10-01-usd-1', state: 'missing' },
    { identifier: 'spl-testbook-acme-2026-10-01-usd-2', state: 'confirmed' },
  ]);
  const rows = await reconcileMonth(again, ofMonth(MONTH));
  expect(rows.filter((row) => row.difference !== 'none' && row.difference !== 'shadow')).toEqual(
    [],
  );
  expect(differences).toBeDefined();
});

test('usage for which Stripe finds no meter is parked by its report, with an alert, and the month is wrong', async () => {
  const opened = await scene();
  const { double, parts, database } = opened;
  await closeOctober(opened);
  double.control.configure({ asyncMeterLookup: true });
  // given a request that went out under a name that no meter has
  await database.pool.query(
    `insert into push_intents (tenant_id, period_start, sequence, identifier, meter, stripe_customer, value_micro,
       event_timestamp, state, attempts, first_attempt_at, created_at)
     select tenant_id, period_start, 1, 'spl-testbook-acme-2026-10-01-usd-1', 'spanledger_usage_eur', 'cus_acme',
       billable_micro, 1793491199, 'confirmed', 1, '2026-11-01T00:30:00Z', '2026-11-01T00:30:00Z'
     from closes where tenant_id = 'acme'`,
  );
  await parts.stripe.billing.meterEvents.create(
    {
      event_name: 'spanledger_usage_eur',
      identifier: 'spl-testbook-acme-2026-10-01-usd-1',
      timestamp: 1793491199,
      payload: { stripe_customer_id: 'cus_acme', value: '1' },
    },
    { idempotencyKey: 'spl-testbook-acme-2026-10-01-usd-1' },
  );

  // when the report comes by the webhook
  await double.control.advanceClock(10_000);

  expect(await textRows(database, 'select state, last_answer from push_intents')).toEqual([
    {
      state: 'parked',
      last_answer: 'no_meter: No meter found for event name spanledger_usage_eur.',
    },
  ]);
  expect(await readAlerts(database)).toMatchObject([
    { kind: 'no_meter_found', tenantId: 'acme', subject: 'spl-testbook-acme-2026-10-01-usd-1' },
  ]);
  const results = await runSteps(parts, MONTH);
  expect(results.find(({ step }) => step === 'push')).toMatchObject({ state: 'wrong' });
});

test('a meter that is deactivated just before the request parks it once Stripe reports it, and it is told anew', async () => {
  const opened = await scene();
  const { double, parts, database, meter, differences } = opened;
  await closeOctober(opened);
  double.control.configure({ asyncMeterLookup: true });
  double.control.injectFault({ kind: 'hold', match: { method: 'GET', path: '/v1/customers/*' } });
  await database.pool.query('delete from stripe_customers');
  const pushing = pushMonth(parts, ofMonth(MONTH));
  await vi.waitFor(() => expect(double.control.held()).toBe(1));
  await parts.stripe.billing.meters.deactivate(meter.meterId);
  double.control.releaseHeld();
  expect((await pushing)[0]?.state).toBe('confirmed');

  await double.control.advanceClock(10_000);

  expect(await textRows(database, 'select state from push_intents')).toEqual([{ state: 'parked' }]);
  // and once a person has mended it, the month comes to its end
  await parts.stripe.billing.meters.reactivate(meter.meterId);
  await double.control.advanceClock(25 * HOUR_MS);
  await unparkIntent(parts, { identifier: 'spl-testbook-acme-2026-10-01-usd-1' });
  const results = await runSteps(parts, MONTH);
  expect(results.filter(({ state }) => state !== 'done')).toEqual([]);
  await double.control.advanceClock(2 * HOUR_MS);
  expect(await differences()).toEqual([]);
});

/** The double is empty after a reset: the meter again, and a customer check that is remembered. */
/** A meter anew, and the subscription of a customer that is gone. */
async function rebuild({ parts, double }: BillingScene) {
  const { setUpMeter } = await import('../../../src/stripe/meters/set-up-meter.ts');
  const { saveMeter } = await import('../../../src/stripe/meters/meter-store.ts');
  const meter = await setUpMeter(parts.stripe, 'USD');
  await saveMeter(parts.database, meter, { livemode: false, account: null, at: parts.clock() });
  const customer = customerOf('acme');
  double.control.addCustomer({ id: customer });
  await parts.stripe.subscriptions.create({
    customer,
    items: [{ price: meter.priceId }],
    backdate_start_date: parseInstant('2026-10-01T00:00:00Z') / 1000,
  });
  await parts.stripe.customers.del(customer);
  return parts;
}

async function handleThinEvents(parts: BillingScene['parts']): Promise<void> {
  const events = await parts.stripe.v2.core.events.list({
    types: ['v1.billing.meter.error_report_triggered'],
  });
  for (const event of events.data) {
    const { id, type, created, livemode } = event;
    const notification = { id, object: 'v2.core.event', type, created, livemode };
    await receiveFromEventBridge(
      parts,
      JSON.stringify({ 'detail-type': type, detail: notification }),
    );
  }
}

test('a deleted customer flags its tenant, and no usage is told to it', async () => {
  const opened = await scene();
  const { double, parts, database } = opened;
  await parts.stripe.customers.del(customerOf('acme'));
  await double.control.settle();

  expect((await readAlerts(database)).map((alert) => [alert.kind, alert.tenantId])).toEqual([
    ['customer_deleted', 'acme'],
  ]);
  await closeOctober(opened);
  const pushed = await pushMonth(parts, ofMonth(MONTH));
  const acme = pushed.find((row) => row.tenant_id === 'acme');
  expect(acme?.state).toBe('refused');
  expect(acme?.detail).toContain('tenant "acme"');
  expect(double.control.meterEvents()).toEqual([]);
});

test('a canceled subscription has its closed periods pushed at once, and open usage is an alert', async () => {
  const opened = await scene();
  const { double, parts, database } = opened;
  await closeOctober(opened);
  await receiveEvents(
    database,
    [usage('acme', { tokens: 5_000, index: 90, at: '2026-11-02T00:00:00Z' })],
    '2026-11-02T00:00:01Z',
  );
  await double.control.setClock(parseInstant('2026-11-02T01:00:00Z'));
  const [subscription] = (await parts.stripe.subscriptions.list({ customer: customerOf('acme') }))
    .data;

  await parts.stripe.subscriptions.cancel(subscription?.id ?? '');
  await double.control.settle();

  expect(await textRows(database, 'select tenant_id, state from audit.pushes')).toEqual([
    { tenant_id: 'acme', state: 'confirmed' },
  ]);
  const [alert] = await readAlerts(database);
  expect(alert).toMatchObject({ kind: 'subscription_canceled', tenantId: 'acme' });
  expect(alert?.detail).toContain('period 2026-11-01 is open with');
});

test('an end of a subscription that is taken back is no alert any more, whatever event comes last', async () => {
  const opened = await scene();
  const { double, parts, database } = opened;
  const customer = customerOf('acme');
  const [subscription] = (await parts.stripe.subscriptions.list({ customer })).data;
  const id = subscription?.id ?? '';
  const end = async (isEnding: boolean) => {
    await parts.stripe.subscriptions.update(id, { cancel_at_period_end: isEnding });
    await double.control.settle();
    return (await readAlerts(database)).map(({ kind, resolvedBy }) => [kind, resolvedBy]);
  };
  expect(await end(true)).toEqual([['subscription_changed', null]]);
  expect(await end(false)).toEqual([['subscription_changed', 'spanledger']]);
  expect(await end(true)).toEqual([['subscription_changed', null]]);

  // The event of the first change comes once more, after it was taken back.
  const events = await parts.stripe.events.list({ type: 'customer.subscription.updated' });
  const stale = { ...present(events.data.at(-1), 'the first change'), id: 'evt_stale' };
  await end(false);
  await receiveFromEventBridge(parts, JSON.stringify({ detail: stale }));

  expect(stale.data.object).toMatchObject({ cancel_at_period_end: true });
  expect((await readAlerts(database)).map((alert) => alert.resolvedBy)).toEqual(['spanledger']);
});

test('an event that comes by EventBridge and SQS is handled like one over HTTP', async () => {
  const opened = await scene({ withWebhooks: false });
  const { double, parts, database } = opened;
  await double.control.setClock(parseInstant('2026-11-01T00:10:00Z'));
  const [created] = (await parts.stripe.events.list({ type: 'invoice.created' })).data;

  const envelope = JSON.stringify({
    'detail-type': 'invoice.created',
    source: 'aws.partner/stripe.com',
    detail: created,
  });
  const first = await receiveFromEventBridge(parts, envelope);
  const again = await receiveFromEventBridge(parts, envelope);

  expect([first.outcome, again.outcome]).toEqual([
    'held until the push is proven',
    'handled before',
  ]);
  expect(await count(database, "stripe_invoices where state = 'held'")).toBe(1);
});

test('an invoice.created that comes after the release does not hold the invoice again', async () => {
  const opened = await scene({ withWebhooks: false });
  const { double, parts, database, differences } = opened;
  await double.control.setClock(parseInstant('2026-11-01T00:10:00Z'));
  const [created] = (await parts.stripe.events.list({ type: 'invoice.created' })).data;
  await receiveFromEventBridge(parts, JSON.stringify(created));
  await runSteps(parts, MONTH);

  const copy = { ...created, id: 'evt_copy' };
  expect((await receiveFromEventBridge(parts, JSON.stringify(copy))).outcome).toBe(
    'was released before',
  );

  await double.control.advanceClock(2 * HOUR_MS);
  expect(await differences()).toEqual([]);
  expect(await count(database, "stripe_invoices where state = 'released'")).toBe(1);
});
