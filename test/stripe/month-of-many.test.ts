import Stripe from 'stripe';
import { expect, onTestFinished, test } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import { formatMinor } from '../../src/money.ts';
import type { MonthAnswer } from '../../src/month/month-answer.ts';
import { setUpSubscriptions } from '../../src/stripe/customers/subscription.ts';
import { settleMonth } from '../../src/stripe/settle-month.ts';
import { textRows } from '../support/database.ts';
import { makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';
import { brokenLaws } from '../support/worker.ts';
import type { BillingScene } from './billing-scene.ts';
import { customerOf, MONTH, openBillingScene, runWholeMonth } from './billing-scene.ts';
import { backUp, restore } from './restored-database.ts';

/**
 * A month of many tenants, with one fault of each kind in it, whose database is restored from a backup after the first
 * push: everybody else is billed to the cent, and each fault is named at one place. It is half a minute of work with the fewest tenants, each of whose faults has a test of its own in
 * `npm test`, so it is a run by itself: SPANLEDGER_TENANTS=30 npx vitest run test/stripe/month-of-many.test.ts, or 1000.
 */
const TENANTS = Number(process.env['SPANLEDGER_TENANTS'] ?? 0);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Every kind of trouble that one tenant can be in, and whether it is billed all the same. */
const FAULTS = {
  unlinked: { isBilled: false, named: 1 },
  euro: { isBilled: false, named: 1 },
  stranger: { isBilled: false, named: 1 },
  deleted: { isBilled: false, named: 1 },
  foreign: { isBilled: false, named: 1 },
  dropped: { isBilled: false, named: 1 },
  // It has neither a price nor a cost, which are two things.
  unrated: { isBilled: false, named: 2 },
  unknown: { isBilled: false, named: 1 },
  gone: { isBilled: false, named: 1 },
  stuck: { isBilled: false, named: 1 },
  twice: { isBilled: false, named: 1 },
  voided: { isBilled: false, named: 1 },
  uncounted: { isBilled: false, named: 1 },
  slow: { isBilled: false, named: 1 },
  idle: { isBilled: false, named: 1 },
  // These are billed, and a person is told of the first three.
  unsubscribed: { isBilled: true, named: 1 },
  credited: { isBilled: true, named: 1 },
  waiting: { isBilled: true, named: 1 },
  huge: { isBilled: true, named: 0 },
  leaver: { isBilled: true, named: 0 },
  replaced: { isBilled: true, named: 0 },
  latecomer: { isBilled: true, named: 0 },
  early: { isBilled: true, named: 0 },
  // A person billed it elsewhere.
  settled: { isBilled: false, named: 0 },
  dark: { isBilled: false, named: 0 },
} as const;
type FaultName = keyof typeof FAULTS;
const NAMES = Object.keys(FAULTS) as FaultName[];

test.skipIf(TENANTS === 0)(
  'a month of many tenants with a fault of each kind bills everybody else to the cent, and names each fault once',
  {
    timeout: 3 * HOUR_MS,
  },
  async () => {
    const others = Array.from({ length: TENANTS - NAMES.length }, (_, index) => `t${index}`);
    const scene = await openBillingScene({
      tenants: [...NAMES.filter((name) => name !== 'unknown'), ...others].map(
        (tenantId, index) => ({
          tenantId,
          calls: callsOf(tenantId, index),
        }),
      ),
      withSubscriptions: false,
    });
    onTestFinished(scene.close);
    const { control } = scene.double;
    await beforeTheMonth(scene);
    await duringTheMonth(scene);
    // Some answers are lost, whoever's they are.
    control.injectFault({ kind: 'apply_then_reset', match: METER_EVENTS, after: 5, times: 3 });
    control.injectFault({ kind: 'rate_limit', match: { method: 'GET' }, after: 20, times: 3 });
    // What is told is not counted yet, so that one of it can be dropped without a word.
    control.setSummaryLag(HOUR_MS);
    await backUp(scene.database);
    await run(scene);
    await restore(scene.database);
    await run(scene);
    await settle(scene);
    await drop(scene, 'uncounted');
    control.setSummaryLag(0);
    await control.advanceClock(2 * HOUR_MS);
    await run(scene);
    await control.advanceClock(3 * HOUR_MS);
    await afterTheMonth(scene);
    await control.advanceClock(8 * DAY_MS);
    await run(scene);
    await control.advanceClock(3 * HOUR_MS);

    const answer = await run(scene);

    const billed = [...others, ...NAMES.filter((name) => FAULTS[name].isBilled)];
    expect(await wronglyBilled(scene, billed)).toEqual([]);
    expect(namings(answer)).toEqual(
      Object.fromEntries(
        NAMES.map((name) => [name, FAULTS[name].named] as const).filter(([, times]) => times > 0),
      ),
    );
    expect(answer.done).toBe(false);
    expect(await brokenLaws(scene.database)).toEqual([]);
  },
);

/** Over 999,999,999.999999 USD, in calls that one entry can hold. */
const HUGE = Array.from({ length: 300 }, () => 1_000_000_000_000);

function callsOf(tenantId: string, index: number): readonly number[] {
  if (tenantId === 'huge') return HUGE;
  return tenantId === 'idle' ? [] : [1_000_003 + index * 977];
}

const METER_EVENTS = { method: 'POST', path: '/v1/billing/meter_events' };
const CYCLE = { day_of_month: 1, hour: 0, minute: 0, second: 0 };

const run = ({ parts }: BillingScene): Promise<MonthAnswer> => runWholeMonth(parts, MONTH);

/** The subscriptions are made; of some tenants other ones than ours, or none. */
async function beforeTheMonth({ parts, meter, database, double }: BillingScene): Promise<void> {
  const { stripe } = parts;
  const apart = [
    ...['unsubscribed', 'replaced', 'dark', 'unlinked'],
    ...['slow', 'latecomer', 'settled', 'euro'],
  ];
  // Somebody else bills this one, in another currency.
  double.control.addCustomer({ id: customerOf('euro'), currency: 'eur' });
  for (const tenantId of apart) await makeTenant(database, tenantId, { mode: 'shadow' });
  await setUpSubscriptions(parts, meter);
  for (const tenantId of apart.filter((name) => name !== 'dark')) {
    await makeTenant(database, tenantId, { mode: 'live' });
  }
  const subscribe = (tenantId: string, price: string, cycle = CYCLE) =>
    stripe.subscriptions.create({
      customer: customerOf(tenantId),
      items: [{ price }],
      billing_cycle_anchor_config: cycle,
    });
  await subscribe('slow', meter.priceId, { ...CYCLE, day_of_month: 28 });
  await subscribe('twice', meter.priceId);
  const price = await stripe.prices.create({
    currency: 'usd',
    product: meter.productId,
    unit_amount_decimal: Stripe.Decimal.from('0.0001'),
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.meterId },
  });
  await subscribe('replaced', price.id);
}

async function duringTheMonth({ parts, meter, database, double }: BillingScene): Promise<void> {
  const { stripe } = parts;
  await double.control.setClock(parseInstant('2026-10-20T00:00:00Z'));
  const usage = { input_tokens: 1_000, output_tokens: 10 };
  await receiveEvents(database, [
    nativeEvent({ event_id: 'n-1', tenant_id: 'unrated', requested_model: 'nobody-knows', usage }),
    nativeEvent({ event_id: 'n-2', tenant_id: 'unknown', usage }),
    nativeEvent({ event_id: 'n-3', tenant_id: 'waiting', attempt: 0, usage }),
  ]);
  for (const tenantId of ['foreign', 'idle']) {
    await stripe.billing.meterEvents.create({
      event_name: meter.eventName,
      timestamp: parseInstant('2026-10-19T00:00:00Z') / 1000,
      payload: { stripe_customer_id: customerOf(tenantId), value: '7' },
    });
  }
  const [leaving] = (await stripe.subscriptions.list({ customer: customerOf('leaver') })).data;
  await stripe.subscriptions.cancel(leaving?.id ?? '');
  await stripe.customers.del(customerOf('deleted'));
  await stripe.customers.del(customerOf('dropped'));
  await double.control.settle();
  await database.pool.query(
    `update tenants set stripe_customer = 'cus_nowhere' where tenant_id = 'stranger';
     update tenants set stripe_customer = null where tenant_id in ('unlinked', 'settled');
     update stripe_customers set state = 'present', checked_at = '2026-11-01T00:29:00Z' where tenant_id = 'dropped'`,
  );
  await double.control.setClock(parseInstant('2026-11-01T00:00:01Z'));
  const draftOf = async (tenantId: string) =>
    (await stripe.invoices.list({ customer: customerOf(tenantId) })).data[0]?.id ?? '';
  const refusing = (method: string, path: string, status: number) =>
    double.control.injectFault({ kind: 'error', status, times: 10_000, match: { method, path } });
  refusing('GET', `/v1/invoices/${await draftOf('gone')}`, 404);
  refusing('POST', `/v1/invoices/${await draftOf('stuck')}`, 400);
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  await stripe.invoices.finalizeInvoice(await draftOf('early'));
  await stripe.subscriptions.create({
    customer: customerOf('latecomer'),
    items: [{ price: meter.priceId }],
    billing_cycle_anchor_config: CYCLE,
  });
  await double.control.settle();
}

/** A person has billed a tenant without a customer by other means. */
async function settle({ parts, database }: BillingScene): Promise<void> {
  const [period] = await textRows(
    database,
    "select charge_total::text from closes where tenant_id = 'settled'",
  );
  await settleMonth(parts, {
    tenant_id: 'settled',
    month: MONTH,
    amount: formatMinor(BigInt(period?.['charge_total'] ?? 0), 'USD'),
    reason: 'invoice 7 of the bookkeeping',
    actor: 'ann',
  });
}

/** Takes back what was told of a tenant, as Stripe does with what it answered by 200 and never counts. */
async function drop({ parts, meter, database }: BillingScene, tenantId: string): Promise<void> {
  const [intent] = await textRows(
    database,
    `select identifier from push_intents where tenant_id = '${tenantId}'`,
  );
  await parts.stripe.billing.meterEventAdjustments.create({
    event_name: meter.eventName,
    type: 'cancel',
    cancel: { identifier: intent?.['identifier'] ?? '' },
  });
}

async function afterTheMonth({ parts, double }: BillingScene): Promise<void> {
  const { invoices, creditNotes } = parts.stripe;
  const finalOf = async (tenantId: string) =>
    (await invoices.list({ customer: customerOf(tenantId) })).data[0]?.id ?? '';
  await invoices.voidInvoice(await finalOf('voided'));
  await creditNotes.create({ invoice: await finalOf('credited'), amount: 1 });
  await double.control.settle();
}

/** Whose final invoices together are not the statement, to the cent. */
async function wronglyBilled(
  { parts, database }: BillingScene,
  tenants: readonly string[],
): Promise<readonly string[]> {
  const rows = await textRows(database, 'select tenant_id, charge_total::text from closes');
  const due = new Map(rows.map((row) => [row['tenant_id'], Number(row['charge_total'])]));
  const wrong: string[] = [];
  for (const tenantId of tenants) {
    const invoices = await parts.stripe.invoices.list({ customer: customerOf(tenantId) });
    const final = invoices.data.filter(({ status }) => status === 'open' || status === 'paid');
    const total = final.reduce((sum, invoice) => sum + invoice.total, 0);
    if (total !== due.get(tenantId)) wrong.push(`${tenantId}: ${total} of ${due.get(tenantId)}`);
  }
  return wrong;
}

/** At how many places of the answer each tenant is named: in steps that are not done, and in what is missing. */
function namings({ steps, missing }: MonthAnswer): Readonly<Record<string, number>> {
  const places = [
    ...steps.filter(({ state }) => state !== 'done').map(({ detail }) => detail),
    ...missing.map(({ tenant_id, detail }) => `tenant "${tenant_id}": ${detail}`),
  ];
  const counts: Record<string, number> = {};
  for (const place of places) {
    const names = new Set([...place.matchAll(/tenant "(\w+)"/g)].map(([, name = '']) => name));
    for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
