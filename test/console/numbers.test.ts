import { afterAll, beforeAll, expect, it } from 'vitest';
import { exactSum } from '../../src/console/view/amounts.ts';
import { makeRoles } from '../../src/database/roles.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { sealAll } from '../../src/seals/seal-batches.ts';
import { cli } from '../support/cli.ts';
import { type ConsoleVisitor, type RunningConsole, startConsole } from '../support/console.ts';
import { CONSOLE_NOW } from '../support/console-ledger.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';
import { cardOf, rowsOf } from '../support/page-tables.ts';

/**
 * Each number on a page is the one that the command line prints, to the last digit: of some tenants with usage at
 * random here, of a hundred with SPANLEDGER_CASES=100 npx vitest run test/console/numbers.test.ts
 */
const TENANTS = Number(process.env['SPANLEDGER_CASES'] ?? 5);

const ZONES = ['UTC', 'Europe/Berlin', 'America/Los_Angeles', 'Asia/Kolkata'];
const MODELS = ['gpt-4o', 'gpt-4o-mini'];

let database: TestDatabase;
let drop: () => Promise<void>;
let running: RunningConsole;
let reader: ConsoleVisitor;
const ids = Array.from({ length: TENANTS }, (_, nth) => `tenant-${nth}`);

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  const clock = () => CONSOLE_NOW;
  await importBooks(database, 'standard', 'cost');
  const random = randomNumbers(TENANTS);
  for (const [nth, id] of ids.entries()) {
    const timeZone = ZONES[nth % ZONES.length] ?? 'UTC';
    await makeTenant(database, id, { mode: 'live', priceBook: 'standard', timeZone });
  }
  const eventsOf = (month: string, days: number) =>
    ids.flatMap((id) =>
      Array.from({ length: 8 + random(8) }, (_, nth) => eventOf(random, { id, month, days, nth })),
    );
  await receiveEvents(database, eventsOf('2026-10', 31), '2026-11-01T12:00:00Z');
  await foldAll(database, clock);
  // The first hours of October are September's west of Greenwich, and a month closes after the one before.
  for (const month of ['2026-09', '2026-10']) {
    await closePeriods({ database, clock }, { month, tenant_id: null });
  }
  await receiveEvents(database, eventsOf('2026-11', 17), '2026-11-18T09:00:00Z');
  await foldAll(database, clock);
  await sealAll(database, clock);
  await makeRoles(database);
  running = await startConsole(database, { clock });
  reader = await running.visit(await running.key('reader'));
}, 120_000);
afterAll(async () => {
  await running.close();
  await drop();
});

/** A generator of whole numbers below a bound: the same ones in every run. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed + 1;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

function eventOf(
  random: (below: number) => number,
  of: { readonly id: string; readonly month: string; readonly days: number; readonly nth: number },
) {
  const { id, month, days, nth } = of;
  const two = (value: number) => String(value).padStart(2, '0');
  return nativeEvent({
    ...{ tenant_id: id, event_id: `${id}-${month}-${nth}` },
    occurred_at: `${month}-${two(1 + random(days))}T${two(random(24))}:${two(random(60))}:00Z`,
    ...(random(9) === 0 ? { status: 'error', error_type: 'timeout' } : {}),
    ...{ requested_model: MODELS[random(2)], user_id: `user-${random(3)}` },
    ...{ feature: `feature-${random(3)}`, agent_run_id: `${id}-run-${random(4)}` },
    usage: { input_tokens: random(90_000), output_tokens: random(9_000) },
  });
}

async function answer<Answer>(...args: string[]): Promise<Answer> {
  const { stdout, stderr, exitCode } = await cli([...args, '--json'], {
    DATABASE_URL: database.url,
  });
  expect([args, exitCode, stderr]).toEqual([args, 0, '']);
  return JSON.parse(stdout);
}

interface Usage {
  readonly rows: readonly (Readonly<Record<string, string>> & { readonly entries: number })[];
}

const BY_TENANT = ['report', 'usage', '--by', 'tenant'];
const UTC_DAYS = ['--from', '2026-11-01', '--to', '2026-12-01'];
const count = (text: string | undefined) => Number(text?.replaceAll(',', ''));
const sorted = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).sort();

it.each(ids)('what the page of %s says of its usage is what its report says', async (id) => {
  const { text } = await reader.get(`/console/tenants/${id}?month=2026-11&by=feature`);
  const all = await answer<Usage>(...BY_TENANT, '--tenant', id, ...UTC_DAYS);
  expect(cardOf(text, 'Charged, month to date')).toBe(all.rows[0]?.['charge']);
  expect(cardOf(text, 'Cost')).toBe(all.rows[0]?.['cost']);
  for (const by of ['feature', 'model', 'day'] as const) {
    const dimension = by === 'model' ? 'requested_model' : by;
    const page = await reader.get(`/console/tenants/${id}?month=2026-11&by=${dimension}`);
    const { rows } = await answer<Usage>(
      'report',
      'usage',
      '--by',
      dimension,
      '--tenant',
      id,
      ...UTC_DAYS,
    );
    const shown = rowsOf(page.text, `Usage by ${by}`).map((row) => ({
      ...{ name: row[by], entries: count(row['Entries']) },
      ...{ charge: row['Charged'], cost: row['Cost'], margin: row['Margin'] },
    }));
    const reported = rows.map((row) => ({
      ...{ name: row[dimension], entries: row.entries },
      ...{ charge: row['charge'], cost: row['cost'], margin: row['margin'] },
    }));
    expect(sorted(shown)).toEqual(sorted(reported));
  }
});

it.each(ids)('the periods, lines and runs of %s are those of the command line', async (id) => {
  const { text } = await reader.get(`/console/tenants/${id}`);
  const tenant = await answer<{
    readonly periods: readonly {
      readonly state: string;
      readonly entries: number;
      readonly charge_total: string | null;
      readonly charge_exact: string;
    }[];
  }>('tenant', 'show', id);
  expect(
    rowsOf(text, 'Periods').map((row) => [row['State'], count(row['Entries']), row['Charge']]),
  ).toEqual(tenant.periods.map((of) => [of.state, of.entries, of.charge_total ?? of.charge_exact]));

  const statement = await answer<{
    readonly total: string;
    readonly lines: readonly Readonly<Record<string, string>>[];
  }>('statement', id, '2026-10', '--format', 'json');
  const lines = rowsOf(
    (await reader.get(`/console/statements/${id}/2026-10`)).text,
    'Lines of the statement',
  );
  expect(lines.map((row) => [row['Model'], row['Exact'], row['Amount']])).toEqual(
    statement.lines.map((line) => [line['model'], line['exact'], line['amount']]),
  );

  const runs = await answer<Usage>('report', 'runs', '--tenant', id, '--month', '2026-11');
  const shown = rowsOf(
    (await reader.get(`/console/runs?tenant=${id}&month=2026-11`)).text,
    'Runs by what they spent before the answer',
  );
  expect(shown.map((row) => [row['run'], row['Charged'], row['Cost'], row['Share']])).toEqual(
    runs.rows.map((row) => [row['run'], row['charge'], row['cost'], row['share_before_answer']]),
  );
});

it.each(ids)("the customer's page of %s says what its period under way comes to", async (id) => {
  const link = await running.key('link', id);
  const visitor = await running.visit(null);
  const { text } = await visitor.get(`/usage/${link}?by=user`);
  const month = await answer<Usage>(...BY_TENANT, '--tenant', id, '--month', '2026-11');
  expect(cardOf(text, 'November 2026 so far')).toBe(month.rows[0]?.['charge']);
  const { users } = await answer<{
    readonly users: readonly { name: string; calls: number; exact: string }[];
  }>('statement', id, '2026-11', '--preview', '--format', 'json');
  expect(
    sorted(
      rowsOf(text, 'Usage by user').map((row) => [row['User'], count(row['Calls']), row['Amount']]),
    ),
  ).toEqual(sorted(users.map((user) => [user.name, user.calls, user.exact])));
});

it('the list of tenants and the overview sum to the same', async () => {
  const { rows } = await answer<Usage>('report', 'usage', '--by', 'tenant', ...UTC_DAYS);
  const shown = rowsOf((await reader.get('/console/tenants?month=2026-11')).text, 'Tenants');
  const named = shown.filter((row) => row['Tenant'] !== 'unattributed').slice(0, 50);
  const reported = rows
    .toSorted((a, b) => Number(b['charge']) - Number(a['charge']))
    .slice(0, named.length);
  expect(sorted(named.map((row) => [row['Tenant'], row['Charged ↓'], row['Cost']]))).toEqual(
    sorted(reported.map((row) => [row['tenant'], row['charge'], row['cost']])),
  );
  const all = (title: 'charge' | 'cost') => exactSum(rows.map((row) => row[title] ?? ''));
  const overview = (await reader.get('/console?month=2026-11')).text;
  expect(cardOf(overview, 'Charged, month to date')).toBe(all('charge'));
  expect(cardOf(overview, 'Provider cost')).toBe(all('cost'));
});
