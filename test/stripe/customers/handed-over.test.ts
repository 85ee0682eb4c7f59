import { expect, onTestFinished, test } from 'vitest';
import { remedyText } from '../../../src/cli/terminal/commands-to-type.ts';
import { parseInstant } from '../../../src/clock.ts';
import { correctEntry } from '../../../src/ledger/corrections/correct-entry.ts';
import { readOpenAlerts } from '../../../src/push/alert-store.ts';
import { Refusal } from '../../../src/refusal.ts';
import { setTenant } from '../../../src/tenants/set-tenant.ts';
import { textRows } from '../../support/database.ts';
import { receiveEvents } from '../../support/ledger.ts';
import type { BillingScene } from '../billing-scene.ts';
import { customerOf, MONTH, openBillingScene, runWholeMonth, usage } from '../billing-scene.ts';

const CUSTOMER = customerOf('acme');
const OCTOBER_CENTS = 624;

async function opened(): Promise<BillingScene> {
  const scene = await openBillingScene();
  onTestFinished(scene.close);
  return scene;
}

async function link({ parts }: BillingScene, tenantId: string, customer: string): Promise<string> {
  const change = { tenant_id: tenantId, mode: 'live', stripe_customer: customer } as const;
  try {
    await setTenant(parts, change);
    return 'given';
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return `${error.message}; ${remedyText(error.remedy)}`;
  }
}

async function run({ parts, double }: BillingScene, month: string, ...instants: string[]) {
  let last: readonly unknown[] = [];
  for (const instant of instants) {
    await double.control.setClock(parseInstant(instant));
    last = (await runWholeMonth(parts, month)).missing;
  }
  return last;
}

async function finalCents({ parts }: BillingScene): Promise<readonly number[]> {
  const { data } = await parts.stripe.invoices.list({ customer: CUSTOMER, limit: 100 });
  return data.filter(({ status }) => status === 'open' || status === 'paid').map((of) => of.total);
}

test('a customer is handed over when all of its former tenant is billed, and each invoice is one tenant’s', async () => {
  const scene = await opened();
  const { double, database } = scene;
  await double.control.setClock(parseInstant('2026-10-20T00:00:00Z'));
  expect(await link(scene, 'renamed', CUSTOMER)).toContain('already belongs to tenant "acme"');
  expect(await link(scene, 'acme', '')).toBe('given');

  // given usage that nobody closed
  const open = await link(scene, 'renamed', CUSTOMER);
  expect(open).toContain(
    'is not given to tenant "renamed": the period of tenant "acme" from 2026-10-01 has usage that is not closed',
  );
  expect(open).toContain(
    'give "acme" its customer cus_acme back with "spanledger tenant set acme --stripe-customer CUSTOMER"',
  );
  expect(open).toContain('"spanledger close 2026-10 --tenant acme"');
  expect(await link(scene, 'acme', CUSTOMER)).toBe('given');

  // given a push whose invoice is a draft
  await run(scene, MONTH, '2026-11-01T00:30:00Z');
  expect(await link(scene, 'acme', '')).toBe('given');
  expect(await link(scene, 'renamed', CUSTOMER)).toMatch(
    /"acme" from 2026-10-01 has (something under way that no count|a draft of an invoice)/,
  );

  // given its final invoice
  expect(await run(scene, MONTH, '2026-11-01T02:30:00Z', '2026-11-01T05:30:00Z')).toEqual([]);
  expect(await link(scene, 'renamed', CUSTOMER)).toBe('given');
  const used = usage('renamed', { tokens: 2_000_000, index: 0, at: '2026-11-10T12:00:00Z' });
  await receiveEvents(database, [used], '2026-11-11T00:00:00Z');
  const november = ['2026-12-01T00:30:00Z', '2026-12-01T02:30:00Z', '2026-12-01T05:30:00Z'];
  expect(await run(scene, '2026-11', ...november)).toEqual([]);
  expect(await run(scene, MONTH, '2026-12-02T00:00:00Z')).toEqual([]);

  const bills = await textRows(
    database,
    `select tenant_id, period_start, amount from stripe_invoices where quantity > 0 order by period_start`,
  );
  expect(bills.map(({ tenant_id, period_start }) => [tenant_id, period_start])).toEqual([
    ['acme', '2026-10-01'],
    ['renamed', '2026-11-01'],
  ]);
  const cents = bills.map(({ amount }) => Number(amount)).toSorted();
  expect((await finalCents(scene)).filter((each) => each > 0).toSorted()).toEqual(cents);
  expect(cents).toContain(OCTOBER_CENTS);
  expect(await readOpenAlerts(database, null)).toEqual([]);
});

test('a tenant keeps the customer that it has, and calls that were taken back whole hold up no other', async () => {
  const scene = await opened();
  const { database } = scene;
  await run(scene, MONTH, '2026-11-01T00:30:00Z', '2026-11-01T02:30:00Z', '2026-11-01T05:30:00Z');
  await link(scene, 'acme', '');
  const straggler = usage('acme', { tokens: 100_000, index: 7, at: '2026-11-03T12:00:00Z' });
  await receiveEvents(database, [straggler], '2026-11-03T13:00:00Z');
  expect(await link(scene, 'renamed', CUSTOMER)).toContain('has usage that is not closed');
  const [entry] = await textRows(database, 'select max(entry_id)::text as id from entries');
  await setTenant(scene.parts, { tenant_id: 'renamed', mode: 'live' });
  const note = { reason: 'it is of the new name', actor: 'mira' };
  const change = { tenant_id: 'renamed' };
  await correctEntry(scene.parts, { entry_id: BigInt(entry?.['id'] ?? 0), change, ...note });
  expect(await link(scene, 'renamed', CUSTOMER)).toBe('given');
  await receiveEvents(
    database,
    [usage('acme', { tokens: 100_000, index: 8, at: '2026-11-03T14:00:00Z' })],
    '2026-11-03T15:00:00Z',
  );
  expect(await link(scene, 'renamed', CUSTOMER)).toBe('given');
});

test('what is seen of an invoice after its customer was handed over is its former tenant’s', async () => {
  const scene = await opened();
  const { double, database, parts } = scene;
  await run(scene, MONTH, '2026-11-01T00:30:00Z', '2026-11-01T02:30:00Z', '2026-11-01T05:30:00Z');
  await link(scene, 'acme', '');
  expect(await link(scene, 'renamed', CUSTOMER)).toBe('given');

  const { data } = await parts.stripe.invoices.list({ customer: CUSTOMER, limit: 100 });
  const final = data.find(({ total }) => total === OCTOBER_CENTS);
  await parts.stripe.creditNotes.create({ invoice: final?.id ?? '', amount: 100 });
  await double.control.settle();
  await run(scene, MONTH, '2026-11-02T05:30:00Z');

  expect(await readOpenAlerts(database, null)).toMatchObject([
    { kind: 'invoice_credited', tenantId: 'acme', periodStart: '2026-10-01' },
  ]);
});

test('a tenant takes a customer over where its own period begins', async () => {
  const scene = await opened();
  const { database, double } = scene;
  await setTenant(scene.parts, { tenant_id: 'renamed', mode: 'live' });
  await receiveEvents(database, [usage('renamed', { tokens: 100_000, index: 0 })]);
  await run(scene, MONTH, '2026-11-01T00:30:00Z', '2026-11-01T02:30:00Z', '2026-11-01T05:30:00Z');
  await link(scene, 'acme', '');

  const shared = await link(scene, 'renamed', CUSTOMER);
  expect(shared).toContain(
    'its meter counts the period of tenant "acme" from 2026-10-01 until 2026-11-01T00:00:00.000Z, and the period of "renamed" from 2026-10-01 shares time with that',
  );
  expect(shared).toContain('"spanledger stripe settled renamed 2026-10');
  await setTenant(scene.parts, { tenant_id: 'other', mode: 'shadow', anchor_day: 15 });
  await double.control.setClock(parseInstant('2026-11-10T00:00:00Z'));
  expect(await link(scene, 'other', CUSTOMER)).toContain(
    'give it from 2026-11-15T00:00:00.000Z on, where the next period of "other" begins',
  );
  await double.control.setClock(parseInstant('2026-11-15T00:00:00Z'));
  expect(await link(scene, 'other', CUSTOMER)).toBe('given');
});
