import { expect, it } from 'vitest';
import { remedyText } from '../../src/cli/terminal/commands-to-type.ts';
import { pushMonth } from '../../src/stripe/push-month.ts';
import { reconcileMonth } from '../../src/stripe/reconcile-month.ts';
import { setUpStripe } from '../../src/stripe/set-up-stripe.ts';
import { settleMonth } from '../../src/stripe/settle-month.ts';
import { openStripe } from '../../src/stripe/stripe-client.ts';
import { checkSummaries } from '../../src/stripe/summary-law.ts';
import { unparkIntent } from '../../src/stripe/unpark-intent.ts';
import { cli } from '../support/cli.ts';
import { textRows } from '../support/database.ts';
import { makeTenant } from '../support/ledger.ts';
import type { PushScene } from '../support/stripe.ts';
import {
  countedBy,
  DUE_MICRO,
  HOUR_MS,
  METER_EVENTS,
  ofMonth,
  openPushScene,
  sendsOf,
} from '../support/stripe.ts';

const IDENTIFIER = 'spl-testbook-acme-2026-10-01-usd-1';

const push = async (scene: PushScene) => {
  const rows = await pushMonth(scene.options, ofMonth(scene.month));
  return rows.filter((row) => row.tenant_id !== 'unattributed');
};
const reconcile = (scene: PushScene) => reconcileMonth(scene.options, ofMonth(scene.month));
const intents = (scene: PushScene) =>
  textRows(
    scene.database,
    'select tenant_id, stripe_customer, state, attempts from push_intents order by tenant_id, sequence',
  );
const meterEvent = (scene: PushScene, identifier: string, value: string) =>
  scene.options.stripe.billing.meterEvents.create({
    event_name: 'spanledger_usage_usd',
    identifier,
    timestamp: Date.parse('2026-10-31T23:59:59Z') / 1000,
    payload: { stripe_customer_id: 'cus_acme', value },
  });

it('a customer that does not exist is named for its tenant, and every other one is pushed and reconciled', async () => {
  const scene = await openPushScene(['acme', 'bolt']);
  await makeTenant(scene.database, 'acme', { stripeCustomer: 'cus_123' });

  const [acme, bolt] = await push(scene);

  expect(acme).toMatchObject({ state: 'refused' });
  expect(acme?.detail).toContain('cus_123 of tenant "acme" does not exist in test mode');
  expect(bolt).toMatchObject({ state: 'confirmed' });
  expect((await intents(scene)).map((row) => row['tenant_id'])).toEqual(['bolt']);
  expect((await reconcile(scene)).map((row) => [row.tenant_id, row.difference])).toEqual([
    ['acme', 'not_pushed'],
    ['bolt', 'none'],
    ['unattributed', 'shadow'],
  ]);
  expect((await checkSummaries(scene.options)).violations).toEqual([]);

  // and the way out is the one that was named
  await makeTenant(scene.database, 'acme', { stripeCustomer: 'cus_acme' });
  expect((await push(scene)).map((row) => row.state)).toEqual(['confirmed', 'confirmed']);
});

it('a customer that Stripe bills in another currency is named for its tenant, and every other one is pushed', async () => {
  const scene = await openPushScene(['acme', 'bolt', 'both']);
  scene.double.control.addCustomer({ id: 'cus_acme', currency: 'eur' });
  // Stripe lets one have subscriptions in two currencies, where that is allowed.
  const { stripe } = scene.options;
  const [price] = (await stripe.prices.list()).data;
  const customer = 'cus_both';
  scene.double.control.addCustomer({ id: customer });
  await stripe.subscriptions.create({ customer, items: [{ price: price?.id ?? '' }] });
  scene.double.control.addCustomer({ id: customer, currency: 'eur' });

  const [acme, ...others] = await push(scene);

  expect(acme).toMatchObject({ state: 'refused' });
  expect(acme?.detail).toContain(
    'Stripe bills customer cus_acme of tenant "acme" in EUR and has no subscription of it in USD',
  );
  expect(others.map(({ state }) => state)).toEqual(['confirmed', 'confirmed']);
  // It is refused as an invoice item, too, once the meter takes it no more.
  await scene.advance(40 * 24 * HOUR_MS);
  expect(await push(scene)).toMatchObject([{ detail: acme?.detail }, {}, {}]);
  expect((await intents(scene)).map((row) => row['tenant_id'])).toEqual(['bolt', 'both']);
});

it('a customer that was deleted since it was looked at, and of which no event told, is told nothing', async () => {
  const scene = await openPushScene(['acme', 'bolt']);
  await scene.database.pool.query(
    `insert into stripe_customers (tenant_id, stripe_customer, livemode, state, checked_at, account)
     select tenant_id, stripe_customer, false, 'present', '2026-10-01', 'acct_4fd495f222e8aae9' from tenants where mode = 'live'`,
  );
  await scene.options.stripe.customers.del('cus_acme');

  expect((await push(scene)).map(({ state }) => state)).toEqual(['refused', 'confirmed']);

  expect(countedBy(scene.double)).toEqual([`cus_bolt ${DUE_MICRO}`]);
});

it('an intent that never went out follows its tenant to another customer', async () => {
  const scene = await openPushScene();
  scene.double.control.addCustomer({ id: 'cus_new' });
  await scene.database.pool.query(
    `insert into push_intents (tenant_id, period_start, sequence, identifier, meter, stripe_customer,
       value_micro, event_timestamp, state, attempts, created_at, livemode)
     select tenant_id, period_start, 1, '${IDENTIFIER}', 'spanledger_usage_usd', 'cus_123', billable_micro,
       1793491199, 'pending', 0, now(), false from closes where tenant_id = 'acme'`,
  );
  await makeTenant(scene.database, 'acme', { stripeCustomer: 'cus_new' });

  const said = { state: 'confirmed', detail: 'told to cus_new; it was closed for cus_acme' };
  expect(await push(scene)).toMatchObject([said]);
  expect(await push(scene)).toMatchObject([said]);

  expect(await intents(scene)).toMatchObject([{ stripe_customer: 'cus_new', state: 'confirmed' }]);
  expect(countedBy(scene.double)).toEqual([`cus_new ${DUE_MICRO}`]);
  await expect(
    scene.database.pool.query("update push_intents set stripe_customer = 'cus_123'"),
  ).rejects.toThrow('never changes');
});

it('a ledger that was restored from before its push finds what it told, and tells nothing twice', async () => {
  const scene = await openPushScene();
  await meterEvent(scene, IDENTIFIER, DUE_MICRO);
  await scene.advance(48 * HOUR_MS);
  const before = sendsOf(scene.double);

  expect(await push(scene)).toMatchObject([{ state: 'confirmed', pushed: DUE_MICRO }]);

  expect(sendsOf(scene.double)).toBe(before);
  expect(await intents(scene)).toMatchObject([{ state: 'confirmed', attempts: '0' }]);
});

it('a restored ledger tells no other customer what the one of the close was told', async () => {
  const scene = await openPushScene();
  scene.double.control.addCustomer({ id: 'cus_new' });
  await meterEvent(scene, IDENTIFIER, DUE_MICRO);
  await makeTenant(scene.database, 'acme', { stripeCustomer: 'cus_new' });
  const before = sendsOf(scene.double);

  const [acme] = await push(scene);

  expect(acme).toMatchObject({
    state: 'refused',
    detail: `this period was closed for cus_acme, for whom Stripe's summary already says ${DUE_MICRO} in it; nothing was told to cus_new`,
  });
  expect(sendsOf(scene.double)).toBe(before);
  await makeTenant(scene.database, 'acme', { stripeCustomer: 'cus_acme' });
  expect(await push(scene)).toMatchObject([{ state: 'confirmed', detail: null }]);
});

it('a restored ledger that closed a period for another customer tells it nothing of what the one before was told', async () => {
  const scene = await openPushScene(['acme', 'bolt']);
  scene.double.control.addCustomer({ id: 'cus_new' });
  await meterEvent(scene, IDENTIFIER, DUE_MICRO);
  await makeTenant(scene.database, 'acme', { stripeCustomer: 'cus_new' });
  await scene.database.pool.query(
    "set session_replication_role = replica; update closes set stripe_customer = 'cus_new' where tenant_id = 'acme'; reset session_replication_role",
  );

  const rows = await push(scene);

  expect(rows).toMatchObject([
    {
      state: 'refused',
      detail: `this tenant was linked to cus_acme, for whom Stripe's summary already says ${DUE_MICRO} in this period; nothing was told to cus_new`,
    },
    { state: 'confirmed' },
  ]);
  // What is another tenant's by now says nothing of this one.
  await makeTenant(scene.database, 'bolt', { stripeCustomer: 'cus_acme' });
  expect(await push(scene)).toMatchObject([{ state: 'confirmed' }, { state: 'confirmed' }]);
});

it('a restored ledger bills another customer by no item what the one before was told on the meter', async () => {
  const scene = await openPushScene();
  scene.double.control.addCustomer({ id: 'cus_new' });
  await meterEvent(scene, IDENTIFIER, DUE_MICRO);
  await makeTenant(scene.database, 'acme', { stripeCustomer: 'cus_new' });
  await scene.advance(40 * 24 * HOUR_MS);

  const [acme] = await push(scene);

  expect(acme).toMatchObject({
    state: 'refused',
    detail: `this period was closed for cus_acme, for whom Stripe's summary already says ${DUE_MICRO} in it; nothing was told to cus_new`,
  });
  const { stripe } = scene.options;
  expect((await stripe.invoiceItems.list({ customer: 'cus_new' })).data).toEqual([]);
  await makeTenant(scene.database, 'acme', { stripeCustomer: 'cus_acme' });
  expect(await push(scene)).toMatchObject([{ state: 'confirmed', detail: null }]);
  expect((await stripe.invoiceItems.list({ customer: 'cus_acme' })).data).toEqual([]);
});

it('what the customer before was told is settled as it was billed, and the customer of today is told the rest', async () => {
  const scene = await openPushScene();
  scene.double.control.addCustomer({ id: 'cus_new' });
  await meterEvent(scene, IDENTIFIER, '1234567');
  await makeTenant(scene.database, 'acme', { stripeCustomer: 'cus_new' });
  const whose = { tenant_id: 'acme', month: scene.month, reason: 'in_1', actor: 'ann' };
  const settle = (amount: string) => settleMonth(scene.options, { ...whose, amount });
  expect(await push(scene)).toMatchObject([{ state: 'refused' }]);

  // Less than what it was told is no word about all of that, and more is another bill.
  await settle('1.00');
  expect(await push(scene)).toMatchObject([{ state: 'refused' }]);
  await settle('1.50');
  const [acme] = await push(scene);
  expect(acme?.state).toBe('refused');
  expect(remedyText(acme?.remedy ?? [])).toMatch(/stripe settled acme .*by a record of just that$/);
  await settle('0.23');

  expect(await push(scene)).toMatchObject([{ state: 'confirmed', pushed: DUE_MICRO }]);
  expect(countedBy(scene.double)).toEqual(['cus_acme 1234567', 'cus_new 1470000']);
  expect((await reconcile(scene))[0]).toMatchObject({ difference: 'none', settled: '2730000' });
});

it('a restored ledger tells the meter nothing of what an item billed to the customer before', async () => {
  const scene = await openPushScene();
  scene.double.control.addCustomer({ id: 'cus_new' });
  await scene.options.stripe.invoiceItems.create({
    ...{ customer: 'cus_acme', currency: 'usd', amount: 420 },
    metadata: {
      period_key: 'acme/2026-10-01',
      spanledger_intent: IDENTIFIER,
      spanledger_micro: DUE_MICRO,
    },
  });
  await makeTenant(scene.database, 'acme', { stripeCustomer: 'cus_new' });

  const [acme] = await push(scene);

  expect(acme).toMatchObject({ state: 'refused' });
  expect(acme?.detail).toContain(`for whom Stripe's invoice items already says ${DUE_MICRO}`);
  expect(sendsOf(scene.double)).toBe(0);
});

it('what another ledger or program told of a period is found before anything is told', async () => {
  const scene = await openPushScene();
  await meterEvent(scene, 'spl-another1-acme-2026-10-01-usd-1', '7');
  const before = sendsOf(scene.double);

  const [acme] = await push(scene);

  expect(acme).toMatchObject({ state: 'refused' });
  expect(acme?.detail).toContain(
    'already says 7 for cus_acme in this period and 0 of it is confirmed',
  );
  expect(sendsOf(scene.double)).toBe(before);
});

it('usage that is told for an idle tenant is found, too', async () => {
  const scene = await openPushScene([]);
  const { closePeriods } = await import('../../src/ledger/closes/close-periods.ts');
  scene.double.control.addCustomer({ id: 'cus_acme' });
  await makeTenant(scene.database, 'acme', { mode: 'live', stripeCustomer: 'cus_acme' });
  await closePeriods(scene.options, { month: scene.month, tenant_id: 'acme' });
  await meterEvent(scene, 'elsewhere', '7');

  expect((await reconcile(scene))[0]).toMatchObject({
    tenant_id: 'acme',
    difference: 'foreign_usage',
    explained: false,
  });
});

it('behind a pooler in transaction mode nothing is sent, and the reason is said', async () => {
  const scene = await openPushScene();
  const before = sendsOf(scene.double);
  // What such a pooler does: whoever asks next is given the session that is free, which is the same one.
  const session = await scene.database.pool.connect();
  const lent = {
    query: session.query.bind(session),
    release: () => {},
    on: () => {},
    off: () => {},
  };
  const pool = Object.assign(Object.create(scene.database.pool), { connect: async () => lent });
  const pooled = { ...scene.options, database: { ...scene.database, pool, bare: pool } };

  await expect(pushMonth(pooled, ofMonth(scene.month))).rejects.toThrow(
    'a pooler in transaction mode',
  );

  session.release();
  expect(sendsOf(scene.double)).toBe(before);
});

it('a lock that another session answers for ends the push before anything is sent', async () => {
  const scene = await openPushScene();
  const before = sendsOf(scene.double);
  // A pooler that is busy with others may look like none for a while, and then gives another session.
  const session = await scene.database.pool.connect();
  const query = async (text: string, values?: unknown[]) => {
    const answer = await session.query(text, values);
    if (!text.includes('advisory')) return answer;
    return { ...answer, rows: answer.rows.map((row) => ({ ...row, pid: row.pid + 1 })) };
  };
  const ofPooler = { processID: Reflect.get(session, 'processID'), query };
  const lent = { ...ofPooler, release: () => {}, on: () => {}, off: () => {} };
  const pool = Object.assign(Object.create(scene.database.pool), { connect: async () => lent });
  const pooled = { ...scene.options, database: { ...scene.database, pool, bare: pool } };

  await expect(pushMonth(pooled, ofMonth(scene.month))).rejects.toThrow(
    'a pooler in transaction mode',
  );

  session.release();
  expect(sendsOf(scene.double)).toBe(before);
});

it('what was taken with 200 and never counted is told anew, once a person asks for it', async () => {
  const scene = await openPushScene();
  await push(scene);
  // The summary never shows it, and no report says why.
  await scene.options.stripe.billing.meterEventAdjustments.create({
    event_name: 'spanledger_usage_usd',
    type: 'cancel',
    cancel: { identifier: IDENTIFIER },
  });
  await expect(unparkIntent(scene.options, { identifier: IDENTIFIER })).rejects.toThrow(
    'less than a day ago',
  );
  await scene.advance(25 * HOUR_MS);
  expect((await reconcile(scene))[0]).toMatchObject({ difference: 'missing', explained: false });
  expect(await unparkIntent(scene.options, { identifier: IDENTIFIER })).toMatchObject({
    state: 'missing',
  });
  expect(await push(scene)).toMatchObject([{ state: 'confirmed', pushed: DUE_MICRO }]);
  expect((await reconcile(scene))[0]).toMatchObject({ difference: 'none' });
});

it('a connection that is reset is one request, whatever the client library repeats by itself', async () => {
  const scene = await openPushScene();
  scene.double.control.injectFault({
    kind: 'reset_before_apply',
    match: { method: 'POST', path: METER_EVENTS },
  });
  expect(await push(scene)).toMatchObject([{ state: 'confirmed' }]);
  expect(await intents(scene)).toMatchObject([{ attempts: '2' }]);
  expect(sendsOf(scene.double)).toBe(2);
});

it('a process that is suspended just before a request sends nothing when it wakes up a day later', async () => {
  const scene = await openPushScene();
  let isMarked = false;
  let sleptMs = 0;
  const clock = () => scene.double.control.now() + sleptMs;
  const { kysely } = scene.database;
  const asleep = {
    ...scene.options,
    clock: () => {
      // The attempt is durable by the second look at the clock that follows it.
      if (isMarked) sleptMs = 25 * HOUR_MS;
      return clock();
    },
    database: { ...scene.database, kysely },
  };
  const real = scene.options.stripe.billing.meterEvents.create.bind(
    scene.options.stripe.billing.meterEvents,
  );
  scene.options.stripe.billing.meterEvents.create = (...given) => {
    isMarked = true;
    return real(...given);
  };

  const rows = await pushMonth(asleep, ofMonth(scene.month));

  expect(rows[0]).toMatchObject({ state: 'sent' });
  expect(sendsOf(scene.double)).toBe(0);
});

it('a key of another account of the same mode is refused by every part', async () => {
  const scene = await openPushScene(['acme', 'bolt']);
  const setUp = {
    currency: 'USD',
    customers: false,
    subscriptions: false,
    tenant_id: null,
  } as const;
  await setUpStripe(scene.options, setUp);
  const apiKey = 'sk_test_another';
  const stripe = openStripe({ apiKey, apiBase: scene.double.url });
  const other = { ...scene.options, stripe };
  const verified = await cli(['verify'], { ...scene.environment, STRIPE_API_KEY: apiKey });
  expect(verified.exitCode).toBe(2);
  expect(verified.stderr).toContain('law 6 cannot be asked of this account: meter ');
  expect(verified.stderr).toContain('without STRIPE_API_KEY the other laws are checked alone');
  await expect(checkSummaries({ ...other, livemode: true })).rejects.toThrow(
    'law 6 cannot be asked of this account: STRIPE_API_KEY is of live mode',
  );
  await push(scene);
  for (const act of [
    () => pushMonth(other, ofMonth(scene.month)),
    () => reconcileMonth(other, ofMonth(scene.month)),
    () => setUpStripe(other, setUp),
    () => checkSummaries(other),
  ]) {
    await expect(act()).rejects.toThrow(
      /belongs to Stripe account acct_\w+ and STRIPE_API_KEY to acct_/,
    );
  }
});

it('a customer is looked up when a tenant is given it, and taken away by an empty text', async () => {
  const scene = await openPushScene();
  const set = (...args: string[]) =>
    cli(['tenant', 'set', 'acme', '--json', ...args], scene.environment);
  const refused = await set('--stripe-customer', 'cus_123');
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain('cus_123 of tenant "acme" does not exist in test mode');
  expect(JSON.parse((await set('--stripe-customer', 'cus_acme')).stdout)).toMatchObject({
    stripe_customer: 'cus_acme',
  });
  expect(JSON.parse((await set('--stripe-customer', '')).stdout)).toMatchObject({
    stripe_customer: null,
  });
});

it('a tenant that is not there is named, and not that nothing of it is closed', async () => {
  const { options, month } = await openPushScene();
  const nobody = ofMonth(month, { tenant_id: 'zz' });
  await expect(pushMonth(options, nobody)).rejects.toThrow('there is no tenant "zz"');
  await expect(reconcileMonth(options, nobody)).rejects.toThrow('there is no tenant "zz"');
});
