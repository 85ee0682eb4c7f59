import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { formatMinor } from '../../src/money.ts';
import { releaseInvoices } from '../../src/stripe/invoices/invoice.ts';
import { verifyReleased } from '../../src/stripe/invoices/verify-released.ts';
import { itemAmount } from '../../src/stripe/items/tell-item.ts';
import { pushMonth } from '../../src/stripe/push-month.ts';
import { reconcileMonth } from '../../src/stripe/reconcile-month.ts';
import { settleMonth } from '../../src/stripe/settle-month.ts';
import { openStripe } from '../../src/stripe/stripe-client.ts';
import type { StripeParts } from '../../src/stripe/stripe-parts.ts';
import { textRows } from '../support/database.ts';
import { makeTenant } from '../support/ledger.ts';
import { ofMonth } from '../support/stripe.ts';
import type { BillingScene } from './billing-scene.ts';
import { customerOf, MONTH, openBillingScene, runSteps } from './billing-scene.ts';

/**
 * One month in which each tenant meets what a person, another program or a wrong key does to it. What is right was
 * worked out first: each is billed once, by whatever still can bill it, and a wrong key changes nothing.
 */
const HOUR_MS = 3_600_000;
const METER_EVENTS = { method: 'POST', path: '/v1/billing/meter_events' };
const LONG = `${'très-long/'.repeat(15)}#1`;
const OTHER_KEY = 'sk_test_other';

let scene: BillingScene;
let parts: StripeParts;
beforeAll(async () => {
  scene = await openBillingScene({
    tenants: [
      { tenantId: 'eager' },
      { tenantId: 'copied' },
      { tenantId: 'silent' },
      { tenantId: 'taken' },
      { tenantId: 'tiny', calls: [3] },
      { tenantId: LONG },
      { tenantId: 'part' },
      { tenantId: 'late' },
      { tenantId: 'moved' },
      { tenantId: 'dark', mode: 'shadow' },
    ],
  });
  parts = scene.parts;
  const { control } = scene.double;
  await control.setClock(parseInstant('2026-10-20T00:00:00Z'));
  for (const tenantId of ['tiny', LONG]) {
    const { data } = await parts.stripe.subscriptions.list({ customer: customerOf(tenantId) });
    for (const { id } of data) await parts.stripe.subscriptions.cancel(id);
  }
  await control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  await closePeriods(parts, { month: MONTH, tenant_id: null });
});
afterAll(() => scene.close());

const pushOf = async (tenantId: string) =>
  (await pushMonth(parts, ofMonth(MONTH, { tenant_id: tenantId })))[0];

async function closeOf(
  tenantId: string,
): Promise<{ readonly micro: string; readonly total: string }> {
  const [row] = await textRows(
    scene.database,
    'select billable_micro::bigint::text as micro, charge_total::text as total from closes where tenant_id = $1',
    [tenantId],
  );
  return { micro: row?.['micro'] ?? '', total: formatMinor(BigInt(row?.['total'] ?? 0), 'USD') };
}

const settle = async (tenantId: string, amount: string) =>
  settleMonth(parts, {
    ...{ tenant_id: tenantId, month: MONTH, amount },
    ...{ reason: 'invoice 7', actor: 'ann' },
  });

const invoiceStates = () =>
  textRows(scene.database, 'select invoice_id, state from stripe_invoices order by 1');

const eventsOf = (customer: string) =>
  scene.double.control.meterEvents().filter((event) => event.customer === customer);

async function expectNothingChanged(work: (wrong: StripeParts) => Promise<unknown>): Promise<void> {
  const before = await invoiceStates();
  const other = openStripe({ apiKey: OTHER_KEY, apiBase: scene.double.url });
  await expect(work({ ...parts, stripe: other })).rejects.toThrow('belongs to Stripe account');
  await expect(work({ ...parts, livemode: true })).rejects.toThrow('no meter and no invoices');
  expect(await invoiceStates()).toEqual(before);
}

test('a key of another account or mode lets no draft go, and takes none for gone', async () => {
  await expectNothingChanged((wrong) => releaseInvoices(wrong, { month: MONTH }));
});

test('what another program told under its own identifier, to the unit, is not told again', async () => {
  await parts.stripe.billing.meterEvents.create({
    event_name: scene.meter.eventName,
    identifier: 'spl-otherbook-copied-2026-10-01-usd-1',
    timestamp: parseInstant('2026-10-31T23:59:59Z') / 1000,
    payload: { stripe_customer_id: customerOf('copied'), value: (await closeOf('copied')).micro },
  });
  expect(await pushOf('copied')).toMatchObject({ state: 'confirmed' });
  expect(eventsOf('cus_copied')).toHaveLength(1);
});

test('a tenant that goes into shadow while its request is unanswered is told once all the same', async () => {
  scene.double.control.injectFault({ kind: 'reset_before_apply', match: METER_EVENTS, times: 5 });
  expect(await pushOf('silent')).toMatchObject({ state: 'sent' });
  await makeTenant(scene.database, 'silent', { mode: 'shadow' });
  expect(await pushOf('silent')).toMatchObject({ state: 'confirmed' });
  await makeTenant(scene.database, 'silent', { mode: 'live' });
  expect(eventsOf('cus_silent')).toHaveLength(1);
});

test('an answer that names the identifier of somebody else delivers nothing', async () => {
  const message = 'An event already exists with identifier spl-testbook-eager-2026-10-01-usd-1.';
  scene.double.control.injectFault({ kind: 'error', status: 400, message, match: METER_EVENTS });
  expect((await pushOf('taken'))?.state).not.toBe('confirmed');
  expect(eventsOf('cus_taken')).toEqual([]);
});

test('nothing of a month in shadow is settled', async () => {
  await expect(settle('dark', '1.00')).rejects.toThrow('is due, since it was closed in shadow');
});

test('what was told and is settled after that is taken back, and what is settled in part is told in the rest', async () => {
  await settle('part', '1.00');
  expect(await pushOf('late')).toMatchObject({ state: 'confirmed' });
  await settle('late', (await closeOf('late')).total);
  expect(await pushOf('late')).toMatchObject({ state: 'confirmed' });
  const values = eventsOf('cus_late').map(({ value }) => BigInt(value));
  expect(values.reduce((sum, value) => sum + value, 0n)).toBe(0n);
});

test('each is billed once in the end, by what still can bill it', async () => {
  const { control } = scene.double;
  const { stripe } = parts;
  const customer = customerOf('eager');
  const [draft] = (await stripe.invoices.list({ customer })).data;
  // A person lets a draft go before anything was told of its period.
  await stripe.invoices.update(draft?.id ?? '', { auto_advance: true });
  await control.advanceClock(2 * HOUR_MS);
  await runSteps(parts, MONTH);
  control.addCustomer({ id: 'cus_new' });
  await scene.database.pool.query(
    "update tenants set stripe_customer = 'cus_new' where tenant_id = 'moved'",
  );
  await expectNothingChanged((wrong) => verifyReleased(wrong, MONTH));
  await control.advanceClock(3 * HOUR_MS);
  await runSteps(parts, MONTH);
  await control.advanceClock(80 * HOUR_MS);

  const wrong = await scene.differences();
  const of = (names: readonly string[]) =>
    wrong.filter((text) => names.some((name) => text.startsWith(`${name} `)));
  expect(of(['eager', 'copied', 'silent', 'tiny', LONG, 'moved'])).toEqual([]);
  expect(eventsOf('cus_new')).toEqual([]);
  const rows = await reconcileMonth(parts, ofMonth(MONTH));
  const found = new Map(rows.map((row) => [row.tenant_id, row.difference]));
  expect(['part', 'late', 'moved', 'tiny', LONG].map((name) => found.get(name))).toEqual(
    Array.from({ length: 5 }, () => 'none'),
  );
  const rest = BigInt((await closeOf('part')).micro) - 1_000_000n;
  expect(eventsOf('cus_part').map(({ value }) => value)).toEqual([String(rest)]);
});

test('an item is in whole units of currencies without decimals, and in tens of those with three', () => {
  expect(itemAmount(1_234_500_000n, 'JPY')).toBe(1_235n);
  expect(itemAmount(499_999n, 'JPY')).toBe(0n);
  expect(itemAmount(1_234_564n, 'KWD')).toBe(1_230n);
  expect(itemAmount(1_235_000n, 'KWD')).toBe(1_240n);
});
