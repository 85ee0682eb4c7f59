import { afterAll, beforeAll, expect, it } from 'vitest';
import { setIssuerRequest } from '../../../src/issuer/issuer-answer.ts';
import { setIssuer } from '../../../src/issuer/set-issuer.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { postCorrections } from '../../../src/ledger/corrections/post-corrections.ts';
import { readRequest } from '../../../src/request.ts';
import { renderStatement } from '../../../src/statements/render-statement.ts';
import { showStatement } from '../../../src/statements/show-statement.ts';
import { statementAnswer } from '../../../src/statements/statement-answer.ts';
import { readStatements } from '../../../src/statements/statement-store.ts';
import { setTenant } from '../../../src/tenants/set-tenant.ts';
import { showTenant } from '../../../src/tenants/show-tenant.ts';
import { setTenantRequest } from '../../../src/tenants/tenant-answer.ts';
import type { TestDatabase } from '../../support/database.ts';
import { createDatabase, textRows } from '../../support/database.ts';
import {
  importBook,
  importBooks,
  makeTenant,
  nativeEvent,
  receiveEvents,
  sharedBook,
} from '../../support/ledger.ts';
import { brokenLaws } from '../../support/worker.ts';

/** What stands on a statement beside what its close froze. */

let database: TestDatabase;
let drop: () => Promise<void>;

const clock = () => Date.parse('2026-11-02T00:00:00Z');
const usage = { input_tokens: 1_000_000, output_tokens: 0 };

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme', { mode: 'live' });
  // 1,000,000 × 3.00 µ = 3.00 each
  await receiveEvents(database, [
    nativeEvent({ event_id: 'before', occurred_at: '2026-09-20T00:00:00Z', usage }),
    nativeEvent({
      ...{ event_id: 'kept', usage, feature: 'chat', user_id: 'ann' },
      gateway_cache: 'exact',
    }),
    nativeEvent({
      ...{ event_id: 'corrected', usage, feature: 'chat', user_id: 'ben' },
      gateway_cache: 'semantic',
    }),
    nativeEvent({ event_id: 'unnamed', usage }),
    nativeEvent({ event_id: 'nobodys', usage, tenant_id: undefined }),
  ]);
  await correct('corrected', { feature: 'search' }, 'the wrong feature');
  await closePeriods({ database, clock }, { month: '2026-09', tenant_id: null });
  await closePeriods({ database, clock }, { month: '2026-10', tenant_id: null });
});

afterAll(() => drop());

async function correct(eventId: string, change: object | null, reason: string) {
  const [row] = await textRows(
    database,
    `select entry_id from entries where event_id = '${eventId}' and kind = 'usage'`,
  );
  const entryId = BigInt(row?.['entry_id'] ?? '');
  await postCorrections(database, () => Date.parse('2026-10-21T00:00:00Z'), [
    { entryId, change, note: { reason, actor: 'ada' } },
  ]);
}

async function statement() {
  const request = { tenant_id: 'acme', month: '2026-10', preview: false };
  const answer = await showStatement({ database, clock }, request);
  return statementAnswer.parse(answer);
}

it('counts a reversal and its replacement as the one call that they are, by feature and by user', async () => {
  expect(await statement()).toMatchObject({
    usage: { calls: 3, cached: 2 },
    notes: expect.arrayContaining([
      '2 calls were answered from a cache, without a new call to the provider: charged like any other.',
    ]),
    features: [
      { name: 'chat', calls: 1, exact: '3' },
      { name: 'search', calls: 1, exact: '3' },
      { name: null, calls: 1, exact: '3' },
    ],
    users: [
      { name: 'ann', calls: 1, exact: '3' },
      { name: 'ben', calls: 1, exact: '3' },
      { name: null, calls: 1, exact: '3' },
    ],
    corrections: [{ late: false, taken_back: 1, replaced: 1, exact: '0' }],
    month_before: { start: '2026-09-01', total: '3.00', lines: [{ amount: '3.00' }] },
    invoices: [],
  });
});

it('names the issuer and the customer in every form, as they are set now', async () => {
  await setIssuer(
    { database, clock },
    readRequest(setIssuerRequest, {
      name: 'Северный ветер ООО',
      address: 'ул. Ленина 1\r\n Москва ',
      support_url: 'https://northwind.example/support',
    }),
  );
  const names = { name: '株式会社アクメ', address: '東京都千代田区1-1', contact: 'عمر' };
  await setTenant(
    { database, clock },
    readRequest(setTenantRequest, { tenant_id: 'acme', ...names }),
  );
  const named = await statement();
  expect(named).toMatchObject({
    issuer: { name: 'Северный ветер ООО', address: 'ул. Ленина 1\nМосква' },
    customer: names,
  });
  for (const format of ['text', 'csv', 'html'] as const) {
    const text = String(await renderStatement(named, { format, issuer: null }));
    expect(text).toContain('株式会社アクメ');
    if (format !== 'text') expect(text).toContain('Северный ветер ООО');
  }
  const { changes } = await showTenant({ database, clock }, { tenant_id: 'acme', most: 1 });
  expect(changes.map(({ setting, was, became }) => [setting, was, became])).toEqual([
    ['mode', 'shadow', 'live'],
    ['name', null, '株式会社アクメ'],
    ['address', null, '東京都千代田区1-1'],
    ['contact', null, 'عمر'],
  ]);
  expect(await brokenLaws(database)).toEqual([]);
});

it('keeps its number, whatever its parties are called, and no other statement has it', async () => {
  const [one, other] = [await statement(), await readStatements(database, OF_SEPTEMBER)];
  expect(one).toMatchObject({
    number: expect.stringMatching(/^2026-10(-[0-9A-HJKMNP-TV-Z]{4}){3}$/),
  });
  expect([one].flat()[0]?.number).not.toBe(other[0]?.number);
  await setTenant({ database, clock }, { tenant_id: 'acme', name: '' });
  expect(await statement()).toMatchObject({
    number: [one].flat()[0]?.number,
    customer: { name: null },
  });
});

const OF_SEPTEMBER = { month: '2026-09', tenantId: 'acme' };

it.each([
  ['a line in a name', { name: 'Acme\nTotal due: $0' }],
  ['a mark that orders text anew', { name: 'Acme \u202Eetats' }],
  ['a control character in an address', { address: 'Berlin\u0007' }],
  ['an address of more lines than a head has', { address: '1\n2\n3\n4\n5\n6\n7' }],
  ['a name of more than 200 characters', { name: 'x'.repeat(201) }],
])('refuses %s', (_what, change) => {
  const of = () => readRequest(setTenantRequest, { tenant_id: 'acme', ...change });
  expect(of).toThrow('the request does not fit');
});

it('gives nobody a statement of usage without a tenant: nothing of it is due', async () => {
  const request = { tenant_id: 'unattributed', month: '2026-10', preview: false };
  await expect(showStatement({ database, clock }, request)).rejects.toThrow('nothing is due');
  const all = await readStatements(database, { month: '2026-10', tenantId: null });
  expect(all.map(({ tenant_id }) => tenant_id)).toEqual(['acme']);
});

it('counts a late call that its own period takes back as none, and one that an earlier period counted as it was', async () => {
  const late = { occurred_at: '2026-10-05T00:00:00Z', usage };
  await receiveEvents(database, [nativeEvent({ event_id: 'came late', ...late })], NOVEMBER);
  await receiveEvents(database, [nativeEvent({ event_id: 'and stays', ...late })], NOVEMBER);
  await correct('came late', null, 'never made');
  await correct('kept', null, 'an outage');
  await closePeriods(
    { database, clock: () => Date.parse('2026-12-01T00:00:00Z') },
    { month: '2026-11', tenant_id: null },
  );
  const request = { tenant_id: 'acme', month: '2026-11', preview: false };
  expect(await showStatement({ database, clock }, request)).toMatchObject({
    usage: { calls: 1 },
    features: [
      { name: null, calls: 1, exact: '3' },
      { name: 'chat', calls: 0, exact: '-3' },
    ],
  });
});

const NOVEMBER = '2026-11-03T00:00:00Z';

it('tells no amount of another currency of a late call that was taken back after the tenant changed its own', async () => {
  const december = '2026-12-03T00:00:00Z';
  const euro = { ...(sharedBook('standard') as object), book: 'euro', currency: 'EUR' };
  await importBook(database, euro);
  await makeTenant(database, 'mover', { mode: 'live', created: NOVEMBER, priceBook: 'standard' });
  const of = { tenant_id: 'mover', usage };
  const inNovember = { ...of, event_id: 'in dollars', occurred_at: '2026-11-10T00:00:00Z' };
  await receiveEvents(database, [nativeEvent(inNovember)], '2026-11-10T00:00:00Z');
  const close = (month: string, at: string) =>
    closePeriods({ database, clock: () => Date.parse(at) }, { month, tenant_id: 'mover' });
  await close('2026-11', '2026-12-01T00:00:00Z');
  await setTenant(
    { database, clock: () => Date.parse(december) },
    { tenant_id: 'mover', price_book: 'euro', price_book_from: Date.parse('2026-12-01T00:00:00Z') },
  );
  const late = { ...of, event_id: 'late in dollars', occurred_at: '2026-11-11T00:00:00Z' };
  await receiveEvents(database, [nativeEvent(late)], december);
  await correct('late in dollars', null, 'charged in euros by an adjustment');
  expect(await close('2026-12', '2027-01-01T00:00:00Z')).toMatchObject([{ state: 'closed' }]);

  const request = { tenant_id: 'mover', month: '2026-12', preview: false };
  const stated = await showStatement({ database, clock }, request);
  expect(stated).toMatchObject({ currency: 'EUR', corrections: [{ taken_back: 1, exact: '0' }] });
  const text = String(await renderStatement(stated, { format: 'text', issuer: null }));
  expect(text).toMatch(/^gpt-4o +Input tokens +0 +3\/1M +0\.00$/m);
  expect(text).toContain('1 call of November 2026 taken back: charged in euros by an');
  expect(text).not.toContain('Credit');
});
