import { expect, onTestFinished, test, vi } from 'vitest';
import { remedyText } from '../../../src/cli/terminal/commands-to-type.ts';
import { parseInstant } from '../../../src/clock.ts';
import { closeDatabase, openDatabase } from '../../../src/database/database.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { readAlerts } from '../../../src/push/alert-store.ts';
import { cycleAnchorFor, findMisfit } from '../../../src/stripe/customers/billing-cycle.ts';
import { linkCustomers } from '../../../src/stripe/customers/link-customers.ts';
import { setUpSubscriptions } from '../../../src/stripe/customers/subscription.ts';
import { periodsBilledBy, periodsThere } from '../../../src/stripe/invoices/billed-period.ts';
import { holdInvoice, releaseInvoices } from '../../../src/stripe/invoices/invoice.ts';
import { readInvoice, readInvoices } from '../../../src/stripe/invoices/invoice-store.ts';
import { minorPerMicro, setUpMeter } from '../../../src/stripe/meters/set-up-meter.ts';
import { pushMonth } from '../../../src/stripe/push-month.ts';
import { reconcileMonth } from '../../../src/stripe/reconcile-month.ts';
import { checkSummaries } from '../../../src/stripe/summary-law.ts';
import { textRows } from '../../support/database.ts';
import { importBook, makeTenant, sharedBook } from '../../support/ledger.ts';
import { ofMonth } from '../../support/stripe.ts';
import type { SceneOptions } from '../billing-scene.ts';
import { ACME, customerOf, MONTH, openBillingScene, runSteps } from '../billing-scene.ts';

const HOUR_MS = 3_600_000;
const NOW = parseInstant('2026-10-01T12:00:00Z');

async function scene(options: SceneOptions = {}) {
  const opened = await openBillingScene(options);
  onTestFinished(opened.close);
  return opened;
}

const calendar = (timeZone: string, anchorDay: number) => [
  { effectiveFrom: null, timeZone, anchorDay },
];

const ZONES = [
  'UTC',
  'America/New_York',
  'America/Los_Angeles',
  'Europe/Berlin',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Australia/Adelaide',
  'Australia/Lord_Howe',
  'Pacific/Auckland',
  'Pacific/Pago_Pago',
];

/** The quick run has the first, the middle and the ends of months; SPANLEDGER_CASES is every day. */
const DAYS =
  process.env['SPANLEDGER_CASES'] === undefined
    ? [1, 2, 15, 28, 29, 30, 31]
    : Array.from({ length: 31 }, (_, index) => index + 1);

test.each(ZONES)('a Stripe cycle holds each period of %s once, whatever its anchor day', (zone) => {
  for (const day of DAYS) {
    // An anchor is only given where no period of two years misfits.
    expect(cycleAnchorFor(calendar(zone, day), NOW), `day ${day}`).not.toBeNull();
  }
});

test('the cycle of UTC months begins at midnight of the first, and of a half-hour zone at half past', () => {
  const midnight = { hour: 0, minute: 0, second: 0 };
  expect(cycleAnchorFor(calendar('UTC', 1), NOW)).toEqual({ dayOfMonth: 1, ...midnight });
  expect(cycleAnchorFor(calendar('UTC', 31), NOW)).toEqual({ dayOfMonth: 31, ...midnight });
  // Midnight in India is 18:30 of the last day of the month before.
  expect(cycleAnchorFor(calendar('Asia/Kolkata', 1), NOW)).toEqual({
    dayOfMonth: 31,
    hour: 18,
    minute: 30,
    second: 0,
  });
  // New York's periods end at 04:00 UTC in summer and 05:00 in winter; 05:00 is after both.
  expect(cycleAnchorFor(calendar('America/New_York', 1), NOW)?.hour).toBe(5);
});

test('a cycle that ends before the period ends would bill it a month late, and the period is named', () => {
  const early = { dayOfMonth: 1, hour: 4, minute: 0, second: 0 };
  // November 2026 ends in New York on December 1 at 05:00 UTC.
  expect(findMisfit(early, calendar('America/New_York', 1), NOW)?.startDate).toBe('2026-11-01');
});

test("an invoice's period is the tenant's period whose end falls into it", () => {
  const october = { start: 1790830800, end: 1793509200 };
  const newYork = calendar('America/New_York', 1);
  expect(startsOf(periodsBilledBy(newYork, october))).toEqual(['2026-10-01']);
  const ofNovember = { start: october.end, end: 1796101200 };
  expect(startsOf(periodsBilledBy(newYork, ofNovember))).toEqual(['2026-11-01']);
  const minute = { start: october.start, end: october.start + 60 };
  expect(periodsBilledBy(calendar('UTC', 15), minute)).toEqual([]);
});

function startsOf(periods: readonly { readonly startDate: string }[]): readonly string[] {
  return periods.map(({ startDate }) => startDate);
}

test('the invoice of one who left in the middle bills the period that ended there, and the one after it only once that is there', () => {
  const leftAt = parseInstant('2026-10-21T00:00:00Z');
  const split = [...calendar('UTC', 1), { effectiveFrom: leftAt, timeZone: 'UTC', anchorDay: 1 }];
  const cycle = (from: string, to: string) => ({
    start: parseInstant(`${from}T00:00:00Z`) / 1000,
    end: parseInstant(`${to}T00:00:00Z`) / 1000,
  });
  const october = periodsBilledBy(split, cycle('2026-10-01', '2026-11-01'));
  const november = periodsBilledBy(split, cycle('2026-11-01', '2026-12-01'));
  expect(startsOf(october)).toEqual(['2026-10-01', '2026-10-21']);
  const there = (periods: typeof october, startDates: readonly string[]) =>
    startsOf(periodsThere(periods, { leftAt, startDates }));
  expect(there(october, [])).toEqual(['2026-10-01']);
  expect(there(october, ['2026-10-01'])).toEqual(['2026-10-01']);
  expect(there(october, ['2026-10-01', '2026-10-21'])).toEqual(['2026-10-01', '2026-10-21']);
  expect(there(november, [])).toEqual([]);
  expect(there(november, ['2026-11-01'])).toEqual(['2026-11-01']);
});

test('tenants in every kind of zone are billed to the cent by the subscriptions made for them', async () => {
  const { parts, double, differences, database } = await scene({
    tenants: [
      { tenantId: 'utc' },
      { tenantId: 'newyork', timeZone: 'America/New_York' },
      { tenantId: 'kolkata', timeZone: 'Asia/Kolkata' },
      { tenantId: 'adelaide', timeZone: 'Australia/Adelaide' },
      { tenantId: 'mid', timeZone: 'Europe/Berlin', anchorDay: 15 },
    ],
    setUpAt: '2026-10-01T06:00:00Z',
  });
  for (const at of ['2026-11-01T14:00:00Z', '2026-11-16T00:00:00Z']) {
    await double.control.setClock(parseInstant(at));
    await runSteps(parts, MONTH);
  }
  await double.control.setClock(parseInstant('2026-11-17T00:00:00Z'));

  const invoices = await readInvoices(database, { month: MONTH, tenantId: null });
  expect(invoices.map((invoice) => [invoice.tenantId, invoice.state])).toEqual(
    ['adelaide', 'kolkata', 'mid', 'newyork', 'utc'].map((tenantId) => [tenantId, 'finalized']),
  );
  expect(await differences()).toEqual([]);
  expect(await readAlerts(database)).toEqual([]);
});

test('an existing subscription that would bill wrongly is named with what to do, and left alone', async () => {
  const { parts, meter, double } = await scene({
    tenants: [{ tenantId: 'newyork', timeZone: 'America/New_York' }, ACME, { tenantId: 'twice' }],
    withSubscriptions: false,
  });
  const subscribe = (tenantId: string, hour: number) =>
    parts.stripe.subscriptions.create({
      customer: customerOf(tenantId),
      items: [{ price: meter.priceId }],
      billing_cycle_anchor_config: { day_of_month: 1, hour, minute: 0, second: 0 },
    });
  const early = await subscribe('newyork', 4);
  await subscribe('acme', 0);
  await subscribe('twice', 0);
  await subscribe('twice', 0);

  const results = await setUpSubscriptions(parts, meter);

  expect(results.map((row) => [row.tenant_id, row.state])).toEqual([
    ['acme', 'fits'],
    ['newyork', 'would_bill_wrongly'],
    ['twice', 'would_bill_wrongly'],
  ]);
  expect(results[1]?.detail).toContain(`${early.id} bills on day 1 at 04:00 UTC`);
  expect(remedyText(results[1]?.remedy ?? [])).toBe(
    `cancel ${early.id} in Stripe and run "spanledger stripe setup --currency USD --subscriptions --tenant newyork", which makes one that bills on day 1 at 05:00 UTC`,
  );
  expect(results[2]?.detail).toContain('2 items bill the same usage');
  const made = double.control
    .requests()
    .filter((request) => request.path === '/v1/subscriptions' && request.method === 'POST');
  expect(made).toHaveLength(4);
});

test('subscriptions are made once, and the second time they fit', async () => {
  const { parts, meter } = await scene({ withSubscriptions: false });
  expect((await setUpSubscriptions(parts, meter)).map((row) => row.state)).toEqual(['made']);
  expect((await setUpSubscriptions(parts, meter)).map((row) => row.state)).toEqual(['fits']);
});

test('a tenant has a subscription in the currency that it is charged in, and in no other', async () => {
  const { parts, meter, double, database } = await scene({ withSubscriptions: false });
  const inEuros = { ...Object(sharedBook('standard')), book: 'euro', currency: 'EUR' };
  await importBook(database, inEuros);
  double.control.addCustomer({ id: customerOf('aurora') });
  const change = { mode: 'live', priceBook: 'euro', stripeCustomer: customerOf('aurora') } as const;
  await makeTenant(database, 'aurora', change);
  const setUp = async (of: typeof meter, tenantId: string | null = null) =>
    (await setUpSubscriptions(parts, of, tenantId)).map((row) => [row.tenant_id, row.state]);

  expect(await setUp(meter)).toEqual([['acme', 'made']]);
  expect(await setUp(meter, 'aurora')).toEqual([['aurora', 'refused']]);
  expect(await setUp(await setUpMeter(parts.stripe, 'EUR'))).toEqual([['aurora', 'made']]);
});

test('a subscription that has ended is followed by another, on the same day too', async () => {
  const { parts, meter } = await scene({ withSubscriptions: false });
  const [first] = await setUpSubscriptions(parts, meter);
  await parts.stripe.subscriptions.cancel(first?.subscription ?? '');

  const [second] = await setUpSubscriptions(parts, meter);

  expect(second?.state).toBe('made');
  expect(second?.subscription).not.toBe(first?.subscription);
  const active = await parts.stripe.subscriptions.list({ customer: customerOf('acme') });
  expect(active.data.map(({ id }) => id)).toEqual([second?.subscription]);
});

test('a draft that is released while it is being held is not left behind', async () => {
  // given the request that holds the draft is under way, and everything else happens meanwhile
  const { parts, double, database, differences } = await scene({ withWebhooks: false });
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  const [draft] = (await parts.stripe.invoices.list({ customer: customerOf('acme') })).data;
  const match = { method: 'POST', path: '/v1/invoices/*' };
  double.control.injectFault({ kind: 'hold', match });
  const holding = holdInvoice(parts, draft?.id ?? '');
  await vi.waitFor(() => expect(double.control.held()).toBe(1));
  await runSteps(parts, MONTH);
  expect((await readInvoices(database, { month: MONTH, tenantId: null }))[0]?.state).toBe(
    'released',
  );

  // when Stripe does it last
  double.control.releaseHeld();

  expect(await holding).toBe('let go: its push was proven in the meantime');
  await double.control.advanceClock(2 * HOUR_MS);
  expect(await differences()).toEqual([]);
});

test('a draft that is released while it is being held, by a process that ends then, is let go by the next release', async () => {
  const { parts, double, database, differences } = await scene({ withWebhooks: false });
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  const [draft] = (await parts.stripe.invoices.list({ customer: customerOf('acme') })).data;
  const match = { method: 'POST', path: '/v1/invoices/*' };
  double.control.injectFault({ kind: 'hold', match });
  const ending = openDatabase({ url: database.url, connections: 2, onConnectionLost: () => {} });
  const holding = holdInvoice({ ...parts, database: ending }, draft?.id ?? '');
  const ends = expect(holding).rejects.toThrow();
  await vi.waitFor(() => expect(double.control.held()).toBe(1));
  await runSteps(parts, MONTH);
  await closeDatabase(ending);
  double.control.releaseHeld();
  await ends;

  // then it stays a draft that nobody looks at, until whoever releases does
  await double.control.advanceClock(30 * 24 * HOUR_MS);
  const kept = async () => (await readInvoices(database, { month: MONTH, tenantId: null }))[0];
  expect(await kept()).toMatchObject({ state: 'released' });
  expect(await differences()).not.toEqual([]);
  await releaseInvoices(parts, { month: MONTH });

  expect(await kept()).toMatchObject({ state: 'released', holdAskedAt: null });
  await double.control.advanceClock(2 * HOUR_MS);
  expect(await differences()).toEqual([]);
});

/** Stripe hears nothing of what holds the draft, and whoever asked for it has ended; its event never comes again. */
async function unheldDraft() {
  const opened = await scene({ withWebhooks: false });
  const { parts, double } = opened;
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  const [draft] = (await parts.stripe.invoices.list({ customer: customerOf('acme') })).data;
  const id = draft?.id ?? '';
  const match = { method: 'POST', path: '/v1/invoices/*' };
  double.control.injectFault({ kind: 'reset_before_apply', match, times: 6 });
  await expect(holdInvoice(parts, id)).rejects.toThrow();
  double.control.clearFaults();
  const known = () => readInvoice(opened.database, id);
  expect(await known()).toMatchObject({ state: 'held' });
  return { ...opened, id, known };
}

test('a draft that was asked to be held, and was not, is known to be final before its usage is told', async () => {
  const { parts, double, known, differences } = await unheldDraft();
  await double.control.advanceClock(2 * HOUR_MS);

  await closePeriods(parts, { month: MONTH, tenant_id: null });
  await pushMonth(parts, ofMonth(MONTH));

  expect(await known()).toMatchObject({ state: 'finalized', quantity: 0n });
  await runSteps(parts, MONTH);
  await double.control.advanceClock(2 * HOUR_MS);
  expect(await differences()).toEqual([]);
});

test('a draft that was asked to be held, and was not, is held before its usage is told', async () => {
  const { parts, double, id, differences } = await unheldDraft();

  await closePeriods(parts, { month: MONTH, tenant_id: null });
  await pushMonth(parts, ofMonth(MONTH));

  expect(await parts.stripe.invoices.retrieve(id)).toMatchObject({
    ...{ status: 'draft', auto_advance: false },
  });
  await double.control.advanceClock(2 * HOUR_MS);
  await runSteps(parts, MONTH);
  await double.control.advanceClock(2 * HOUR_MS);
  expect(await differences()).toEqual([]);
});

test('an invoice that a webhook tells to be final while its period is looked at, is told nothing more', async () => {
  const { parts, double, differences } = await scene({ withWebhooks: false });
  await double.control.setClock(parseInstant('2026-11-01T02:30:00Z'));
  const [final] = (await parts.stripe.invoices.list({ customer: customerOf('acme') })).data;
  await closePeriods(parts, { month: MONTH, tenant_id: null });
  const { subscriptions } = parts.stripe;
  const list = subscriptions.list.bind(subscriptions);
  const looked = vi.spyOn(subscriptions, 'list').mockImplementation((...given) => {
    looked.mockRestore();
    const told = holdInvoice(parts, final?.id ?? '').then(() => list(...given));
    return told as unknown as ReturnType<typeof list>;
  });

  await pushMonth(parts, ofMonth(MONTH));

  expect(double.control.meterEvents()).toEqual([]);
  await double.control.advanceClock(2 * HOUR_MS);
  expect(await differences()).toEqual([]);
});

test('a draft that a person holds after its release stays held', async () => {
  const { parts, double, database } = await scene({ withWebhooks: false });
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  const [draft] = (await parts.stripe.invoices.list({ customer: customerOf('acme') })).data;
  const id = draft?.id ?? '';
  expect(await holdInvoice(parts, id)).toBe('held until the push is proven');
  await double.control.advanceClock(2 * HOUR_MS);
  await runSteps(parts, MONTH);
  const [row] = await readInvoices(database, { month: MONTH, tenantId: null });
  expect(row).toMatchObject({ state: 'released', holdAskedAt: null });

  await parts.stripe.invoices.update(id, { auto_advance: false });
  await releaseInvoices(parts, { month: MONTH });

  expect(await parts.stripe.invoices.retrieve(id)).toMatchObject({ auto_advance: false });
});

test('a held draft of which an event tells once more after the proof is let go at Stripe, too', async () => {
  const { parts, double, database, differences } = await scene({ withWebhooks: false });
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  const [draft] = (await parts.stripe.invoices.list({ customer: customerOf('acme') })).data;
  expect(await holdInvoice(parts, draft?.id ?? '')).toBe('held until the push is proven');
  await closePeriods(parts, { month: MONTH, tenant_id: null });
  await pushMonth(parts, ofMonth(MONTH));

  expect(await holdInvoice(parts, draft?.id ?? '')).toBe('let go: its usage is proven to be there');

  const [invoice] = await readInvoices(database, { month: MONTH, tenantId: null });
  expect(invoice?.state).toBe('released');
  await double.control.advanceClock(2 * HOUR_MS);
  expect(await differences()).toEqual([]);
});

test('customers that name their tenant are linked to it', async () => {
  const { parts, database } = await scene({
    withSubscriptions: false,
    tenants: [ACME, { tenantId: 'globex' }],
  });
  await database.pool.query('update tenants set stripe_customer = null');
  const metadata = { spanledger_tenant: 'globex' };
  const customer = await parts.stripe.customers.create({ name: 'Globex', metadata });

  expect(await linkCustomers(parts)).toEqual([
    { tenant_id: 'acme', stripe_customer: null, state: 'not_found' },
    { tenant_id: 'globex', stripe_customer: customer.id, state: 'linked' },
  ]);
  expect((await linkCustomers(parts))[1]?.state).toBe('kept');
});

test('a final invoice that differs from the statement is an alert with both figures', async () => {
  const { parts, double, database, meter } = await scene();
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  await runSteps(parts, MONTH);
  // Somebody else reports a cent to the meter after the proof and before finalization.
  await parts.stripe.billing.meterEvents.create({
    event_name: meter.eventName,
    timestamp: parseInstant('2026-10-20T00:00:00Z') / 1000,
    payload: { stripe_customer_id: customerOf('acme'), value: '10000' },
  });
  await double.control.advanceClock(2 * HOUR_MS);

  const [alert] = await readAlerts(database);
  expect(alert).toMatchObject({
    kind: 'invoice_differs',
    tenantId: 'acme',
    periodStart: '2026-10-01',
  });
  expect(alert?.detail).toMatch(
    /it bills \d+ micro and \d+\.\d\d USD, the statement says \d+ micro/,
  );
});

test('usage that Stripe took after finalization is seen', async () => {
  const { parts, double, database } = await scene({ withWebhooks: true });
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  await closePeriods({ database, clock: parts.clock }, { month: MONTH, tenant_id: null });
  // given somebody finalizes the held draft by hand before the push
  const [invoice] = await readInvoices(database, { month: MONTH, tenantId: 'acme' });
  await parts.stripe.invoices.finalizeInvoice(invoice?.invoiceId ?? '');
  await double.control.settle();

  expect((await readAlerts(database)).map((alert) => alert.kind)).toEqual(['invoice_differs']);

  // given usage that was told all the same
  await database.pool.query(
    `insert into push_intents (tenant_id, period_start, sequence, identifier, meter, stripe_customer, value_micro,
       event_timestamp, state, created_at)
     select 'acme', period_start, 1, 'told', 'spanledger_usage_usd', 'cus_acme', billable_micro, 0, 'confirmed', now()
     from closes where tenant_id = 'acme'`,
  );
  const [row] = (await database.pool.query('select value_micro from push_intents')).rows;
  await parts.stripe.billing.meterEvents.create({
    event_name: 'spanledger_usage_usd',
    timestamp: parseInstant('2026-10-31T23:59:59Z') / 1000,
    payload: { stripe_customer_id: 'cus_acme', value: String(row?.value_micro) },
  });
  const [acme] = await reconcileMonth(parts, ofMonth(MONTH));
  expect(acme).toMatchObject({ difference: 'after_finalization', explained: false });
});

test('usage that the meter loses after its final invoice has billed it comes to its end', async () => {
  const { parts, double, database, meter } = await scene({ withWebhooks: true });
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  await runSteps(parts, MONTH);
  await double.control.advanceClock(3 * HOUR_MS);
  expect(await readInvoices(database, { month: MONTH, tenantId: 'acme' })).toMatchObject([
    { state: 'finalized' },
  ]);

  const [told] = await textRows(database, 'select identifier from push_intents');
  await parts.stripe.billing.meterEventAdjustments.create({
    event_name: meter.eventName,
    type: 'cancel',
    cancel: { identifier: told?.['identifier'] ?? '' },
  });
  await double.control.advanceClock(3 * HOUR_MS);

  const [acme] = await reconcileMonth(parts, ofMonth(MONTH));
  expect(acme).toMatchObject({ stripe: '0', difference: 'billed', explained: true, remedy: null });
  expect((await checkSummaries(parts)).violations).toEqual([]);
});

test('a shadow tenant is never held and never told', async () => {
  const { parts, double, database } = await scene({ tenants: [{ ...ACME, mode: 'shadow' }] });
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  const results = await runSteps(parts, MONTH);
  expect(results.every((result) => result.state === 'done')).toBe(true);
  expect(await readInvoices(database, { month: null, tenantId: null })).toEqual([]);
  expect(double.control.meterEvents()).toEqual([]);
});

test('the price of a micro unit is in minor units, of which yen has no decimals', () => {
  expect(minorPerMicro('USD')).toBe('0.0001');
  expect(minorPerMicro('JPY')).toBe('0.000001');
});
