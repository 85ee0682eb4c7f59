import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import { exportFocus } from '../../src/exports/focus/export-focus.ts';
import { focusAnswer } from '../../src/exports/focus/focus-answer.ts';
import { journalAnswer } from '../../src/exports/journal/journal-answer.ts';
import { setIssuerRequest } from '../../src/issuer/issuer-answer.ts';
import { setIssuer } from '../../src/issuer/set-issuer.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { adjustTenant } from '../../src/ledger/corrections/adjust-tenant.ts';
import { exactPico } from '../../src/money.ts';
import { allocateShared } from '../support/allocation.ts';
import { startApi } from '../support/api.ts';
import { cli } from '../support/cli.ts';
import { createDatabase, freshDatabase, type TestDatabase } from '../support/database.ts';
import {
  importBook,
  importBooks,
  makeTenant,
  nativeEvent,
  receiveEvents,
} from '../support/ledger.ts';

/** A closed October and November, with a credit, late usage, a correction, a discount and a shadow. */

let database: TestDatabase;
let drop: () => Promise<void>;
let folder: string;

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  folder = await mkdtemp(join(tmpdir(), 'exports-'));
  await importBooks(database, 'standard', 'cost');
  await importBook(database, {
    ...{ book: 'friends', kind: 'charge', currency: 'USD', base: 'standard', discount: '0.20' },
    effective_from: '2026-01-01T00:00:00Z',
  });
  for (const tenant of ['acme', 'birch']) {
    await makeTenant(database, tenant, { mode: 'live', timeZone: 'Europe/Berlin' });
  }
  await makeTenant(database, 'cedar', { mode: 'live', priceBook: 'friends', priceBookFrom: 0 });
  const tags = { user_id: 'u-1', feature: 'search', agent_run_id: 'r-1', prompt_version: 'v2' };
  await receiveEvents(database, [
    nativeEvent({ ...tags, usage: { input_tokens: 1_000_001, output_tokens: 333 } }),
    // In Berlin this is the day after.
    nativeEvent({ event_id: 'evt-2', occurred_at: '2026-10-15T22:30:00Z' }),
    nativeEvent({ event_id: 'evt-3', status: 'error', error_type: 'timeout' }),
    nativeEvent({ event_id: 'evt-4', tenant_id: 'cedar' }),
    nativeEvent({ event_id: 'evt-5', tenant_id: 'stranger' }),
  ]);
  await adjust('-0.015', 'sorry for Tuesday', '2026-10-21T12:00:00Z');
  await close('2026-10', '2026-11-01T06:00:00Z');
  await receiveEvents(
    database,
    [
      nativeEvent({ event_id: 'late', occurred_at: '2026-10-20T12:00:00Z' }),
      nativeEvent({ event_id: 'own', occurred_at: '2026-11-02T12:00:00Z' }),
    ],
    '2026-11-02T13:00:00Z',
  );
  await adjust('0.5', 'paper invoice', '2026-11-03T12:00:00Z');
  const corrected = await cli(['correct', 'ent_1000001', '--void', '--reason', 'twice'], env());
  expect(corrected).toMatchObject({ exitCode: 0 });
  await close('2026-11', '2026-12-01T06:00:00Z');
});

afterAll(() => drop());

const env = () => ({ DATABASE_URL: database.url, SPANLEDGER_LOG_LEVEL: 'silent' });

function close(month: string, at: string) {
  return closePeriods({ database, clock: () => parseInstant(at) }, { month, tenant_id: null });
}

function adjust(amount: string, reason: string, at: string) {
  const clock = () => parseInstant(at);
  const request = { tenant_id: 'acme', amount: exactPico(amount), reason, actor: 'a person' };
  return adjustTenant({ database, clock }, { ...request, id: reason });
}

type Row = Readonly<Record<string, string>>;

async function focus(month: string, ...args: readonly string[]): Promise<readonly Row[]> {
  const { stdout, exitCode } = await cli(['export', 'focus', month, ...args], env());
  expect(exitCode).toBe(0);
  return rowsOf(stdout);
}

function rowsOf(text: string): readonly Row[] {
  const cells = text
    .split('\r\n')
    .slice(0, -1)
    .map((line) => [...line.matchAll(/(?:"((?:[^"]|"")*)"|([^",]*))(?:,|$)/g)].slice(0, 37))
    .map((line) => line.map(([, quoted, plain = '']) => quoted?.replaceAll('""', '"') ?? plain));
  const [head = [], ...rows] = cells;
  return rows.map((row) => Object.fromEntries(head.map((name, index) => [name, row[index] ?? ''])));
}

const sumOf = (rows: readonly Row[], column: string) =>
  rows.reduce((sum, row) => sum + exactPico(row[column] ?? ''), 0n);

it.each(['2026-10', '2026-11'])(
  'the billed costs of %s come to the total of each statement',
  async (month) => {
    const rows = await focus(month);
    const totals = await database.kysely
      .selectFrom('closes')
      .select(['tenant_id', 'manifest'])
      .where('mode', '=', 'live')
      .execute();
    const own = totals.filter(({ manifest }) =>
      JSON.parse(manifest).period_start.startsWith(month),
    );
    expect(own.length).toBeGreaterThan(0);
    for (const { tenant_id, manifest } of own) {
      const billed = rows.filter((row) => row['BillingAccountId'] === tenant_id);
      const { charge_total } = JSON.parse(manifest);
      expect([tenant_id, sumOf(billed, 'BilledCost')]).toEqual([
        tenant_id,
        exactPico(charge_total),
      ]);
    }
    expect(new Set(rows.map((row) => row['BillingAccountId']))).not.toContain('stranger');
  },
);

it('a row multiplies out, and has its units, its day and its tags', async () => {
  const [row] = (await focus('2026-10')).filter(
    ({ SkuMeter, Tags }) => SkuMeter === 'Input Tokens' && Tags !== '',
  );
  // 1,000,001 tokens at 3.00 a million.
  expect(row).toMatchObject({
    ...{ BilledCost: '3.000003', ListUnitPrice: '3', ContractedUnitPrice: '3' },
    ...{ PricingQuantity: '1.000001', PricingUnit: '1000000 Tokens' },
    ...{ ConsumedQuantity: '1000001', ConsumedUnit: 'Tokens', ChargeCategory: 'Usage' },
    ...{ ChargePeriodStart: '2026-10-14T22:00:00Z', ChargePeriodEnd: '2026-10-15T22:00:00Z' },
    ...{ BillingPeriodStart: '2026-09-30T22:00:00Z', BillingPeriodEnd: '2026-10-31T23:00:00Z' },
    Tags: '{"user_id":"u-1","feature":"search","agent_run_id":"r-1","prompt_version":"v2"}',
  });
});

it('a discount stands between the list price and the contracted one', async () => {
  const rows = await focus('2026-10', '--tenant', 'cedar');
  const [input] = rows.filter(({ SkuMeter }) => SkuMeter === 'Input Tokens');
  // 1,000 tokens at 3.00 a million, and at four fifths of it.
  expect(input).toMatchObject({
    ...{ ListUnitPrice: '3', ListCost: '0.003' },
    ...{ ContractedUnitPrice: '2.4', ContractedCost: '0.0024', EffectiveCost: '0.0024' },
  });
});

it('a correction to an invoiced period is of that class, and late usage is one; a credit is its own category', async () => {
  const said = (rows: readonly Row[]) =>
    rows
      .filter(({ SkuMeter }) => SkuMeter !== 'Output Tokens')
      .map((row) => [
        row['ChargeClass'],
        row['ChargeCategory'],
        row['BilledCost'],
        row['ChargePeriodStart']?.slice(0, 7),
      ]);
  const november = said(await focus('2026-11', '--tenant', 'acme'));
  expect(november).toEqual(
    expect.arrayContaining([
      ['Correction', 'Usage', '-0.003', '2026-10'],
      ['Correction', 'Usage', '0.003', '2026-10'],
      ['', 'Usage', '0.003', '2026-11'],
      ['', 'Adjustment', '0.5', '2026-11'],
    ]),
  );
  expect(said(await focus('2026-10', '--tenant', 'acme'))).toContainEqual([
    ...['', 'Credit', '-0.015', '2026-10'],
  ]);
});

it('what is in shadow is left out and named, and a file says how much it holds', async () => {
  const file = join(folder, 'focus.csv');
  const { stdout } = await cli(['export', 'focus', '2026-10', '--out', file, '--json'], env());
  const { written, ...answer } = JSON.parse(stdout);
  expect(written).toBe(file);
  expect(focusAnswer.parse(answer).skipped).toContainEqual({
    tenant_id: 'stranger',
    period_start: '2026-10-01',
    why: 'shadow',
  });
  expect(rowsOf(await readFile(file, 'utf8'))).toHaveLength(answer.rows);
});

it('a journal of one month is the same bytes each time, in each form', async () => {
  for (const format of ['csv', 'beancount']) {
    const args = ['export', 'journal', '2026-11', '--format', format];
    const [one, other] = [await cli(args, env()), await cli(args, env())];
    expect(one).toMatchObject({ exitCode: 0 });
    expect(one.stdout).toBe(other.stdout);
    expect(one.stdout).toContain('acme');
  }
});

it('a journal has the accounts that a file names, and refuses a file that names others', async () => {
  const file = join(folder, 'accounts.json');
  await writeFile(file, '{"receivable":"1200","income":"4000-{model}"}');
  const args = ['export', 'journal', '2026-10', '--accounts', file];
  const { stdout } = await cli([...args, '--json'], env());
  const accounts = journalAnswer
    .parse(JSON.parse(stdout))
    .closes.flatMap(({ postings }) => postings.map(({ account }) => account));
  expect(new Set(accounts)).toEqual(new Set(['1200', '4000-Gpt-4o', 'Income:Adjustments']));
  expect(await cli([...args, '--format', 'beancount'], env())).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('beancount does not accept the account "1200"'),
  });
  await writeFile(file, '{"cash":"1000"}');
  expect(await cli(args, env())).toMatchObject({ exitCode: 1 });
});

it('a month in which nothing is closed is refused', async () => {
  const { exitCode, stderr } = await cli(['export', 'focus', '2026-12'], env());
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining('is closed')]);
});

it('a reader has the same by HTTP, and a tenant has nothing of it', async () => {
  const api = await startApi(database);
  try {
    const reader = await api.key('reader');
    const csv = await api.ask('/v1/exports/focus/2026-10', reader);
    expect([csv.status, csv.headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8']);
    expect(csv.text).toBe((await cli(['export', 'focus', '2026-10'], env())).stdout);
    const journal = await api.ask('/v1/exports/journal/2026-10', reader);
    expect(journalAnswer.safeParse(journal.json).success).toBe(true);
    const text = await api.ask('/v1/exports/journal/2026-10?format=csv', reader);
    expect(text.text).toBe((await cli(['export', 'journal', '2026-10'], env())).stdout);
    const tenant = await api.key('tenant', { tenant: 'acme' });
    expect((await api.ask('/v1/exports/journal/2026-10', tenant)).status).toBe(403);
  } finally {
    await api.close();
  }
});

it('who bills is the issuer that is set, as on the statements; another one where it is named', async () => {
  const issuers = async (...args: readonly string[]) => {
    const rows = await focus('2026-10', ...args);
    const said = rows.flatMap((row) => [
      ...[row['InvoiceIssuerName'], row['ProviderName'], row['ServiceProviderName']],
    ]);
    return [...new Set(said)];
  };
  expect(await issuers()).toEqual(['Spanledger']);
  const clock = () => parseInstant('2026-12-01T07:00:00Z');
  await setIssuer({ database, clock }, setIssuerRequest.parse({ name: 'Northwind' }));
  expect(await issuers()).toEqual(['Northwind']);
  expect(await issuers('--issuer', 'Acme Metering')).toEqual(['Acme Metering']);
});

it('a share of a pool is bought at the price that it comes to', async () => {
  await receiveEvents(
    database,
    [nativeEvent({ event_id: 'december', occurred_at: '2026-12-02T12:00:00Z' })],
    '2026-12-02T13:00:00Z',
  );
  const pool = { pool: 'gpu', month: '2026-12', amount: exactPico('12.5'), billed: true };
  await allocateShared(database, { ...pool, at: '2027-01-01T01:00:00Z' });
  await close('2026-12', '2027-01-01T06:00:00Z');
  const [share] = (await focus('2026-12', '--tenant', 'acme')).filter(
    ({ ChargeCategory }) => ChargeCategory === 'Purchase',
  );
  expect(share).toMatchObject({
    ...{ BilledCost: '12.5', ListUnitPrice: '12.5', ContractedUnitPrice: '12.5' },
    ...{
      PricingQuantity: '1',
      PricingUnit: 'Shares',
      SkuId: 'pool/gpu',
      SkuPriceId: 'pool/gpu:12.5',
    },
  });
});

it('a day that begins with a midnight that comes twice begins with the first', async () => {
  // given the first of November in Havana, which has 25 hours from 04:00 in UTC on
  const own = await freshDatabase();
  await importBooks(own, 'standard');
  await makeTenant(own, 'habana', { mode: 'live', timeZone: 'America/Havana' });
  const call = (event_id: string, occurred_at: string) =>
    nativeEvent({ event_id, occurred_at, tenant_id: 'habana' });
  await receiveEvents(
    own,
    [call('first', '2026-11-01T04:30:00Z'), call('last', '2026-11-02T04:59:59Z')],
    '2026-11-02T06:00:00Z',
  );
  const clock = () => parseInstant('2026-12-01T06:00:00Z');
  await closePeriods({ database: own, clock }, { month: '2026-11', tenant_id: 'habana' });
  const pieces: string[] = [];
  const request = { month: '2026-11', tenant_id: 'habana', issuer: null };
  await exportFocus({ database: own }, request, (piece) => void pieces.push(piece));
  const days = pieces.filter((piece) => piece.includes('Usage-Based'));
  // then its calls are of that one day
  expect(days.length).toBeGreaterThan(0);
  for (const day of days) expect(day).toContain('2026-11-02T05:00:00Z,2026-11-01T04:00:00Z,');
});
