import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { releaseInvoices } from '../../src/stripe/invoices/invoice.ts';
import { pushMonth } from '../../src/stripe/push-month.ts';
import { reconcileMonth } from '../../src/stripe/reconcile-month.ts';
import { setUpStripe } from '../../src/stripe/set-up-stripe.ts';
import { openStripe } from '../../src/stripe/stripe-client.ts';
import { checkSummaries } from '../../src/stripe/summary-law.ts';
import { receiveFromEventBridge } from '../../src/stripe/webhooks/webhook.ts';
import { textRows } from '../support/database.ts';
import { ofMonth } from '../support/stripe.ts';
import type { BillingScene } from './billing-scene.ts';
import { customerOf, MONTH, openBillingScene, runSteps } from './billing-scene.ts';

/**
 * A restricted key may not read its account, so that whose it is shows by what it knows: with one of another account
 * nothing is told, and nothing of what Stripe has is taken for gone.
 */
const SET_UP = { currency: 'USD', customers: false, subscriptions: false, tenant_id: null };
const OWN = 'rk_test_own';

let scene: BillingScene;
let event: string;
beforeAll(async () => {
  scene = await openBillingScene();
  const { control } = scene.double;
  await control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  await closePeriods(scene.parts, { month: MONTH, tenant_id: null });
  const [created] = (await scene.parts.stripe.events.list({ type: 'invoice.created' })).data;
  event = JSON.stringify({ detail: { ...created, id: 'evt_told_again' } });
});
afterAll(() => scene.close());

const partsOf = (apiKey: string) => ({
  ...scene.parts,
  stripe: openStripe({ apiKey, apiBase: scene.double.url }),
});

const kept = async () => [
  await textRows(scene.database, 'select invoice_id, state from stripe_invoices order by 1'),
  await textRows(scene.database, 'select meter_id, price_id, account from stripe_meters'),
  await textRows(scene.database, 'select identifier, state from push_intents'),
];

const requestsOf = (apiKey: string, path: string) =>
  scene.double.control
    .requests()
    .filter((request) => request.apiKey === apiKey && request.path === path).length;

const keepAccount = (account: string | null) =>
  scene.database.pool.query('update stripe_meters set account = $1', [account]);

describe.each([
  [
    'rk_test_b',
    'acct_of_a',
    /meter mtr_\S+ belongs to Stripe account acct_of_a and STRIPE_API_KEY/,
  ],
  ['rk_test_c', null, /to another Stripe account and STRIPE_API_KEY to one that does not know it/],
  ['sk_test_d', null, /to another Stripe account and STRIPE_API_KEY to acct_\w+/],
])('%s is of another account than the meter on record, of %s,', (apiKey, account, refusal) => {
  test('and is refused by every part, of which nothing is changed', async () => {
    await keepAccount(account);
    const other = partsOf(apiKey);
    scene.double.control.addCustomer({ id: customerOf('acme') }, apiKey);
    const before = await kept();
    expect(before[0]).toMatchObject([{ state: 'held' }]);

    for (const act of [
      () => setUpStripe(other, SET_UP),
      () => pushMonth(other, ofMonth(MONTH)),
      () => pushMonth(other, ofMonth(MONTH, { dry_run: true })),
      () => reconcileMonth(other, ofMonth(MONTH)),
      () => releaseInvoices(other, { month: MONTH }),
      () => checkSummaries(other),
      () => receiveFromEventBridge(other, event),
    ]) {
      await expect(act()).rejects.toThrow(refusal);
    }
    const steps = await runSteps(other, MONTH);
    expect(steps.filter(({ detail }) => refusal.test(detail ?? '')).length).toBeGreaterThan(0);

    expect(await kept()).toEqual(before);
    const [meter] = before[1] ?? [];
    expect(requestsOf(apiKey, '/v1/account')).toBe(1);
    expect(requestsOf(apiKey, `/v1/billing/meters/${meter?.['meter_id']}`)).toBe(1);
  });
});

test('a restricted key of the account itself bills, and asks of the meter once', async () => {
  const own = partsOf(OWN);
  scene.double.control.addCustomer({ id: customerOf('acme') }, OWN);
  await scene.database.pool.query('delete from stripe_meters');
  const { meter } = await setUpStripe(own, SET_UP);
  await setUpStripe(own, SET_UP);

  const [pushed] = await pushMonth(own, ofMonth(MONTH));
  expect(pushed).toMatchObject({ tenant_id: 'acme', state: 'confirmed' });
  expect(await textRows(scene.database, 'select account from stripe_meters')).toEqual([
    { account: null },
  ]);
  expect(requestsOf(OWN, '/v1/account')).toBe(1);
  // One tells whose it is, the other that it is active before the first event.
  expect(requestsOf(OWN, `/v1/billing/meters/${meter}`)).toBe(2);

  await keepAccount('acct_own');
  await setUpStripe(own, SET_UP);
  expect(await textRows(scene.database, 'select account from stripe_meters')).toEqual([
    { account: 'acct_own' },
  ]);
});
