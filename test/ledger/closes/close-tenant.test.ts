import { beforeEach, expect, it } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { closeTenant } from '../../../src/ledger/closes/close-tenant.ts';
import { keepTenant } from '../../../src/ledger/closes/keep-tenant.ts';
import { adjustTenant } from '../../../src/ledger/corrections/adjust-tenant.ts';
import { exactPico } from '../../../src/money.ts';
import { reportLeavers } from '../../../src/reports/report-leavers.ts';
import { readTenant } from '../../../src/tenants/tenant-store.ts';
import { freshApi } from '../../support/api.ts';
import type { TestDatabase } from '../../support/database.ts';
import { freshDatabase, textRows } from '../../support/database.ts';
import {
  importBook,
  importBooks,
  makeTenant,
  nativeEvent,
  receiveEvents,
} from '../../support/ledger.ts';
import { brokenLaws } from '../../support/worker.ts';

/** A customer who leaves in the middle of a period (R12). */

const LEFT = '2026-10-15T12:00:00Z';
let database: TestDatabase;

beforeEach(async () => {
  database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme', { created: '2026-10-01T00:00:00Z' });
  await receiveEvents(database, [nativeEvent({ occurred_at: '2026-10-15T11:00:00Z' })]);
});

it('its running period ends there and is closed, and nothing idle follows it', async () => {
  const closed = { period_start: '2026-10-01', state: 'closed', charge_total: '0.00' };
  expect(await leave(LEFT)).toMatchObject({
    left_at: '2026-10-15T12:00:00.000Z',
    periods: [closed],
  });
  const period = { period_start: '2026-10-01', ends_at: '2026-10-15 12:00:00+00', state: 'closed' };
  expect(await periods()).toEqual([period]);
  for (const month of ['2026-10', '2026-11']) await close(month);
  expect(await periods()).toEqual([period]);
  // 1000 × 3.00 µ + 100 × 12.00 µ = 0.0042, in shadow, so that nothing is due.
  const nothing = { owed_to: '0', not_closed: '0', not_told: '0' };
  expect(await leavers()).toMatchObject([{ tenant_id: 'acme', ...nothing }]);
  expect(await brokenLaws(database)).toEqual([]);
});

it('usage that comes later is billed in the period that begins there, late if it happened before', async () => {
  await makeTenant(database, 'acme', { mode: 'live' });
  await leave(LEFT);
  await receiveEvents(database, [
    nativeEvent({ event_id: 'late', occurred_at: '2026-10-14T00:00:00Z' }),
    nativeEvent({ event_id: 'after', occurred_at: '2026-10-18T00:00:00Z' }),
  ]);
  expect(await leavers()).toMatchObject([{ not_closed: '0.0084' }]);
  await close('2026-10');
  expect(await periods()).toMatchObject([
    { period_start: '2026-10-01', ends_at: '2026-10-15 12:00:00+00', state: 'closed' },
    { period_start: '2026-10-15', ends_at: '2026-11-01 00:00:00+00', state: 'closed' },
  ]);
  const rows = await textRows(
    database,
    'select event_id, period_start, late from audit.entries order by event_id',
  );
  expect(rows).toMatchObject([
    { event_id: 'after', period_start: '2026-10-15', late: 'false' },
    { event_id: 'evt-1', period_start: '2026-10-01', late: 'false' },
    { event_id: 'late', period_start: '2026-10-15', late: 'true' },
  ]);
  expect(await brokenLaws(database)).toEqual([]);
});

it.each([
  ['what was credited beyond the usage is owed to it, and a report says so', 'live', '0.9958'],
  ['in shadow nothing is owed to it', 'shadow', '0'],
] as const)('%s', async (_, mode, owed_to) => {
  await makeTenant(database, 'acme', { mode, stripeCustomer: 'cus_acme' });
  const request = { tenant_id: 'acme', amount: exactPico('-1'), id: null, reason: 'sorry' };
  await adjustTenant({ database, clock: at('2026-10-15T11:30:00Z') }, { ...request, actor: 'ada' });
  await leave(LEFT);
  // 0.0042 - 1
  expect(await leavers()).toMatchObject([{ currency: 'USD', owed_to }]);
});

it('what is owed in two currencies stands in two rows, and no sum crosses them', async () => {
  const models = [{ model: 'gpt-4o', per_million: { input: '450000', output: '1800000' } }];
  const rates = { kind: 'charge', currency: 'JPY', caching: 'work_done', models };
  await importBook(database, { ...rates, book: 'yen', effective_from: '2026-01-01T00:00:00Z' });
  const live = { mode: 'live', stripeCustomer: 'cus_bento' } as const;
  await makeTenant(database, 'bento', { ...live, priceBook: 'yen' });
  const call = (event_id: string, occurred_at: string) =>
    nativeEvent({ tenant_id: 'bento', event_id, occurred_at });
  await receiveEvents(database, [call('yen', '2026-09-20T00:00:00Z')], '2026-09-20T00:00:01Z');
  const request = { month: '2026-09', tenant_id: 'bento' };
  await closePeriods({ database, clock: at('2026-10-01T06:00:00Z') }, request);
  await makeTenant(database, 'bento', { priceBook: 'standard', created: '2026-10-02T00:00:00Z' });
  await receiveEvents(database, [call('usd', '2026-10-10T00:00:00Z')], '2026-10-10T00:00:01Z');
  await leave(LEFT, 'bento');
  await receiveEvents(database, [
    call('late', '2026-09-21T00:00:00Z'),
    call('after', '2026-10-18T00:00:00Z'),
  ]);
  // 1000 × 0.45 + 100 × 1.80 = 630 yen a call, and 0.0042 dollars.
  const both = [
    { tenant_id: 'bento', currency: 'JPY', owed_to: '0', not_closed: '630', not_told: '630' },
    { tenant_id: 'bento', currency: 'USD', owed_to: '0', not_closed: '0.0042', not_told: '0.0042' },
  ];
  expect(await leavers()).toMatchObject(both);
  const api = await freshApi(database);
  const key = await api.key('admin');
  const first = await api.ask('/v1/reports/leavers?limit=1', key);
  const cursor = encodeURIComponent(String(first.json.next_cursor));
  const second = await api.ask(`/v1/reports/leavers?limit=1&cursor=${cursor}`, key);
  expect([first.json.leavers, second.json.leavers]).toMatchObject(both.map((row) => [row]));
  expect(second.json.next_cursor).toBeNull();
});

it('a customer who is entered after it left, and used nothing, has no period to close', async () => {
  await makeTenant(database, 'idle', { created: '2026-10-20T00:00:00Z' });
  const left = { left_at: '2026-10-15T12:00:00.000Z', periods: [] };
  expect(await leave(LEFT, 'idle')).toMatchObject(left);
  expect(await leave(LEFT, 'idle')).toMatchObject(left);
});

it('the same instant again goes on, and another is refused', async () => {
  await leave(LEFT);
  expect(await leave(LEFT)).toMatchObject({ periods: [{ state: 'already_closed' }] });
  await expect(leave('2026-10-17T00:00:00Z')).rejects.toThrow('left at 2026-10-15T12:00:00.000Z');
});

it('a customer who came back leaves once more, and what was idle in between has no statement', async () => {
  await leave(LEFT);
  const again = nativeEvent({ event_id: 'again', occurred_at: '2026-12-03T11:00:00Z' });
  await receiveEvents(database, [again], '2026-12-03T12:00:00Z');
  const request = { tenant_id: 'acme', at: parseInstant('2026-12-10T00:00:00Z') };
  const left = await closeTenant({ database, clock: at('2026-12-11T00:00:00Z') }, request);
  expect(left.periods).toMatchObject([{ period_start: '2026-12-01', state: 'closed' }]);
  const idle = { month: '2026-11', tenant_id: 'acme' };
  await expect(closePeriods({ database, clock: at('2027-01-05T00:00:00Z') }, idle)).rejects.toThrow(
    'tenant "acme" has no period that begins in 2026-11',
  );
  expect(await periods()).toMatchObject([
    { ends_at: '2026-10-15 12:00:00+00', state: 'closed' },
    { ends_at: '2026-12-10 00:00:00+00', state: 'closed' },
  ]);
  expect(await brokenLaws(database)).toEqual([]);
});

it('an instant that is still to come ends the period when it has come', async () => {
  expect(await leave('2026-10-25T00:00:00Z')).toMatchObject({ periods: [{ state: 'not_ended' }] });
  expect(await close('2026-10')).toMatchObject([{ period_start: '2026-10-01', state: 'closed' }]);
});

it('a leave that is still to come is moved, forth and back, and its period ends where it was moved to', async () => {
  for (const instant of ['2026-10-25T00:00:00Z', '2026-10-29T00:00:00Z', '2026-10-22T00:00:00Z']) {
    expect(await leave(instant)).toMatchObject({
      left_at: null,
      leaves_at: instant.replace('Z', '.000Z'),
      periods: [{ state: 'not_ended' }],
    });
    expect(await periods()).toEqual([
      { period_start: '2026-10-01', ends_at: `${instant.slice(0, 10)} 00:00:00+00`, state: 'open' },
    ]);
  }
  expect(await leavers()).toEqual([]);
  await close('2026-10');
  await close('2026-11');
  expect(await periods()).toMatchObject([{ ends_at: '2026-10-22 00:00:00+00', state: 'closed' }]);
  expect(await brokenLaws(database)).toEqual([]);
});

it('a leave that is withdrawn leaves no trace in the periods, after months that are closed, too', async () => {
  const september = nativeEvent({ event_id: 'september', occurred_at: '2026-09-20T00:00:00Z' });
  await receiveEvents(database, [september], '2026-09-20T00:00:01Z');
  await close('2026-09');
  await leave('2026-10-25T00:00:00Z');
  expect(await stay('2026-10-21T00:00:00Z')).toEqual({
    tenant_id: 'acme',
    was_to_leave_at: '2026-10-25T00:00:00.000Z',
  });
  const after = nativeEvent({ event_id: 'after', occurred_at: '2026-10-26T00:00:00Z' });
  await receiveEvents(database, [after], '2026-10-26T00:00:01Z');
  for (const month of ['2026-10', '2026-11']) await close(month);
  expect(await periods()).toMatchObject([
    { period_start: '2026-09-01', state: 'closed' },
    { period_start: '2026-10-01', ends_at: '2026-11-01 00:00:00+00', state: 'closed' },
    { period_start: '2026-11-01', state: 'closed' },
  ]);
  expect(await brokenLaws(database)).toEqual([]);
});

it('a leave where a period begins by itself is withdrawn, too', async () => {
  await leave('2026-11-01T00:00:00Z');
  await stay('2026-10-21T00:00:00Z');
  await close('2026-10');
  await close('2026-11');
  expect(await periods()).toMatchObject([
    { ends_at: '2026-11-01 00:00:00+00', state: 'closed' },
    { ends_at: '2026-12-01 00:00:00+00', state: 'closed' },
  ]);
});

it('whoever does not leave, has left, or has calls after it, does not stay by that', async () => {
  await expect(stay('2026-10-21T00:00:00Z')).rejects.toThrow('tenant "acme" does not leave');
  await leave('2026-10-25T00:00:00Z');
  await expect(stay('2026-10-25T00:00:00Z')).rejects.toThrow(
    'ended at 2026-10-25T00:00:00.000Z, and stays so',
  );
  const ahead = nativeEvent({ event_id: 'ahead', occurred_at: '2026-10-25T00:00:01Z' });
  await receiveEvents(database, [ahead], '2026-10-24T23:59:59Z');
  await expect(stay('2026-10-24T23:59:59Z')).rejects.toThrow(
    'has calls after 2026-10-25T00:00:00.000Z',
  );
});

it.each([
  ['before its last call', '2026-10-15T10:00:00Z', 'the last at 2026-10-15T11:00:00.000Z'],
  ['on the first day of its period', '2026-10-01T10:00:00Z', 'begins on that day, 2026-10-01'],
])('is refused %s', async (_what, instant, message) => {
  await expect(leave(instant)).rejects.toThrow(message);
});

it('is refused before a call of a later month, too', async () => {
  const later = nativeEvent({ event_id: 'later', occurred_at: '2026-11-02T11:00:00Z' });
  await receiveEvents(database, [later], '2026-11-02T12:00:00Z');
  await expect(leave(LEFT)).rejects.toThrow('the last at 2026-11-02T11:00:00.000Z');
});

it('a second leave that is moved and then withdrawn gives back the first one', async () => {
  await leave(LEFT);
  const again = nativeEvent({ event_id: 'again', occurred_at: '2026-12-03T11:00:00Z' });
  await receiveEvents(database, [again], '2026-12-03T12:00:00Z');
  for (const instant of ['2026-12-20T00:00:00Z', '2026-12-24T00:00:00Z']) {
    const request = { tenant_id: 'acme', at: parseInstant(instant) };
    await closeTenant({ database, clock: at('2026-12-11T00:00:00Z') }, request);
  }
  expect(await stay('2026-12-12T00:00:00Z')).toMatchObject({
    was_to_leave_at: '2026-12-24T00:00:00.000Z',
  });
  expect((await readTenant(database.kysely, 'acme')).leftAt).toBe(parseInstant(LEFT));
  expect(await periods()).toMatchObject([
    { ends_at: '2026-10-15 12:00:00+00', state: 'closed' },
    { period_start: '2026-12-01', ends_at: '2027-01-01 00:00:00+00', state: 'open' },
  ]);
  // It may leave once more, and nothing stays of what was withdrawn.
  const once = { tenant_id: 'acme', at: parseInstant('2026-12-10T00:00:00Z') };
  const left = await closeTenant({ database, clock: at('2026-12-13T00:00:00Z') }, once);
  expect(left.periods).toMatchObject([{ period_start: '2026-12-01', state: 'closed' }]);
  expect(await brokenLaws(database)).toEqual([]);
});

it('its end stays where it is until it is closed, whatever calendar somebody sets meanwhile', async () => {
  await leave('2026-10-25T00:00:00Z');
  const other = makeTenant(database, 'acme', { timeZone: 'Europe/Berlin' });
  await expect(other).rejects.toThrow('leaves at 2026-10-25T00:00:00.000Z');
  await close('2026-10');
  expect(await periods()).toMatchObject([{ ends_at: '2026-10-25 00:00:00+00', state: 'closed' }]);
});

it('leaves where a period begins without another to end', async () => {
  await leave('2026-11-01T00:00:00Z');
  await close('2026-10');
  await close('2026-11');
  expect(await periods()).toMatchObject([{ ends_at: '2026-11-01 00:00:00+00' }]);
});

function at(instant: string) {
  return () => parseInstant(instant);
}

function leave(instant: string, tenant_id = 'acme') {
  const request = { tenant_id, at: parseInstant(instant) };
  return closeTenant({ database, clock: at('2026-10-20T00:00:00Z') }, request);
}

function stay(now: string) {
  const request = { tenant_id: 'acme', reason: 'it stays', actor: 'ada' };
  return keepTenant({ database, clock: at(now) }, request);
}

function close(month: string) {
  const request = { month, tenant_id: null };
  const answers = closePeriods({ database, clock: at('2027-01-02T00:00:00Z') }, request);
  return answers.then((all) => all.filter(({ tenant_id }) => tenant_id === 'acme'));
}

function leavers() {
  return reportLeavers({ database, clock: at('2026-10-21T00:00:00Z') });
}

function periods() {
  return textRows(
    database,
    `select period_start, ends_at::text, state from periods where tenant_id = 'acme' order by 1`,
  );
}
