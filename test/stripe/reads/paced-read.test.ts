import { expect, it, onTestFinished } from 'vitest';
import { makeRoles } from '../../../src/database/roles.ts';
import { findMissedInvoices } from '../../../src/stripe/invoices/missed-invoices.ts';
import { pushMonth } from '../../../src/stripe/push-month.ts';
import { takeRead } from '../../../src/stripe/reads/read-allowance-store.ts';
import { reconcileMonth } from '../../../src/stripe/reconcile-month.ts';
import { checkSummaries } from '../../../src/stripe/summary-law.ts';
import { reopen, textRows } from '../../support/database.ts';
import { makeLogin } from '../../support/login.ts';
import { HOUR_MS, METER_EVENTS, ofMonth, openPushScene, PUSHED_AT } from '../../support/stripe.ts';

const HOURS_OF_A_MONTH = 30 * 24;
/** What Stripe allows for each transaction and month. */
const STRIPES_ALLOWANCE = 500;

it('whoever asks every hour for a month stays within what Stripe allows to be read of one period', async () => {
  const { database } = await openPushScene();
  const readsOf = async (what: 'meter' | 'invoices', hours: number) => {
    const of = { tenantId: 'acme', periodStart: '2026-10-01', what, customer: 'cus_acme' };
    let reads = 0;
    for (let hour = 0; hour < hours; hour += 1) {
      if (await takeRead(database, of, PUSHED_AT + hour * HOUR_MS)) reads += 1;
    }
    return reads;
  };
  const summaries = await readsOf('meter', HOURS_OF_A_MONTH);
  const lists = await readsOf('invoices', HOURS_OF_A_MONTH);

  // The month before is verified, too; it has no reads at once left over from its first month.
  const before = HOURS_OF_A_MONTH / 6;
  expect({ summaries, lists }).toEqual({ summaries: 169, lists: 39 });
  // Two lists for each allowance, of subscriptions and of invoices.
  expect(summaries + before + 2 * 2 * lists).toBeLessThanOrEqual(STRIPES_ALLOWANCE);
});

it('an hourly verify reads each summary anew at first, then every six hours, and says the same', async () => {
  const scene = await openPushScene(['acme', 'bolt']);
  await pushMonth(scene.options, ofMonth(scene.month));
  const reads = () =>
    scene.double.control.requests().filter(({ path }) => path.endsWith('/event_summaries')).length;
  const before = reads();
  for (let hour = 0; hour < 110; hour += 1) {
    expect((await checkSummaries(scene.options)).violations).toEqual([]);
    await scene.advance(HOUR_MS);
  }
  // The first push read each once. 50 at once, and one for each six hours since.
  expect(reads() - before).toBeLessThanOrEqual(2 * (50 + 110 / 6 + 1));

  // What changes at Stripe is seen as soon as a read is left.
  await scene.options.stripe.billing.meterEvents.create({
    event_name: 'spanledger_usage_usd',
    timestamp: Date.parse('2026-10-20T00:00:00Z') / 1000,
    payload: { stripe_customer_id: 'cus_acme', value: '7' },
  });
  await scene.advance(6 * HOUR_MS);
  expect((await checkSummaries(scene.options)).violations).toHaveLength(1);
}, 180_000);

it('an auditor asks Stripe itself, and what was kept is believed for hours at the most', async () => {
  const scene = await openPushScene(['acme']);
  const { database } = scene;
  await pushMonth(scene.options, ofMonth(scene.month));
  await makeRoles(database);
  const login = await makeLogin(database, 'spanledger_reader');
  onTestFinished(login.drop);
  const ofAuditor = { ...scene.options, database: reopen(login.url, 4) };
  await scene.options.stripe.billing.meterEvents.create({
    event_name: 'spanledger_usage_usd',
    timestamp: Date.parse('2026-10-20T00:00:00Z') / 1000,
    payload: { stripe_customer_id: 'cus_acme', value: '7' },
  });
  await scene.advance(HOUR_MS);
  const rows = () => textRows(database, 'select * from stripe_reads order by 1, 2, 3, 4');
  const before = await rows();
  expect((await checkSummaries(ofAuditor)).violations).toHaveLength(1);
  await reconcileMonth(ofAuditor, ofMonth(scene.month));
  expect(await rows()).toEqual(before);

  const kept = `update stripe_reads set figure = (select billable_micro from closes where tenant_id = 'acme')`;
  await expect(database.pool.query(`${kept}, allowance = -1`)).rejects.toThrow('reads_left');
  // Whoever may write it dates it into a day to come.
  await database.pool.query(`${kept}, allowance = 0, read_at = '2036-01-01'`);
  expect((await checkSummaries(scene.options)).violations).toHaveLength(1);
});

it('a limit of requests that lasts is waited out, by a push, a reconciliation and a release', async () => {
  const scene = await openPushScene(['acme', 'bolt']);
  const limit = (match: object) =>
    scene.double.control.injectFault({ kind: 'rate_limit', times: 10, match });
  limit({ method: 'POST', path: METER_EVENTS });
  expect((await pushMonth(scene.options, ofMonth(scene.month))).slice(0, 2)).toMatchObject([
    { state: 'confirmed' },
    { state: 'confirmed' },
  ]);
  limit({ method: 'GET', path: '/v1/billing/meters/*' });
  expect((await reconcileMonth(scene.options, ofMonth(scene.month))).slice(0, 2)).toMatchObject([
    { difference: 'none' },
    { difference: 'none' },
  ]);
});

it('a Stripe that answers nothing ends the command, and says that it may be run again', async () => {
  const scene = await openPushScene(['acme', 'bolt', 'cold']);
  await pushMonth(scene.options, ofMonth(scene.month));
  scene.double.control.injectFault({ kind: 'html_503', times: 1000, match: { method: 'GET' } });
  const unavailable = { kind: 'unavailable' };
  await expect(reconcileMonth(scene.options, ofMonth(scene.month))).rejects.toMatchObject(
    unavailable,
  );
  await expect(findMissedInvoices(scene.options, scene.month)).rejects.toMatchObject(unavailable);
});
