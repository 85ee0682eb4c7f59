import { beforeEach, expect, it } from 'vitest';
import { remedyText } from '../../src/cli/terminal/commands-to-type.ts';
import { parseInstant } from '../../src/clock.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { adjustTenant } from '../../src/ledger/corrections/adjust-tenant.ts';
import { correctEntry } from '../../src/ledger/corrections/correct-entry.ts';
import { rerateMonth } from '../../src/ledger/corrections/rerate-month.ts';
import { exactPico } from '../../src/money.ts';
import { importExchangeRates } from '../../src/rating/exchange/import-exchange-rates.ts';
import { Refusal } from '../../src/refusal.ts';
import { setTenant } from '../../src/tenants/set-tenant.ts';
import { showTenant } from '../../src/tenants/show-tenant.ts';
import type { SetTenantRequest } from '../../src/tenants/tenant-answer.ts';
import { cli } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase, textRows } from '../support/database.ts';
import { importBook, importBooks, nativeEvent, receiveEvents } from '../support/ledger.ts';
import { brokenLaws } from '../support/worker.ts';

/** What of a tenant can be changed when it has been used, and what is kept of each change. */

const EURO = {
  ...{ book: 'euro', kind: 'charge', currency: 'EUR', effective_from: '2026-01-01T00:00:00Z' },
  models: [{ model: 'gpt-4o', per_million: { input: '3.00', output: '12.00' } }],
};

let database: TestDatabase;

beforeEach(async () => {
  database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await importBook(database, EURO);
});

it('a first own book in another currency than the default is taken, and a re-rating mends the month', async () => {
  await receiveEvents(database, [nativeEvent()]);
  const set = await tenantSet({ price_book: 'euro' }, '2026-10-20T00:00:00Z');
  expect(set.to_rerate).toEqual(['2026-10']);
  expect(await close('2026-10')).toMatchObject([{ state: 'closed' }]);
  expect(await totals()).toEqual([{ currency: 'USD', charge_exact: '0.0042' }]);
});

it('a book of a later day is not told as if it held now, until it does', async () => {
  const from = parseInstant('2026-11-01T00:00:00Z');
  const toCome = { price_book: 'euro', effective_from: '2026-11-01T00:00:00.000Z' };
  const asked = { price_book: 'euro', price_book_from: from };
  const set = await tenantSet(asked, '2026-10-20T00:00:00Z');
  expect(set).toMatchObject({ price_book: null, price_book_to_come: toCome });
  const own = await tenantSet({ price_book: 'standard' }, '2026-10-21T00:00:00Z');
  expect(own).toMatchObject({ price_book: 'standard', price_book_to_come: toCome });
  const later = await tenantSet({ mode: 'live' }, '2026-11-01T00:00:00Z');
  expect(later).toMatchObject({ price_book: 'euro', price_book_to_come: null });
});

it('until it is re-rated, a month that has charges in both currencies is refused, and then it closes', async () => {
  await receiveEvents(database, [nativeEvent({ event_id: 'before' })]);
  await tenantSet({ price_book: 'euro' }, '2026-10-20T00:00:00Z');
  await receiveEvents(database, [nativeEvent({ event_id: 'after' })]);
  expect(await close('2026-10')).toMatchObject([
    { state: 'refused', detail: expect.stringContaining('charges in EUR and USD') },
  ]);
  const clock = () => parseInstant('2026-11-01T00:00:00Z');
  const rates = { base: 'EUR', effective_from: '2026-10-01T00:00:00Z', source: 'a bank' };
  // Else the cost would be lost, and a re-rating takes nothing away unasked.
  await importExchangeRates(
    { database, clock },
    { documents: [{ ...rates, rates: { USD: '1.25' } }] },
  );
  const note = { reason: 'a book in euros', actor: 'a test' };
  await rerateMonth(
    { database, clock },
    { month: '2026-10', tenant_id: null, dry_run: false, ...note },
  );
  expect(await close('2026-10')).toMatchObject([{ state: 'closed' }]);
  expect(await totals()).toEqual([{ currency: 'EUR', charge_exact: '0.0084' }]);
  expect(await brokenLaws(database)).toEqual([]);
});

it('a second book in another currency does not hold from the middle of a period, and from its begin it does', async () => {
  await tenantSet({ price_book: 'standard' }, '2026-10-01T00:00:00Z');
  await receiveEvents(database, [nativeEvent()]);
  const refusal = await refused({ price_book: 'euro' }, '2026-10-20T00:00:00Z');
  expect(refusal).toBe(
    'tenant "acme" has charges in USD in its period from 2026-10-01; a book in EUR in the middle of it would mix currencies\n' +
      'let it hold from 2026-10-01T00:00:00.000Z, with "spanledger tenant set acme --price-book BOOK --price-book-from 2026-10-01T00:00:00.000Z", ' +
      'and price the period anew with "spanledger rerate"; or from 2026-11-01T00:00:00.000Z, where the next one begins',
  );
  const next = parseInstant('2026-11-01T00:00:00Z');
  const fromNext = { price_book: 'euro', price_book_from: next };
  expect((await tenantSet(fromNext, '2026-10-20T00:00:00Z')).to_rerate).toEqual([]);
  const begin = parseInstant('2026-10-01T00:00:00Z');
  const whole = { price_book: 'euro', price_book_from: begin };
  expect((await tenantSet(whole, '2026-10-20T00:00:00Z')).to_rerate).toEqual(['2026-10']);
});

it('what was taken back stands against no book in another currency', async () => {
  await tenantSet({ price_book: 'standard' }, '2026-10-01T00:00:00Z');
  await receiveEvents(database, [nativeEvent()]);
  const [entry] = await textRows(database, 'select entry_id from entries');
  await correctEntry(
    { database, clock: () => parseInstant('2026-10-19T00:00:00Z') },
    {
      entry_id: BigInt(entry?.['entry_id'] ?? ''),
      change: null,
      reason: 'a test call',
      actor: 'ann',
    },
  );
  expect((await tenantSet({ price_book: 'euro' }, '2026-10-20T00:00:00Z')).to_rerate).toEqual([]);
});

it('a book in another currency never holds for what was billed', async () => {
  await tenantSet({ price_book: 'standard' }, '2026-10-01T00:00:00Z');
  await receiveEvents(database, [nativeEvent()]);
  await close('2026-10');
  const begin = parseInstant('2026-10-01T00:00:00Z');
  const refusal = await refused(
    { price_book: 'euro', price_book_from: begin },
    '2026-11-02T00:00:00Z',
  );
  expect(refusal).toContain('was billed in USD until 2026-11-01T00:00:00.000Z');
  expect(refusal).toContain('--price-book-from 2026-11-01T00:00:00.000Z');
  const after = parseInstant('2026-11-01T00:00:00Z');
  await tenantSet({ price_book: 'euro', price_book_from: after }, '2026-11-02T00:00:00Z');
});

it('a book in another currency names the credit that no period in it takes in', async () => {
  await tenantSet({ mode: 'live', price_book: 'standard' }, '2026-10-01T00:00:00Z');
  await adjust('-12.5', '2026-10-10T00:00:00Z');
  await close('2026-10');
  const from = parseInstant('2026-12-01T00:00:00Z');
  const euro = { price_book: 'euro', price_book_from: from };
  const { left_owed } = await tenantSet(euro, '2026-11-02T00:00:00Z');
  expect(left_owed).toMatchObject([
    {
      amount: '12.5',
      currency: 'USD',
      detail: expect.stringContaining('2026-10-01, and no period in EUR takes that in'),
    },
  ]);
  const typed = [
    'tenant',
    'set',
    'acme',
    '--price-book',
    'euro',
    '--price-book-from',
    '2026-12-01T00:00:00Z',
  ];
  const { stdout } = await cli(typed, { DATABASE_URL: database.url });
  expect(stdout).toContain('12.5 USD more was credited to it than charged');
  expect(stdout).toContain('with "spanledger adjust');
  expect(JSON.stringify(left_owed)).toContain('in the last period that it pays in ');
  const same = { price_book: 'standard', price_book_from: from };
  expect((await tenantSet(same, '2026-11-02T00:00:00Z')).left_owed).toEqual([]);
  // Paid back, and recorded while it still pays in dollars, as the remedy says.
  await adjust('12.5', '2026-11-03T00:00:00Z');
  await close('2026-11', '2026-12-01T00:00:00Z');
  expect((await tenantSet(euro, '2026-12-02T00:00:00Z')).left_owed).toEqual([]);
});

it('a credit is recorded as paid back in no currency that the tenant pays in no more', async () => {
  await tenantSet({ mode: 'live', price_book: 'standard' }, '2026-10-01T00:00:00Z');
  await adjust('-12.5', '2026-10-10T00:00:00Z');
  await close('2026-10');
  const from = parseInstant('2026-11-01T00:00:00Z');
  const euro = { price_book: 'euro', price_book_from: from };
  const { left_owed } = await tenantSet(euro, '2026-11-02T00:00:00Z');
  const said = JSON.stringify(left_owed);
  expect(said).toContain('credit what it is worth in ');
  expect(said).not.toContain('pay it back');
});

it('what is credited in shadow, or is below a micro-unit, is owed to nobody', async () => {
  await tenantSet({ mode: 'shadow', price_book: 'standard' }, '2026-10-01T00:00:00Z');
  await adjust('-12.5', '2026-10-10T00:00:00Z');
  await close('2026-10');
  await tenantSet({ mode: 'live' }, '2026-11-01T00:00:00Z');
  await adjust('-0.0000009', '2026-11-10T00:00:00Z');
  await close('2026-11', '2026-12-01T00:00:00Z');
  expect((await tenantSet({ price_book: 'euro' }, '2026-12-02T00:00:00Z')).left_owed).toEqual([]);
});

it('a change of mode names the ended months that it decides, and what comes late to those that were billed', async () => {
  await receiveEvents(database, [nativeEvent()]);
  const ended = '2026-11-01T00:10:00Z';

  const { decided_by_mode: toLive } = await tenantSet({ mode: 'live' }, ended);
  const detail = 'its period from 2026-10-01 has ended and is not closed: 0.0042 USD of it';
  expect(toLive).toMatchObject([{ detail: `${detail} will be billed` }]);
  expect(remedyText(toLive[0]?.remedy ?? [])).toContain('"spanledger close 2026-10 --tenant acme"');
  expect((await tenantSet({ mode: 'live' }, ended)).decided_by_mode).toEqual([]);
  const { stdout } = await cli(['tenant', 'set', 'acme', '--mode', 'shadow'], {
    DATABASE_URL: database.url,
  });
  expect(stdout).toContain(`${detail} will not be billed; if it is to be, set the mode back`);

  await tenantSet({ mode: 'live' }, ended);
  await close('2026-10');
  const { decided_by_mode: toShadow } = await tenantSet({ mode: 'shadow' }, '2026-11-05T00:00:00Z');
  expect(toShadow).toMatchObject([
    { detail: expect.stringContaining('carried to its next live period') },
  ]);
});

it('a change of mode in mid-month names what was used before it, which is billed or not with the rest', async () => {
  await receiveEvents(database, [nativeEvent()]);
  const { decided_by_mode: trialEnds } = await tenantSet({ mode: 'live' }, '2026-10-20T00:00:00Z');
  const detail = 'its period from 2026-10-01 is running: 0.0042 USD of it so far will';
  expect(trialEnds).toMatchObject([{ detail: `${detail} be billed` }]);
  expect(remedyText(trialEnds[0]?.remedy ?? [])).toMatch(
    /^if it is not to be, credit it with "spanledger adjust"; or .* when it has ended, and set live again$/,
  );
  const { decided_by_mode: back } = await tenantSet({ mode: 'shadow' }, '2026-10-21T00:00:00Z');
  expect(back).toMatchObject([{ detail: `${detail} not be billed` }]);
  expect(remedyText(back[0]?.remedy ?? [])).toContain('when it has ended, and set shadow again');
});

it('a credit that is not to count from a change of mode on is charged, and not credited once more', async () => {
  await tenantSet({ mode: 'shadow', price_book: 'standard' }, '2026-10-01T00:00:00Z');
  await adjust('-12.5', '2026-10-10T00:00:00Z');
  const { decided_by_mode: decided } = await tenantSet({ mode: 'live' }, '2026-10-20T00:00:00Z');
  expect(decided).toMatchObject([{ detail: expect.stringContaining('-12.5 USD of it so far') }]);
  expect(remedyText(decided[0]?.remedy ?? [])).toMatch(/^if it is not to be, charge it with /);
});

it('shows everything of a tenant with its history', async () => {
  await receiveEvents(database, [nativeEvent()]);
  await tenantSet({ mode: 'live', stripe_customer: 'cus_a' }, '2026-10-20T00:00:00Z');
  await close('2026-10');
  await tenantSet({ price_book: 'standard', anchor_day: 15 }, '2026-11-03T00:00:00Z');
  await tenantSet({ stripe_customer: '' }, '2026-11-04T00:00:00Z');
  const clock = () => parseInstant('2026-11-05T00:00:00Z');
  const shown = await showTenant({ database, clock }, { tenant_id: 'acme', most: 5 });
  expect(shown).toMatchObject({
    tenant_id: 'acme',
    mode: 'live',
    stripe_customer: null,
    registered_at: '2026-10-20T00:00:00.000Z',
    calendar_now: { time_zone: 'UTC', anchor_day: 1 },
    calendars: [
      { effective_from: null, anchor_day: 1 },
      { effective_from: '2026-12-01T00:00:00.000Z', anchor_day: 15 },
    ],
    price_book_now: { book: 'standard', currency: 'USD', by_default: false },
    price_books: [{ effective_from: '2026-11-03T00:00:00.000Z', price_book: 'standard' }],
    changes: [
      { setting: 'mode', was: 'shadow', became: 'live' },
      { setting: 'stripe_customer', was: null, became: 'cus_a' },
      { setting: 'anchor_day', was: '1', became: '15' },
      { setting: 'stripe_customer', was: 'cus_a', became: null },
    ],
    periods: [{ period_start: '2026-10-01', state: 'closed', mode: 'live', told: 'untold' }],
    pushes: [],
  });
});

it('a zone that is set while a worker posts the first calls never makes two periods overlap', async () => {
  for (const round of [1, 2, 3, 4, 5, 6]) {
    const tenant = `race-${round}`;
    const events = [1, 2, 3].map((n) =>
      nativeEvent({
        ...{ event_id: `${round}-${n}`, tenant_id: tenant },
        // In Tokyo this is the first day of the next month.
        occurred_at: `2026-09-30T${14 + n}:30:00Z`,
      }),
    );
    await Promise.all([
      ...events.map((event) => receiveEvents(database, [event])),
      tenantSet({ tenant_id: tenant, time_zone: 'Asia/Tokyo' }, '2026-10-01T00:00:00Z'),
    ]);
  }
  expect(await brokenLaws(database)).toEqual([]);
});

function tenantSet(change: Partial<SetTenantRequest>, at: string) {
  const clock = () => parseInstant(at);
  return setTenant({ database, clock }, { tenant_id: 'acme', ...change });
}

async function refused(change: Partial<SetTenantRequest>, at: string): Promise<string> {
  try {
    await tenantSet(change, at);
  } catch (error) {
    if (error instanceof Refusal) return `${error.message}\n${remedyText(error.remedy)}`;
    throw error;
  }
  return 'it was not refused';
}

function adjust(amount: string, at: string) {
  const clock = () => parseInstant(at);
  const note = { reason: 'goodwill', actor: 'ann' };
  return adjustTenant(
    { database, clock },
    { tenant_id: 'acme', amount: exactPico(amount), id: null, ...note },
  );
}

async function close(month: string, at = '2026-11-01T00:00:00Z') {
  const clock = () => parseInstant(at);
  return closePeriods({ database, clock }, { month, tenant_id: 'acme' });
}

function totals() {
  return textRows(
    database,
    `select currency, charge_exact from audit.periods where tenant_id = 'acme' order by period_start`,
  );
}
