import { beforeEach, describe, expect, it } from 'vitest';
import { parseInstant, systemClock } from '../../../src/clock.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import type { DifferenceRow } from '../../../src/ledger/corrections/bulk-answer.ts';
import { rerateMonth } from '../../../src/ledger/corrections/rerate-month.ts';
import { foldAll } from '../../../src/ledger/rollups/fold-batches.ts';
import { formatPico } from '../../../src/money.ts';
import { readUsageReport } from '../../../src/reports/usage-report-store.ts';
import type { TestDatabase } from '../../support/database.ts';
import { count, freshDatabase, textRows } from '../../support/database.ts';
import {
  importBook,
  importBooks,
  makeTenant,
  nativeEvent,
  receiveEvents,
  sharedBook,
} from '../../support/ledger.ts';
import { brokenLaws } from '../../support/worker.ts';

let database: TestDatabase;

beforeEach(async () => {
  database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
});

describe('re-rating a month', () => {
  beforeEach(async () => {
    await receiveEvents(database, [
      nativeEvent({ event_id: 'early', occurred_at: '2026-10-10T00:00:00Z' }),
      nativeEvent({ event_id: 'after', occurred_at: '2026-10-16T00:00:00Z' }),
      nativeEvent({ event_id: 'other', occurred_at: '2026-10-16T00:00:00Z', tenant_id: 'birch' }),
      nativeEvent({ event_id: 'failed', occurred_at: '2026-10-16T00:00:00Z', status: 'error' }),
    ]);
    // From October 15 on: 1000 × 4.00 µ + 100 × 16.00 µ = 0.0056 in place of 0.0042.
    await importBooks(database, 'standard-2026-10-15');
  });

  const acme: DifferenceRow = {
    tenant_id: 'acme',
    requested_model: 'gpt-4o',
    currency_before: 'USD',
    currency: 'USD',
    entries: 1,
    released: 0,
    charge_before: '0.0042',
    charge_after: '0.0056',
    cost_before: '0.0035',
    cost_after: '0.0035',
  };
  const birch = { ...acme, tenant_id: 'birch' };

  it('shows with --dry-run what it would do, and posts nothing', async () => {
    expect(await run({ dryRun: true })).toEqual([acme, birch]);
    expect(await count(database, 'entries')).toBe(4);
    expect(await count(database, "batches where kind = 'correction'")).toBe(0);
  });

  it('posts a reversal and a replacement for each entry whose price is another now, and no more', async () => {
    expect(await run()).toEqual([acme, birch]);
    const rows = await textRows(
      database,
      `select tenant_id, event_id, charge, reason, actor from audit.entries
       where kind = 'correction' order by tenant_id, is_reversal desc`,
    );
    const by = { reason: 're-rated', actor: 'ada' };
    expect(rows).toEqual([
      { tenant_id: 'acme', event_id: 'after', charge: '-0.0042', ...by },
      { tenant_id: 'acme', event_id: 'after', charge: '0.0056', ...by },
      { tenant_id: 'birch', event_id: 'other', charge: '-0.0042', ...by },
      { tenant_id: 'birch', event_id: 'other', charge: '0.0056', ...by },
    ]);
    expect(await brokenLaws(database)).toEqual([]);
  });

  it('tells how many of how many it looked at', async () => {
    const told: (readonly number[])[] = [];
    const parts = { database, clock: systemClock };
    const request = { month: '2026-10', tenant_id: null, dry_run: true, reason: 'x', actor: 'ada' };
    await rerateMonth(parts, request, (...progress) => told.push(progress));
    expect(told).toEqual([[4, 4]]);
  });

  it('does nothing the second time', async () => {
    await run();
    expect(await run()).toEqual([]);
    expect(await run({ dryRun: true })).toEqual([]);
    expect(await count(database, 'entries')).toBe(8);
  });

  it('leaves other tenants alone where one is named', async () => {
    expect(await run({ tenantId: 'birch' })).toEqual([birch]);
    expect(await count(database, "entries where tenant_id = 'acme'")).toBe(3);
  });

  it('finds nothing in a month without usage', async () => {
    expect(await run({ month: '2026-09' })).toEqual([]);
  });

  it('of a closed month bills the difference in the open one', async () => {
    const clock = () => parseInstant('2026-11-02T00:00:00Z');
    await closePeriods({ database, clock }, { month: '2026-10', tenant_id: 'acme' });
    await run({ tenantId: 'acme' });
    const rows = await textRows(
      database,
      "select period_start, late, sum(charge) as charge from audit.entries where tenant_id = 'acme' group by 1, 2 order by 1",
    );
    // October: 0.0042 + 0.0042, as closed; November: -0.0042 + 0.0056 = 0.0014.
    expect(rows).toEqual([
      { period_start: '2026-10-01', late: 'false', charge: '0.0084' },
      { period_start: '2026-11-01', late: 'true', charge: '0.0014' },
    ]);
    expect(await run({ tenantId: 'acme' })).toEqual([]);
    expect(await brokenLaws(database)).toEqual([]);
  });
});

describe('an entry without a price', () => {
  beforeEach(async () => {
    await receiveEvents(database, [nativeEvent({ requested_model: 'gpt-5' })]);
  });

  const priced = (model: string) => ({
    ...(sharedBook('standard') as object),
    effective_from: '2026-09-01T00:00:00Z',
    models: [{ model, per_million: { input: '5.00', output: '20.00' } }],
  });

  it('keeps its period open until a price is there and it is re-rated', async () => {
    const clock = () => parseInstant('2026-11-02T00:00:00Z');
    const october = { month: '2026-10', tenant_id: 'acme' };
    const [refused] = await closePeriods({ database, clock }, october);
    expect(refused).toMatchObject({
      state: 'refused',
      detail: expect.stringContaining('gpt-5 (1)'),
    });
    await importBook(database, priced('gpt-5'));
    const [released] = await run();
    // 1000 × 5.00 µ + 100 × 20.00 µ = 0.007. What it cost us nobody knows, which is not nothing.
    expect(released).toMatchObject({ released: 1, charge_before: null, charge_after: '0.007' });
    expect(released).toMatchObject({ cost_before: null, cost_after: null });
    const [closed] = await closePeriods({ database, clock }, october);
    expect(closed).toMatchObject({ state: 'closed', charge_total: '0.01' });
    expect(await brokenLaws(database)).toEqual([]);
  });

  it('is named once, though its cost became known and it was replaced for that', async () => {
    await importBook(database, {
      ...priced('gpt-5'),
      book: 'late-cost',
      kind: 'cost',
    });
    const unrated = [{ tenant_id: 'acme', requested_model: 'gpt-5', entries: 1 }];
    const row = {
      entries: 1,
      released: 0,
      charge_after: null,
      cost_before: null,
      cost_after: '0.007',
    };
    expect(await answer()).toMatchObject({ rows: [row], unrated });
    expect(await answer()).toMatchObject({ rows: [], unrated });
  });

  it('is not released by the price of another model, and is named as waiting for its own', async () => {
    await importBook(database, priced('gpt-6'));
    const unrated = [{ tenant_id: 'acme', requested_model: 'gpt-5', entries: 1 }];
    expect(await answer()).toMatchObject({ rows: [], unrated });
    await importBook(database, { ...priced('gpt-5'), effective_from: '2026-09-02T00:00:00Z' });
    expect(await answer()).toMatchObject({ rows: [{ released: 1 }], unrated: [] });
  });
});

it('goes on where a crash left it: what is corrected is not corrected again', async () => {
  const events = Array.from({ length: 1300 }, (_, n) =>
    nativeEvent({ event_id: `evt-${n}`, occurred_at: '2026-10-16T00:00:00Z' }),
  );
  await receiveEvents(database, events);
  await importBooks(database, 'standard-2026-10-15');
  // The clock is asked once a transaction, of a thousand entries and of the last 300; the one that asks
  // second never ends.
  let transactions = 0;
  const dyingClock = () => {
    transactions += 1;
    if (transactions === 2) throw new Error('the process died');
    return parseInstant('2026-10-20T12:00:00Z');
  };
  const request = { month: '2026-10', tenant_id: null, dry_run: false, ...NOTE };
  await expect(rerateMonth({ database, clock: dyingClock }, request)).rejects.toThrow(
    'the process died',
  );
  const corrected = await count(database, 'entries where is_reversal');
  expect([300, 1000]).toContain(corrected);
  expect(await run()).toMatchObject([{ entries: 1300 - corrected }]);
  expect(await run()).toEqual([]);

  // 1,300 entries, each reversed and replaced once: 1,300 × 0.0056 = 7.28
  const [sums] = await textRows(
    database,
    'select count(*) as n, trim_scale(sum(charge)) as charge from audit.entries',
  );
  expect(sums).toEqual({ n: '3900', charge: '7.28' });
  expect(await brokenLaws(database)).toEqual([]);
});

it('of a cost that comes to be known says that it was unknown, and adds it to no known one', async () => {
  const models = [{ model: 'gpt-4o-mini', per_million: { input: '0.15', output: '0.60' } }];
  await receiveEvents(database, [
    nativeEvent({ event_id: 'known', occurred_at: '2026-10-16T00:00:00Z' }),
    nativeEvent({ event_id: 'unknown', occurred_at: '2026-10-16T00:00:00Z', provider: 'azure' }),
  ]);
  const book = { book: 'resellers', kind: 'cost', currency: 'USD', models };
  const rates = { per_million: { input: '3.00', output: '11.00' } };
  await importBook(database, {
    ...book,
    effective_from: '2026-09-01T00:00:00Z',
    models: [...models, { provider: 'azure', model: 'gpt-4o', ...rates }],
  });
  await importBooks(database, 'standard-2026-10-15');
  const row = { requested_model: 'gpt-4o', entries: 1, released: 0 };
  const charges = { charge_before: '0.0042', charge_after: '0.0056' };
  expect(await run()).toMatchObject([
    // 1000 × 3.00 µ + 100 × 11.00 µ = 0.0041
    { ...row, ...charges, cost_before: null, cost_after: '0.0041' },
    { ...row, ...charges, cost_before: '0.0035', cost_after: '0.0035' },
  ]);
  expect(await brokenLaws(database)).toEqual([]);
});

it('corrects what the model requested would have cost, where that alone is another now', async () => {
  // Charged and executed by other models than the one whose cost is new: no amount of a bill changes.
  await receiveEvents(database, [
    nativeEvent({ event_id: 'fallback', executed_model: 'gpt-4o-mini' }),
    nativeEvent({ event_id: 'direct', requested_model: 'gpt-4o-mini' }),
  ]);
  await foldAll(database, systemClock);
  // 0.0035 less 1000 × 0.15 µ + 100 × 0.60 µ = 0.00021
  expect(await routingGain()).toBe('0.00329');
  await importBook(database, {
    ...(sharedBook('cost') as object),
    effective_from: '2026-10-01T00:00:00Z',
    models: [
      { provider: 'openai', model: 'gpt-4o', per_million: { input: '2.00', output: '8.00' } },
      { provider: 'openai', model: 'gpt-4o-mini', per_million: { input: '0.15', output: '0.60' } },
    ],
  });
  const amounts = { charge_before: '0.0042', charge_after: '0.0042' };
  const costs = { cost_before: '0.00021', cost_after: '0.00021' };
  const foreseen = await run({ dryRun: true });
  expect(foreseen).toMatchObject([{ requested_model: 'gpt-4o', entries: 1, ...amounts, ...costs }]);
  expect(await run()).toEqual(foreseen);
  await foldAll(database, systemClock);
  // 1000 × 2.00 µ + 100 × 8.00 µ = 0.0028, less the same 0.00021
  expect(await routingGain()).toBe('0.00259');
  const corrected = "entries where kind = 'correction' and event_id";
  expect(await count(database, `${corrected} = 'fallback'`)).toBe(2);
  expect(await count(database, `${corrected} = 'direct'`)).toBe(0);
  expect(await run()).toEqual([]);
  expect(await brokenLaws(database)).toEqual([]);
});

it('finds the calls of a closed month where they stand now, and re-rates them a second time', async () => {
  const at = (day: string) => () => parseInstant(`${day}T00:00:00Z`);
  await receiveEvents(database, [nativeEvent({ event_id: 'in time' })]);
  await closePeriods({ database, clock: at('2026-11-01') }, { month: '2026-10', tenant_id: null });
  await receiveEvents(database, [nativeEvent({ event_id: 'late' })], '2026-11-02T00:00:00Z');
  await importBooks(database, 'standard-2026-10-15');
  const first = { entries: 2, charge_before: '0.0084', charge_after: '0.0112' };
  expect(await answer()).toMatchObject({ examined: 2, rows: [first], totals: [first] });
  const models = [{ model: 'gpt-4o', per_million: { input: '1.00', output: '2.00' } }];
  const book = { ...(sharedBook('standard') as object), effective_from: '2026-10-15T01:00:00Z' };
  await importBook(database, { ...book, models });
  // 2 × (1000 × 1.00 µ + 100 × 2.00 µ) = 0.0024
  expect(await run()).toMatchObject([
    { entries: 2, charge_before: '0.0112', charge_after: '0.0024' },
  ]);
  expect(await answer()).toMatchObject({ examined: 2, rows: [], totals: [] });
  expect(await answer({ month: '2026-11' })).toMatchObject({ examined: 0 });
  expect(await brokenLaws(database)).toEqual([]);
});

it('takes no price away, names whose it would be, and does it only when that is asked for', async () => {
  await receiveEvents(database, [
    nativeEvent({ event_id: 'losing' }),
    nativeEvent({ event_id: 'other', requested_model: 'gpt-4o-mini' }),
  ]);
  const models = [{ model: 'gpt-4o-mini', per_million: { input: '1.00', output: '2.00' } }];
  const book = { ...(sharedBook('standard') as object), effective_from: '2026-10-02T00:00:00Z' };
  await importBook(database, { ...book, models });
  const losing = [{ tenant_id: 'acme', requested_model: 'gpt-4o', entries: 1 }];
  const mini = { requested_model: 'gpt-4o-mini', entries: 1 };
  expect(await answer()).toMatchObject({ rows: [mini], losing, unrated: [] });
  expect(await count(database, "entries where outcome = 'unrated'")).toBe(0);
  const taken = [{ requested_model: 'gpt-4o', charge_before: '0.0042', charge_after: null }];
  expect(await answer({ unprice: true })).toMatchObject({ rows: taken, losing });
  expect(await answer()).toMatchObject({ rows: [], losing: [], unrated: losing });
});

it('counts a failed call that was re-rated once', async () => {
  await receiveEvents(database, [nativeEvent({ status: 'error' })]);
  await importBook(database, {
    ...(sharedBook('cost') as object),
    effective_from: '2026-10-01T00:00:00Z',
    models: [
      { provider: 'openai', model: 'gpt-4o', per_million: { input: '2.00', output: '8.00' } },
    ],
  });
  expect(await run()).toHaveLength(1);
  const clock = () => parseInstant('2026-11-02T00:00:00Z');
  await closePeriods({ database, clock }, { month: '2026-10', tenant_id: 'acme' });
  const [close] = await textRows(database, "select manifest from closes where tenant_id = 'acme'");
  expect(JSON.parse(String(close?.['manifest']))).toMatchObject({
    entries: 3,
    outcomes: { failed: 3 },
    calls: { failed: 1 },
  });
  expect(await brokenLaws(database)).toEqual([]);
});

it('refuses a tenant that does not exist', async () => {
  await expect(run({ tenantId: 'nobody' })).rejects.toThrow('there is no tenant "nobody"');
});

it('re-rates a tenant whose book was assigned for a time that is past', async () => {
  await receiveEvents(database, [nativeEvent({ occurred_at: '2026-10-10T00:00:00Z' })]);
  await importBooks(database, 'cost-plus');
  await makeTenant(database, 'acme', {
    priceBook: 'cost-plus',
    priceBookFrom: parseInstant('2026-10-01T00:00:00Z'),
    created: '2026-10-21T00:00:00Z',
  });
  // (1000 × 2.50 µ + 100 × 10.00 µ) × 1.2 = 0.0042: the amount is the same, so nothing is corrected.
  expect(await run()).toEqual([]);
});

const NOTE = { reason: 're-rated', actor: 'ada' };

interface Asked {
  readonly month?: string;
  readonly tenantId?: string;
  readonly dryRun?: boolean;
  readonly unprice?: boolean;
}

function answer({ month = '2026-10', tenantId, dryRun = false, unprice }: Asked = {}) {
  const clock = () => parseInstant('2026-10-20T12:00:00Z');
  const asked = { month, tenant_id: tenantId ?? null, dry_run: dryRun, unprice };
  return rerateMonth({ database, clock }, { ...asked, ...NOTE });
}

async function run(asked: Asked = {}): Promise<readonly DifferenceRow[]> {
  return (await answer(asked)).rows;
}

async function routingGain(): Promise<string> {
  const usage = await readUsageReport(database, { by: [], tenantId: 'acme', from: null, to: null });
  return formatPico(usage.reduce((sum, row) => sum + row.routingGainPico, 0n));
}
