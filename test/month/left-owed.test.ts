import { beforeEach, expect, it } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { closeTenant } from '../../src/ledger/closes/close-tenant.ts';
import { adjustTenant } from '../../src/ledger/corrections/adjust-tenant.ts';
import { exactPico } from '../../src/money.ts';
import { tellStatus } from '../../src/month/status/tell-status.ts';
import { tellMonthTable } from '../../src/month/table/tell-month-table.ts';
import { previewStatements } from '../../src/statements/preview/preview-statement.ts';
import { setTenant } from '../../src/tenants/set-tenant.ts';
import { cli } from '../support/cli.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { importBook, importBooks, nativeEvent, receiveEvents } from '../support/ledger.ts';

const EURO = {
  ...{ book: 'euro', kind: 'charge', currency: 'EUR', effective_from: '2026-01-01T00:00:00Z' },
  models: [{ model: 'gpt-4o', per_million: { input: '3.00', output: '12.00' } }],
};

let database: TestDatabase;

/** A tenant that paid in dollars was credited 12.50 of them beyond its usage, and pays in euros since November. */
beforeEach(async () => {
  database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await importBook(database, EURO);
  await tenantSet({ mode: 'live', price_book: 'standard' }, '2026-10-01T00:00:00Z');
  await adjust('-12.5', '2026-10-10T00:00:00Z');
  const clock = () => parseInstant('2026-11-01T00:00:00Z');
  await closePeriods({ database, clock }, { month: '2026-10', tenant_id: 'acme' });
});

it('a credit left in a former currency is named with its remedy until it is credited in the new one', async () => {
  expect((await status()).left_owed).toEqual([]);
  const from = parseInstant('2026-11-01T00:00:00Z');
  await tenantSet({ price_book: 'euro', price_book_from: from }, '2026-11-02T00:00:00Z');
  const owed = {
    ...{ tenant_id: 'acme', period_start: '2026-10-01', amount: '12.5', currency: 'USD' },
    detail: expect.stringContaining('no period in EUR takes that in'),
  };
  expect((await status()).left_owed).toMatchObject([owed]);
  const request = { month: '2026-10' };
  expect((await tellMonthTable({ database, clock: november }, request)).left_owed).toMatchObject([
    owed,
  ]);
  const typed = await cli(['status'], { DATABASE_URL: database.url });
  expect(typed.stdout).toMatch(
    /credit left +"acme": 12\.5 USD more was credited.*spanledger adjust/,
  );
  // Without usage a period stays in the currency of what is owed, and carries it on.
  const preview = { tenant_id: 'acme', month: '2026-11' };
  const [idle] = await previewStatements({ database, clock: november }, preview);
  expect(idle).toMatchObject({ currency: 'USD', preview: { left_owed: [] } });
  await receiveEvents(
    database,
    [nativeEvent({ tenant_id: 'acme', occurred_at: '2026-11-04T00:00:00Z' })],
    '2026-11-04T00:00:00Z',
  );
  const [document] = await previewStatements({ database, clock: november }, preview);
  expect(document?.preview?.left_owed).toEqual([{ amount: '12.5', currency: 'USD' }]);
  expect(document?.notes).toContain(
    'A credit of 12.5 USD is in another currency than this period, and in none of its sums.',
  );

  // Credited as the remedy says, it is named no more.
  await adjust('-11', '2026-11-03T00:00:00Z');
  expect((await status()).left_owed).toEqual([]);
  const [after] = await previewStatements({ database, clock: november }, preview);
  expect(after?.preview?.left_owed).toEqual([]);
});

it('what is due of a billed month is named while its tenant is in shadow, and named no more once it is live', async () => {
  expect((await status()).waiting_due).toEqual([]);
  await tenantSet({ mode: 'shadow' }, '2026-11-02T00:00:00Z');
  // Late of October, which was billed: a million tokens at 3.00.
  const late = { usage: { input_tokens: 1_000_000, output_tokens: 0 } };
  await receiveEvents(
    database,
    [nativeEvent({ tenant_id: 'acme', occurred_at: '2026-10-20T00:00:00Z', ...late })],
    '2026-11-04T00:00:00Z',
  );
  const clock = () => parseInstant('2026-12-01T00:00:00Z');
  await closePeriods({ database, clock }, { month: '2026-11', tenant_id: 'acme' });
  const waits = { tenant_id: 'acme', period_start: '2026-11-01', amount: '-9.5', currency: 'USD' };
  expect((await status()).waiting_due).toMatchObject([waits]);
  const typed = await cli(['status'], { DATABASE_URL: database.url });
  expect(typed.stdout).toMatch(
    /due and waiting +"acme": 9\.5 USD of months that were billed is owed/,
  );
  await tenantSet({ mode: 'live' }, '2026-12-02T00:00:00Z');
  expect((await status()).waiting_due).toEqual([]);
  const december = () => parseInstant('2027-01-01T00:00:00Z');
  await closePeriods({ database, clock: december }, { month: '2026-12', tenant_id: 'acme' });
  const { rows } = await database.pool.query(
    "select carried_in::text from closes where period_start = '2026-12-01'",
  );
  expect(rows).toEqual([{ carried_in: '-9500000000000' }]);
});

/** Ten million tokens of October, which was billed, come late in a November in shadow: 30.00 more than the 12.50 that are owed. */
async function closeNovemberInShadow() {
  await tenantSet({ mode: 'shadow' }, '2026-11-02T00:00:00Z');
  const late = { usage: { input_tokens: 10_000_000, output_tokens: 0 } };
  await receiveEvents(
    database,
    [nativeEvent({ tenant_id: 'acme', occurred_at: '2026-10-20T00:00:00Z', ...late })],
    '2026-11-04T00:00:00Z',
  );
}

const close = (month: string, at: string) =>
  closePeriods({ database, clock: () => parseInstant(at) }, { month, tenant_id: 'acme' });

it('of one who left it is named until a period takes it in, which the remedy begins', async () => {
  await closeNovemberInShadow();
  const at = parseInstant('2026-11-12T00:00:00Z');
  await closeTenant({ database, clock: () => at }, { tenant_id: 'acme', at });
  await close('2026-11', '2026-12-01T00:00:00Z');
  await tenantSet({ mode: 'live' }, '2026-12-02T00:00:00Z');
  expect((await status()).waiting_due).toMatchObject([
    {
      tenant_id: 'acme',
      amount: '17.5',
      remedy: expect.arrayContaining([{ operation: 'adjust' }]),
    },
  ]);

  await adjust('1', '2026-12-03T00:00:00Z');
  await close('2026-12', '2027-01-01T00:00:00Z');
  expect((await status()).waiting_due).toEqual([]);
  const { rows } = await database.pool.query(
    "select charge_total::text from closes where period_start = '2026-12-01'",
  );
  expect(rows).toEqual([{ charge_total: '1850' }]);
});

it('in a former currency it is named until it is charged in the new one', async () => {
  await closeNovemberInShadow();
  await close('2026-11', '2026-12-01T00:00:00Z');
  const from = parseInstant('2026-12-01T00:00:00Z');
  const euro = { mode: 'live', price_book: 'euro', price_book_from: from } as const;
  await tenantSet(euro, '2026-12-02T00:00:00Z');
  const inDecember = () => parseInstant('2026-12-10T00:00:00Z');
  expect((await status(inDecember)).waiting_due).toMatchObject([
    { amount: '17.5', currency: 'USD' },
  ]);
  await adjust('16', '2026-12-03T00:00:00Z');
  expect((await status(inDecember)).waiting_due).toEqual([]);
});

it('a credit that came in shadow is named with the rest when its tenant pays in another currency', async () => {
  await closeNovemberInShadow();
  await close('2026-11', '2026-12-01T00:00:00Z');
  await receiveEvents(
    database,
    [nativeEvent({ tenant_id: 'acme', occurred_at: '2026-12-02T00:00:00Z' })],
    '2026-12-02T00:00:00Z',
  );
  const from = parseInstant('2027-01-01T00:00:00Z');
  const { left_owed } = await tenantSet(
    { price_book: 'euro', price_book_from: from },
    '2026-12-03T00:00:00Z',
  );
  // 12.50 were owed when November began, and 30.00 came late in it: nothing is owed any more.
  expect(left_owed).toEqual([]);
});

const november = () => parseInstant('2026-11-10T00:00:00Z');

function status(clock = november) {
  const parts = { database, clock, queue: 'not asked', destinationFault: null };
  return tellStatus(parts, { month: null });
}

function tenantSet(change: Omit<Parameters<typeof setTenant>[1], 'tenant_id'>, at: string) {
  return setTenant({ database, clock: () => parseInstant(at) }, { tenant_id: 'acme', ...change });
}

function adjust(amount: string, at: string) {
  const of = { tenant_id: 'acme', amount: exactPico(amount), id: null };
  const note = { reason: 'goodwill', actor: 'ann' };
  return adjustTenant({ database, clock: () => parseInstant(at) }, { ...of, ...note });
}
