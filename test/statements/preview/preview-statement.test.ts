import { afterAll, beforeAll, expect, it } from 'vitest';
import { behindWall } from '../../../src/database/behind-wall.ts';
import { makeRoles } from '../../../src/database/roles.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { renderStatement, STATEMENT_FORMATS } from '../../../src/statements/render-statement.ts';
import { showStatement } from '../../../src/statements/show-statement.ts';
import { statementAnswer } from '../../../src/statements/statement-answer.ts';
import { allocateShared } from '../../support/allocation.ts';
import type { TestDatabase } from '../../support/database.ts';
import { createDatabase, freshDatabase } from '../../support/database.ts';
import {
  importBook,
  importBooks,
  makeTenant,
  nativeEvent,
  receiveEvents,
} from '../../support/ledger.ts';
import { pdfPages } from '../pdf/pdf-text.ts';

/** What an open period comes to so far. */

let database: TestDatabase;
let drop: () => Promise<void>;

const NOW = '2026-10-05T12:00:00Z';
const usage = { input_tokens: 1_000_000, output_tokens: 0 };

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme', { mode: 'live', timeZone: 'Europe/Berlin' });
  await makeTenant(database, 'idle', { mode: 'live' });
  await receiveEvents(database, [
    // 1,000,000 × 3.00 µ = 3.00 each
    nativeEvent({ event_id: 'one', occurred_at: '2026-10-05T12:00:00Z', usage }),
    nativeEvent({ event_id: 'two', occurred_at: '2026-10-09T12:00:00Z', usage }),
    nativeEvent({ event_id: 'unpriced', requested_model: 'nobody-knows', usage }),
    nativeEvent({ event_id: 'before', occurred_at: '2026-09-20T12:00:00Z', usage }),
  ]);
});

afterAll(() => drop());

it('is what the close would say now, with a projection and without a hash', async () => {
  const preview = await show('acme', '2026-10', '2026-10-11T22:00:00Z');
  expect(statementAnswer.parse(preview)).toEqual(preview);
  // 6.00 over the 7 whole days since the first usage; today and 19 days are to come: 6.00 + 20 × 6.00 ÷ 7 = 23.14
  expect(preview).toMatchObject({
    ...{ total: '6.00', due: '0.00', mode: 'live', number: null, manifest_hash: null },
    closed_at: null,
    usage: { calls: 3 },
    preview: {
      as_of: '2026-10-11T22:00:00.000Z',
      earlier_open: '2026-09-01',
      waiting: 1,
      projection: { total: '23.14' },
    },
  });
  expect(preview).toMatchObject({
    notes: expect.arrayContaining([
      '1 call waits for a price or a measure, and is in no sum yet.',
      'The period from 2026-09-01 is not closed yet: what it carries on is not counted here.',
    ]),
  });
});

it('goes on with a model that has the name of a pool, whose late share counts once', async () => {
  const own = await freshDatabase();
  await importBooks(own, 'standard', 'cost');
  await makeTenant(own, 'acme', { mode: 'live' });
  const call = { occurred_at: '2026-09-20T12:00:00Z', usage };
  await receiveEvents(own, [nativeEvent({ event_id: 'before', ...call })]);
  const clock = () => Date.parse('2026-10-02T00:00:00Z');
  await closePeriods({ database: own, clock }, { month: '2026-09', tenant_id: null });
  await receiveEvents(own, [nativeEvent({ event_id: 'one', ...call, occurred_at: NOW })]);
  const pool = { pool: 'gpt-4o', month: '2026-09', billed: true };
  await allocateShared(own, { ...pool, at: '2026-10-06T00:00:00Z' });
  const of = { tenant_id: 'acme', month: '2026-10', preview: true };
  const asOf = { database: own, clock: () => Date.parse('2026-10-08T12:00:00Z') };
  // 10.00 shared; 3.00 over the 3 whole days since the first usage, today and 23 days to come: 3 + 24 × 1
  expect(await showStatement(asOf, of)).toMatchObject({
    ...{ total: '13.00', preview: { projection: { total: '37.00' } } },
  });
});

it('is marked on every page and in every format', async () => {
  const preview = await show('acme', '2026-10', '2026-10-11T22:00:00Z');
  const mark = /preview/i;
  for (const format of STATEMENT_FORMATS) {
    const rendered = await renderStatement(preview, { format, issuer: 'Us' });
    if (typeof rendered === 'string') expect(rendered).toMatch(mark);
    else
      for (const page of pdfPages(rendered)) expect(page.join('\n')).toMatch(/Preview, not final/);
  }
  const csv = String(await renderStatement(preview, { format: 'csv', issuer: 'Us' }));
  for (const row of csv.trim().split('\r\n').slice(1)) expect(row).toMatch(/,preview,/);
});

it('of a period without usage is one of zero', async () => {
  expect(await show('idle', '2026-10', '2026-10-11T22:00:00Z')).toMatchObject({
    ...{ total: '0.00', usage: { calls: 0 } },
    preview: { projection: { total: '0.00' } },
  });
});

it('a tenant reads its own through the wall, with the same figures', async () => {
  await makeRoles(database);
  const clock = () => Date.parse('2026-10-11T22:00:00Z');
  const parts = { database, view: behindWall(database, 'acme'), clock };
  const own = await showStatement(parts, request('acme', '2026-10'));
  expect(own).toEqual(await show('acme', '2026-10', '2026-10-11T22:00:00Z'));
  await expect(showStatement(parts, request('idle', '2026-10'))).rejects.toThrow(
    'no tenant "idle"',
  );
});

it('is refused where the period is closed, or has not begun', async () => {
  const now = '2026-10-11T22:00:00Z';
  await closePeriods(
    { database, clock: () => Date.parse(now) },
    { month: '2026-09', tenant_id: null },
  );
  await expect(show('acme', '2026-09', now)).rejects.toThrow(
    'is closed, and a preview is of an open',
  );
  await expect(show('acme', '2026-11', now)).rejects.toThrow(
    'no open period of tenant "acme" begins',
  );
  const preview = await show('acme', '2026-10', now);
  expect(preview).toMatchObject({ preview: { earlier_open: null } });
});

it('of charges in two currencies is refused, with the way out that the close names', async () => {
  await importBook(database, {
    ...{ book: 'yen', kind: 'charge', currency: 'JPY', caching: 'work_done' },
    effective_from: '2026-01-01T00:00:00Z',
    models: [{ model: 'gpt-4o', per_million: { input: '450', output: '1800' } }],
  });
  const created = '2026-07-01T00:00:00Z';
  await makeTenant(database, 'koi', { mode: 'live', priceBook: 'yen', priceBookFrom: 0, created });
  const call = (event_id: string, occurred_at: string) =>
    receiveEvents(database, [nativeEvent({ tenant_id: 'koi', event_id, occurred_at, usage })]);
  await call('yen', '2026-09-20T12:00:00Z');
  const clock = () => Date.parse('2026-10-02T00:00:00Z');
  for (const month of ['2026-07', '2026-08', '2026-09']) {
    await closePeriods({ database, clock }, { month, tenant_id: 'koi' });
  }
  await makeTenant(database, 'koi', { priceBook: 'standard', created: '2026-10-02T00:00:00Z' });
  await call('late', '2026-09-21T12:00:00Z');
  await call('dollars', '2026-10-05T12:00:00Z');
  await expect(show('koi', '2026-10', '2026-10-11T22:00:00Z')).rejects.toMatchObject({
    message: expect.stringContaining('has charges in JPY and USD, which have no common sum'),
    remedy: [
      expect.stringContaining('take it back by a correction, and charge it by an adjustment'),
    ],
  });
});

function request(tenant_id: string, month: string) {
  return { tenant_id, month, preview: true };
}

function show(tenantId: string, month: string, at: string) {
  return showStatement({ database, clock: () => Date.parse(at) }, request(tenantId, month));
}
