import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseInstant, systemClock } from '../../src/clock.ts';
import { behindWall } from '../../src/database/behind-wall.ts';
import type { Database } from '../../src/database/database.ts';
import { makeRoles } from '../../src/database/roles.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { rerateMonth } from '../../src/ledger/corrections/rerate-month.ts';
import { reportTagCoverage } from '../../src/reports/report-tag-coverage.ts';
import { reportUsage } from '../../src/reports/report-usage.ts';
import { reportRuns } from '../../src/reports/runs/report-runs.ts';
import { createDatabase, freshDatabase } from '../support/database.ts';
import { importBook, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';

let database: Database;
let drop: () => Promise<void>;

const parts = () => ({ database, clock: systemClock });
const EVERYTHING = { tenant_id: null, month: null, from: null, to: null, as_of: null };

/** "eu" pays in euros and has no cost at all; "us" has one for one of its two models. */
beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  const per_million = { input: '2', output: '2' };
  const models = [
    { model: 'm', per_million },
    { model: 'n', per_million },
  ];
  const from = { effective_from: '2026-01-01T00:00:00Z' };
  await importBook(database, { book: 'euro', kind: 'charge', currency: 'EUR', ...from, models });
  await importBook(database, { book: 'dollar', kind: 'charge', currency: 'USD', ...from, models });
  const paid = [{ model: 'm', per_million: { input: '1.50', output: '1.50' } }];
  await importBook(database, {
    book: 'cost',
    kind: 'cost',
    currency: 'USD',
    ...from,
    models: paid,
  });
  await makeTenant(database, 'eu', { priceBook: 'euro' });
  await makeTenant(database, 'us', { priceBook: 'dollar' });
  const usage = { input_tokens: 1_000_000, output_tokens: 0 };
  const of = (tenant_id: string, requested_model: string) =>
    nativeEvent({
      event_id: `${tenant_id}-${requested_model}`,
      tenant_id,
      requested_model,
      usage,
      layers: { prompt: 1_000_000, tool: 0, memory: 0, response: 0 },
      agent_run_id: `run-${tenant_id}`,
    });
  await receiveEvents(database, [of('eu', 'm'), of('us', 'm'), of('us', 'n')]);
});

afterAll(() => drop());

describe('an unknown cost', () => {
  it('is unknown in a report of usage, and so is the margin', async () => {
    const { rows, coverage } = await reportUsage(parts(), { ...EVERYTHING, by: ['tenant'] });
    expect(rows).toEqual([
      expect.objectContaining({
        ...{ tenant: 'eu', charge: '2', cost: null, margin: null, entries_without_cost: 1 },
        ...{ known_cost: '0', known_margin: '0', known_cost_share: '0.00' },
      }),
      // $2 for each of two calls; the one with a cost of $1.50 has a margin of $0.50.
      expect.objectContaining({
        ...{ tenant: 'us', charge: '4', cost: null, margin: null, entries_without_cost: 1 },
        ...{ known_cost: '1.5', known_margin: '0.5', known_cost_share: '50.00' },
      }),
    ]);
    expect(coverage).toMatchObject([
      { currency: 'EUR', share: null, entries_without_cost: 1 },
      { currency: 'USD', share: '100.00', entries_without_cost: 1 },
    ]);
  });

  it('leaves the rows alone in which every cost is known', async () => {
    const by = ['tenant', 'requested_model'] as const;
    const { rows } = await reportUsage(parts(), { ...EVERYTHING, by });
    const known = rows.filter(({ cost }) => cost !== null);
    expect(known).toMatchObject([
      {
        tenant: 'us',
        requested_model: 'm',
        cost: '1.5',
        margin: '0.5',
        known_cost_share: '100.00',
      },
    ]);
  });

  it('makes the layers share out what is known and what is not', async () => {
    const { rows } = await reportUsage(parts(), { ...EVERYTHING, by: ['layer'] });
    const dollars = rows.filter(({ currency }) => currency === 'USD');
    expect(dollars.map(({ cost }) => cost)).toEqual([null, null, null, null, null]);
    expect(dollars.map(({ known_cost }) => known_cost)).toEqual(['1.5', '0', '0', '0', '0']);
  });

  it('is unknown in a report of runs', async () => {
    const request = {
      ...EVERYTHING,
      ...({ by: 'run', order: 'waste' } as const),
      limit: 10,
      cursor: null,
      loop_steps: 4,
    };
    const { rows } = await reportRuns(parts(), request);
    expect(rows.map((row) => [row.run, row.cost, row.known_cost, row.cost_per_success])).toEqual(
      expect.arrayContaining([
        ['run-eu', null, '0', null],
        ['run-us', null, '1.5', null],
      ]),
    );
  });
});

describe('a reversal of what stands in a month before', () => {
  it('takes no unknown cost off what is of its own month', async () => {
    const ledger = await freshDatabase();
    const from = { currency: 'USD', effective_from: '2026-01-01T00:00:00Z' };
    const per_million = { input: '5', output: '5' };
    const models = ['old', 'new'].map((model) => ({ model, per_million }));
    await importBook(ledger, { book: 'standard', kind: 'charge', ...from, models });
    await makeTenant(ledger, 'acme');
    const call = (event_id: string, requested_model: string, more: object = {}) =>
      nativeEvent({ ...{ event_id, requested_model, tenant_id: 'acme' }, ...more });
    await receiveEvents(ledger, [call('a', 'old'), call('b', 'old', { agent_run_id: 'r' })]);
    const close = { month: '2026-10', tenant_id: null };
    await closePeriods({ database: ledger, clock: at('2026-11-02T00:00:00Z') }, close);
    const later = { occurred_at: '2026-11-10T00:00:00Z' };
    const inRun = { ...later, agent_run_id: 'r' };
    const more = [call('c', 'new', later), call('d', 'new', inRun)];
    await receiveEvents(ledger, more, '2026-11-11T00:00:00Z');
    const paid = [{ model: 'old', per_million: { input: '4', output: '4' } }];
    await importBook(ledger, { book: 'cost', kind: 'cost', ...from, models: paid });
    const clock = at('2026-11-13T00:00:00Z');
    const note = { reason: 'the cost came late', actor: 'ada' };
    const rerate = { ...close, ...note, dry_run: false };
    await rerateMonth({ database: ledger, clock }, rerate);
    const november = { ...EVERYTHING, month: '2026-11' };
    const ofRuns = {
      by: 'tenant',
      order: 'waste',
      limit: 10,
      cursor: null,
      loop_steps: 4,
    } as const;
    const runs = await reportRuns({ database: ledger, clock }, { ...november, ...ofRuns });
    // 1,100 tokens of each of two calls at 4 a million; the calls of November have no cost.
    const costs = { cost: null, known_cost: '0.0088', calls_without_cost_rate: 2 };
    expect(runs.rows).toMatchObject([{ tenant: 'acme', ...costs }]);
    expect(runs.coverage).toMatchObject([{ all_cost: '0.0088', entries_without_cost: 2 }]);
    const by = ['kind', 'layer', 'agent_run'] as const;
    const as_of = parseInstant('2026-11-14T00:00:00Z');
    const told = { as_of: null, tenant_id: 'acme' };
    for (const of of [told, { as_of }, { ...told, as_of }]) {
      const { rows, totals } = await reportUsage(
        { database: ledger, clock },
        { ...november, ...of, by },
      );
      const unknown = rows.map(({ kind, entries_without_cost: count }) => [kind, count]);
      const each = (kind: string, count: number) => Array.from({ length: 10 }, () => [kind, count]);
      // Five layers, of calls in the run and outside of it.
      expect(unknown).toEqual([...each('correction', 0), ...each('usage', 1)]);
      expect(totals).toMatchObject([{ cost: null, entries_without_cost: 2 }]);
    }
    await makeRoles(ledger);
    // A tenant sees no cost; nothing of its own waits for a price.
    const walled = { database: ledger, view: behindWall(ledger, 'acme'), clock };
    const seen = await reportUsage(walled, { ...november, ...told, by: ['kind'] });
    expect(seen.rows.map((row) => [row.kind, row.cost, row.entries_without_price])).toEqual([
      ['correction', null, 0],
      ['usage', null, 0],
    ]);
    const { as_of: _, ...asked } = november;
    const tags = await reportTagCoverage({ database: ledger }, asked);
    expect(tags.find(({ tag }) => tag === 'tenant')).toMatchObject({ entries_without_cost: 2 });
    expect(tags.find(({ tag }) => tag === 'agent_run')?.missing).toMatchObject([
      { reason: 'tag_missing', cost: '0.0044', entries_without_cost: 1 },
    ]);
  });
});

const at = (instant: string) => () => parseInstant(instant);
