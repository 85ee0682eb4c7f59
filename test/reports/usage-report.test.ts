import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseInstant, systemClock } from '../../src/clock.ts';
import { behindWall } from '../../src/database/behind-wall.ts';
import type { Database } from '../../src/database/database.ts';
import { makeRoles } from '../../src/database/roles.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { postCorrections } from '../../src/ledger/corrections/post-corrections.ts';
import { rerateMonth } from '../../src/ledger/corrections/rerate-month.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { formatPico } from '../../src/money.ts';
import { importExchangeRates } from '../../src/rating/exchange/import-exchange-rates.ts';
import { readCoverage } from '../../src/reports/coverage-store.ts';
import { reportUsage } from '../../src/reports/report-usage.ts';
import type { Dimension } from '../../src/reports/usage-answer.ts';
import { DIMENSIONS } from '../../src/reports/usage-answer.ts';
import type { UsageQuestion, UsageRow } from '../../src/reports/usage-report-store.ts';
import { readUsageReport } from '../../src/reports/usage-report-store.ts';
import { createDatabase, freshDatabase, textRows } from '../support/database.ts';
import { randomFrom } from '../support/faulty-queue.ts';
import {
  importBook,
  importBooks,
  makeTenant,
  nativeEvent,
  receiveEvents,
} from '../support/ledger.ts';

let database: Database;
let drop: () => Promise<void>;

/** A few hundred calls of every kind, from a seed, with corrections among them. */
beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  await importBooks(database, 'standard', 'cost');
  const random = randomFrom(11);
  const pick = <Value>(...values: readonly Value[]) =>
    values[Math.floor(random() * values.length)] as Value;
  const events = Array.from({ length: 300 }, (_, n) => {
    const input_tokens = 1 + Math.floor(random() * 5000);
    return nativeEvent({
      event_id: `evt-${n}`,
      occurred_at: `2026-10-${String(1 + (n % 19)).padStart(2, '0')}T23:30:00Z`,
      status: pick('ok', 'ok', 'ok', 'error', 'cancelled'),
      provider: pick('openai', 'openai', null),
      requested_model: pick('gpt-4o', 'gpt-4o-mini', 'unheard-of'),
      executed_model: pick('gpt-4o', 'gpt-4o-mini'),
      gateway_cache: pick('none', 'none', 'exact'),
      usage: { input_tokens, output_tokens: Math.floor(random() * 900) },
      layers: pick(null, { prompt: 3, tool: 2, memory: 1, response: 0 }),
      tenant_id: pick('acme', 'birch', null),
      user_id: pick('u1', 'u2', null),
      feature: pick('search', 'chat', null),
      agent_run_id: pick('run-1', 'run-2', null),
      prompt_version: pick('v1', 'v2', null),
      ...(n % 10 === 0
        ? {
            members: [
              { member_id: 'a', tenant_id: 'acme' },
              { member_id: 'b', weight: 2 },
            ],
          }
        : {}),
    });
  });
  await receiveEvents(database, events);
  const ids = await textRows(
    database,
    "select entry_id from audit.entries where event_id like 'evt-%7' and outcome <> 'unrated'",
  );
  const corrections = ids.map(({ entry_id }, n) => ({
    entryId: BigInt(entry_id?.replace('ent_', '') ?? -1),
    change: n % 2 === 0 ? null : { feature: 'moved', outputTokens: 5 },
    note: { reason: 'a test', actor: 'ada' },
  }));
  await postCorrections(database, () => parseInstant('2026-10-20T12:00:00Z'), corrections);
  await foldAll(database, systemClock);
});

afterAll(() => drop());

/** What each dimension is in the ledger; a layer is no column. */
const COLUMNS: Readonly<Record<Exclude<Dimension, 'layer'>, string>> = {
  tenant: 'tenant_id',
  user: 'user_id',
  feature: 'feature',
  agent_run: 'agent_run_id',
  prompt_version: 'prompt_version',
  requested_model: 'requested_model',
  executed_model: 'executed_model',
  provider: 'provider',
  outcome: 'outcome',
  kind: 'kind',
  day: "(occurred_at at time zone 'UTC')::date::text",
};

const EVERYTHING = { tenantId: null, from: null, to: null };

const LAYERS = ['prompt', 'tool', 'memory', 'response', 'other'];

const COLUMNED = DIMENSIONS.filter((dimension) => dimension !== 'layer');
const PAIRS = COLUMNED.flatMap((a, index) => COLUMNED.slice(index + 1).map((b) => [a, b] as const));

it.each(COLUMNED)('usage by %s is what the entries sum to', async (dimension) => {
  expect(await report([dimension])).toEqual(await summedEntries([dimension]));
});

it('usage by every pair of dimensions is what the entries sum to', async () => {
  for (const pair of PAIRS) {
    expect(await report(pair), pair.join()).toEqual(await summedEntries(pair));
  }
});

it('usage by all dimensions at once is what the entries sum to', async () => {
  expect(await report(COLUMNED)).toEqual(await summedEntries(COLUMNED));
});

it.each(COLUMNED)('layers by %s add up to the usage without layers, exactly', async (dimension) => {
  const whole = await ask({ by: [dimension] });
  const layered = await ask({ by: [dimension, 'layer'] });
  expect(layered).toHaveLength(LAYERS.length * whole.length);
  for (const group of whole) {
    const layers = layered.filter((row) => row[dimension] === group[dimension]);
    expect(sumOf(layers)).toEqual(sumOf([group]));
    expect(layers.map(({ layer }) => layer)).toEqual(LAYERS);
  }
});

it('layers hold the tokens that the entries have in them', async () => {
  const [sums] = await textRows(
    database,
    'select sum(layer_tool_tokens) as tool, sum(layer_memory_tokens) as memory from entries',
  );
  const rows = await ask({ by: ['layer'] });
  const tokensOf = (layer: string) => String(rows.find((row) => row.layer === layer)?.inputTokens);
  expect({ tool: tokensOf('tool'), memory: tokensOf('memory') }).toEqual(sums);
});

it('a report of one tenant and some days is what their entries sum to', async () => {
  const from = parseInstant('2026-10-05T00:00:00Z');
  const to = parseInstant('2026-10-09T00:00:00Z');
  const rows = await ask({ by: ['feature'], tenantId: 'acme', from, to });
  const where = `tenant_id = 'acme' and occurred_at >= '2026-10-05T00:00:00Z'
    and occurred_at < '2026-10-09T00:00:00Z'`;
  expect(normal(rows, ['feature'])).toEqual(await summedEntries(['feature'], where));
});

it('coverage is the cost that has a tenant over all cost, of the same days', async () => {
  const [sums] = await textRows(
    database,
    `select sum(cost) filter (where tenant_id <> 'unattributed') as attributed, sum(cost) as all from entries`,
  );
  const coverage = await readCoverage(database, { from: null, to: null });
  expect(coverage).toHaveLength(1);
  const { currency, attributedPico = 0n, allPico = 0n } = coverage[0] ?? {};
  expect({ attributed: String(attributedPico), all: String(allPico) }).toEqual(sums);
  expect(currency).toBe('USD');
  expect(attributedPico < allPico && attributedPico > 0n).toBe(true);
  const nothing = { from: parseInstant('2027-01-01T00:00:00Z'), to: null };
  expect(await readCoverage(database, nothing)).toEqual([]);
});

it('a fallback to a cheaper model is a routing gain, one to a dearer a loss', async () => {
  const rows = await ask({ by: ['requested_model', 'executed_model'] });
  const gainOf = (requested: string, executed: string) =>
    rows.find((row) => row.requested_model === requested && row.executed_model === executed)
      ?.routingGainPico ?? 0n;
  expect(gainOf('gpt-4o', 'gpt-4o-mini') > 0n).toBe(true);
  expect(gainOf('gpt-4o-mini', 'gpt-4o') < 0n).toBe(true);
  expect(gainOf('gpt-4o', 'gpt-4o')).toBe(0n);
  // Nobody knows what a model without a cost rate would have cost.
  expect(gainOf('unheard-of', 'gpt-4o')).toBe(0n);
});

it('failed calls charge nothing and show what they cost us', async () => {
  const failed = (await ask({ by: ['outcome'] })).find((row) => row.outcome === 'failed');
  expect(failed?.chargePico).toBe(0n);
  expect((failed?.costPico ?? 0n) > 0n).toBe(true);
});

describe('usage in two currencies', () => {
  let two: Database;
  let dropTwo: () => Promise<void>;
  const question = { by: [], tenantId: null, from: null, to: null };

  beforeAll(async () => {
    ({ database: two, drop: dropTwo } = await createDatabase());
    await importBooks(two, 'standard', 'cost');
    const euro = { currency: 'EUR', effective_from: '2026-01-01T00:00:00Z' };
    const rates = (input: string, output: string) => [
      { model: 'gpt-4o', per_million: { input, output } },
    ];
    await importBook(two, {
      ...euro,
      book: 'euro',
      kind: 'charge',
      models: rates('3.60', '14.40'),
    });
    await importBook(two, { ...euro, book: 'paid', kind: 'cost', models: rates('2.20', '9.00') });
    await makeTenant(two, 'dune', {
      priceBook: 'euro',
      priceBookFrom: parseInstant('2026-01-01T00:00:00Z'),
    });
    await receiveEvents(two, [
      nativeEvent({ event_id: 'a' }),
      nativeEvent({ event_id: 'b', tenant_id: 'dune' }),
      nativeEvent({ event_id: 'c', tenant_id: null }),
    ]);
    await foldAll(two, systemClock);
  });

  afterAll(() => dropTwo());

  it.each<[string, readonly Dimension[]]>([
    ['all of it', []],
    ['a model', ['requested_model']],
    ['a user', ['user']],
  ])('has a row for each, of %s', async (_, by) => {
    const rows = await readUsageReport(two, { ...question, by });
    expect(
      rows.map(({ currency, entries, chargePico, costPico }) => [
        currency,
        entries,
        formatPico(chargePico),
        formatPico(costPico),
      ]),
    ).toEqual([
      // 1000 × 3.60 µ + 100 × 14.40 µ, and 1000 × 2.20 µ + 100 × 9.00 µ
      ['EUR', 1, '0.00504', '0.0031'],
      // 1000 × 3.00 µ + 100 × 12.00 µ once, and 1000 × 2.50 µ + 100 × 10.00 µ twice
      ['USD', 2, '0.0042', '0.007'],
    ]);
  });

  it('has the layers of each', async () => {
    const rows = await readUsageReport(two, { ...question, by: ['layer'] });
    expect(rows.map(({ currency, layer }) => `${currency} ${layer}`)).toEqual(
      ['EUR', 'USD'].flatMap((currency) => LAYERS.map((layer) => `${currency} ${layer}`)),
    );
  });

  it('has a coverage for each', async () => {
    expect(await readCoverage(two, question)).toEqual([
      { currency: 'EUR', attributedPico: 3_100_000_000n, allPico: 3_100_000_000n, uncosted: 0 },
      { currency: 'USD', attributedPico: 3_500_000_000n, allPico: 7_000_000_000n, uncosted: 0 },
    ]);
  });
});

describe('what belongs to no layer of tokens', () => {
  it('is fees, searches and amounts without a call, at a discount and in another currency, too', async () => {
    const own = await freshDatabase({ connections: 4 });
    const since = { effective_from: '2026-01-01T00:00:00Z' };
    const prices = { model: 'm', per_call: '0.01', per_million: { input: '2', output: '8' } };
    const model = { ...prices, per_thousand: { searches: '10' } };
    const book = { ...since, currency: 'EUR', models: [model] };
    await importBook(own, { ...book, book: 'list', kind: 'charge' });
    const discount = { book: 'ten-off', kind: 'charge', base: 'list', discount: '0.1' } as const;
    await importBook(own, { ...since, currency: 'EUR', ...discount });
    await importBook(own, { ...book, book: 'cost', kind: 'cost', currency: 'USD' });
    const clock = () => parseInstant('2026-10-20T12:00:00Z');
    const fx = { base: 'EUR', effective_from: '2026-10-01T00:00:00Z', source: 'ECB' };
    await importExchangeRates(
      { database: own, clock },
      { documents: [{ ...fx, rates: { USD: '1.25' } }] },
    );
    await makeTenant(own, 'eu', { priceBook: 'ten-off' });
    const usage = { input_tokens: 1_000_000, output_tokens: 500_000, searches: 3 };
    const layers = { prompt: 1, tool: 0, memory: 0, response: 0 };
    const call = { tenant_id: 'eu', requested_model: 'm', layers };
    await receiveEvents(own, [
      nativeEvent({ ...call, event_id: 'searched', usage }),
      nativeEvent({ ...call, event_id: 'text', usage: { input_tokens: 10, output_tokens: 0 } }),
    ]);
    await foldAll(own, clock);
    const rows = await readUsageReport(own, {
      by: ['layer'],
      tenantId: null,
      from: null,
      to: null,
    });
    expect(
      rows.map(({ layer, chargePico, costPico }) => [
        layer,
        formatPico(chargePico),
        formatPico(costPico),
      ]),
    ).toEqual([
      // 1,000,010 × 1.80 µ; 1,000,010 × $2 µ / 1.25
      ['prompt', '1.800018', '1.600016'],
      ['tool', '0', '0'],
      ['memory', '0', '0'],
      // 500,000 × 7.20 µ; 500,000 × $8 µ / 1.25
      ['response', '3.6', '3.2'],
      // 2 × 0.009 + 3 × 0.009; (2 × $0.01 + 3 × $0.01) / 1.25
      ['other', '0.045', '0.04'],
    ]);
    await makeRoles(own);
    // Behind the wall there are no rates, and no cost; the charges are the same.
    const walled = await readUsageReport(behindWall(own, 'eu'), {
      ...{ by: ['layer'], tenantId: null, from: null, to: null },
      ...{ asOf: parseInstant('2027-01-01T00:00:00Z'), isWalled: true },
    });
    expect(walled.map(({ layer, chargePico }) => [layer, chargePico])).toEqual(
      rows.map(({ layer, chargePico }) => [layer, chargePico]),
    );
    expect(walled.every(({ costPico }) => costPico === 0n)).toBe(true);
  });

  it('is all of a call without layers', async () => {
    const own = await freshDatabase({ connections: 4 });
    const models = [{ model: 'm', per_million: { input: '2', output: '8' } }];
    const since = { effective_from: '2026-01-01T00:00:00Z', currency: 'USD' };
    await importBook(own, { ...since, book: 'list', kind: 'charge', models });
    const clock = () => parseInstant('2026-10-20T12:00:00Z');
    const usage = { input_tokens: 1_000_000, output_tokens: 500_000 };
    await receiveEvents(own, [nativeEvent({ event_id: 'bare', requested_model: 'm', usage })]);
    await foldAll(own, clock);
    const rows = await readUsageReport(own, { ...EVERYTHING, by: ['layer'] });
    expect(rows.filter(({ chargePico, inputTokens }) => chargePico + inputTokens > 0n)).toEqual([
      expect.objectContaining({
        ...{ layer: 'other', inputTokens: 1_000_000n, outputTokens: 500_000n },
        ...{ chargePico: 6_000_000_000_000n },
      }),
    ]);
  });

  it('is a fee per call as of an instant, too', async () => {
    const own = await freshDatabase({ connections: 4 });
    const since = { effective_from: '2026-01-01T00:00:00Z', currency: 'USD' };
    const model = { model: 'm', per_call: '0.01', per_million: { input: '2', output: '8' } };
    await importBook(own, { ...since, book: 'list', kind: 'charge', models: [model] });
    await importBook(own, { ...since, book: 'cost', kind: 'cost', models: [model] });
    const clock = () => parseInstant('2026-10-20T12:00:00Z');
    const layers = { prompt: 1, tool: 1, memory: 0, response: 0 };
    await receiveEvents(own, [nativeEvent({ event_id: 'a', requested_model: 'm', layers })]);
    await foldAll(own, clock);
    const question = { by: ['layer'], tenantId: null, from: null, to: null } as const;
    const asOf = parseInstant('2027-01-01T00:00:00Z');
    const then = await readUsageReport(own, { ...question, asOf });
    expect(then).toEqual(await readUsageReport(own, question));
    expect(then.at(-1)).toMatchObject({ layer: 'other', costPico: 10_000_000_000n });
  });
});

describe('what layers come to', () => {
  const since = { effective_from: '2026-01-01T00:00:00Z', currency: 'EUR' };
  const clock = () => parseInstant('2026-10-20T12:00:00Z');
  const layers = (of: object) => ({ prompt: 0, tool: 0, memory: 0, response: 0, ...of });
  const asOf = parseInstant('2027-01-01T00:00:00Z');

  /** The charges of the layers, which are the same as of an instant, and to a tenant behind the wall. */
  async function chargesOf(own: Database, month: string | null = null) {
    await foldAll(own, clock);
    const question = { ...EVERYTHING, by: ['layer'] as const, month };
    const rows = await readUsageReport(own, question);
    expect(await readUsageReport(own, { ...question, asOf })).toEqual(rows);
    const walled = behindWall(own, 'a');
    const charges = rows.map(({ layer, chargePico }) => [layer, formatPico(chargePico)]);
    for (const of of [{}, { asOf }]) {
      const seen = await readUsageReport(walled, { ...question, ...of, isWalled: true });
      expect(seen.map(({ layer, chargePico }) => [layer, formatPico(chargePico)])).toEqual(charges);
    }
    return Object.fromEntries(charges);
  }

  it('is what the layers of each call come to at its own price, and nothing of a failed one', async () => {
    const own = await freshDatabase({ connections: 4 });
    const models = [
      { model: 'cheap', per_million: { input: '1', output: '0' } },
      { model: 'dear', per_million: { input: '100', output: '0' } },
    ];
    await importBook(own, { ...since, book: 'list', kind: 'charge', models });
    await importBook(own, { ...since, book: 'paid', kind: 'cost', models });
    await makeRoles(own);
    const call = (model: string, million: number, layer: string, more: object = {}) =>
      nativeEvent({
        ...{ event_id: `${model}-${layer}`, tenant_id: 'a', requested_model: model },
        usage: { input_tokens: million * 1_000_000, output_tokens: 0 },
        layers: layers({ [layer]: million * 1_000_000 }),
        ...more,
      });
    await receiveEvents(own, [
      call('cheap', 1, 'tool'),
      call('dear', 1, 'prompt'),
      call('dear', 2, 'tool', { event_id: 'failed', status: 'error' }),
      call('dear', 1, 'memory', { event_id: 'bare', layers: null }),
    ]);
    expect(await chargesOf(own)).toEqual({
      ...{ prompt: '100', tool: '1', memory: '0', response: '0', other: '100' },
    });
    const costs = await readUsageReport(own, { ...EVERYTHING, by: ['layer'] });
    expect(costs.map(({ costPico }) => formatPico(costPico))).toEqual([
      ...['100', '201', '0', '0', '100'],
    ]);
  });

  it('stays what each entry says where corrections nearly take the usage back', async () => {
    const own = await freshDatabase({ connections: 4 });
    const per_million = { input: '1', cache_read: '0.5', output: '0' };
    const book = { book: 'list', kind: 'charge', caching: 'pass_through' } as const;
    await importBook(own, { ...since, ...book, models: [{ model: 'm', per_million }] });
    await makeRoles(own);
    await makeTenant(own, 'a', { mode: 'live', stripeCustomer: 'cus_a' });
    const call = (event_id: string, usage: object, of: object) =>
      nativeEvent({
        ...{ event_id, tenant_id: 'a', requested_model: 'm', layers: layers(of) },
        usage: { input_tokens: 1_000_000, output_tokens: 0, ...usage },
      });
    await receiveEvents(own, [
      call('e1', { cache_read_tokens: 1_000_000 }, { tool: 1_000_000 }),
      call('e2', { input_tokens: 10 }, { prompt: 10 }),
    ]);
    const later = () => parseInstant('2026-11-10T12:00:00Z');
    await closePeriods({ database: own, clock: later }, { month: '2026-10', tenant_id: null });
    const rows = await textRows(own, 'select entry_id from entries order by event_id');
    const [first, second] = rows.map((row) => BigInt(row['entry_id'] ?? -1));
    const note = { reason: 'a test', actor: 'ada' };
    await postCorrections(own, later, [
      { entryId: first ?? -1n, change: null, note },
      { entryId: second ?? -1n, change: { uncachedInputTokens: 1_000_011 }, note },
    ]);
    // November takes back €0.50 of tools, and the 10 tokens that are 1,000,011 now.
    expect(await chargesOf(own, '2026-11')).toEqual({
      ...{ prompt: '1.000001', tool: '-0.5', memory: '0', response: '0', other: '0' },
    });
  });
});

it('an entry that waits for a price has no margin, and its cost is in no margin that is known', async () => {
  const own = await freshDatabase({ connections: 4 });
  const since = { effective_from: '2026-01-01T00:00:00Z', currency: 'USD' };
  const model = (name: string, input: string) => ({
    ...{ model: name, per_million: { input, output: '0' } },
  });
  await importBook(own, { ...since, book: 'list', kind: 'charge', models: [model('m', '3')] });
  const paid = [model('m', '1'), model('n', '1')];
  await importBook(own, { ...since, book: 'paid', kind: 'cost', models: paid });
  const usage = { input_tokens: 1_000_000, output_tokens: 0 };
  const call = (requested_model: string) =>
    nativeEvent({ event_id: requested_model, requested_model, usage });
  await receiveEvents(own, [call('m'), call('n')]);
  const clock = () => parseInstant('2026-10-20T12:00:00Z');
  const told = async (by: readonly Dimension[]) => {
    const request = { by: [...by], tenant_id: null, month: null, from: null, to: null };
    const { rows } = await reportUsage({ database: own, clock }, { ...request, as_of: null });
    return rows.map((row) => [row.margin, row.known_margin, row.entries_without_price]);
  };
  expect(await told([])).toEqual([[null, '2', 1]]);
  expect(await told(['requested_model'])).toEqual([
    ['2', '2', 0],
    [null, '0', 1],
  ]);
  await importBook(own, {
    ...since,
    book: 'list',
    effective_from: '2026-01-02T00:00:00Z',
    kind: 'charge',
    models: [model('m', '3'), model('n', '3')],
  });
  const note = { reason: 'a test', actor: 'ada', dry_run: false };
  await rerateMonth({ database: own, clock }, { month: '2026-10', tenant_id: null, ...note });
  expect(await told([])).toEqual([['4', '4', 0]]);
});

function ask(change: Partial<UsageQuestion>): Promise<readonly UsageRow[]> {
  return readUsageReport(database, { by: [], tenantId: null, from: null, to: null, ...change });
}

async function report(by: readonly Dimension[]) {
  return normal(await ask({ by }), by);
}

/** Groups as texts, in one order; an absent dimension is ''. */
function normal(rows: readonly UsageRow[], by: readonly Dimension[]) {
  const texts = rows.map((row) => ({
    group: by.map((dimension) => row[dimension] ?? '').join('|'),
    entries: String(row.entries),
    input: String(row.inputTokens),
    output: String(row.outputTokens),
    charge: String(row.chargePico),
    cost: String(row.costPico),
    uncosted: `${row.uncosted} ${row.uncostedChargePico}`,
    gain: String(row.routingGainPico),
  }));
  return texts.sort((a, b) => (a.group < b.group ? -1 : 1));
}

async function summedEntries(by: readonly Dimension[], where = 'true') {
  const group = by.map((name) => (name === 'layer' ? '' : `coalesce(${COLUMNS[name]}, '')`));
  const rows = await textRows(
    database,
    `select concat_ws('|', ${group.join(', ')}) as group, count(*) as entries,
       sum(uncached_input_tokens + cache_read_tokens + cache_write_tokens) as input,
       sum(output_tokens) as output, coalesce(sum(charge), 0) as charge,
       coalesce(sum(cost), 0) as cost, coalesce(sum(requested_cost - cost), 0) as gain,
       coalesce(sum(case when is_reversal then -1 else 1 end) filter (where cost is null), 0) || ' '
         || coalesce(sum(charge) filter (where cost is null), 0) as uncosted
     from entries where ${where} group by 1`,
  );
  return [...rows].sort((a, b) => ((a['group'] ?? '') < (b['group'] ?? '') ? -1 : 1));
}

function sumOf(rows: readonly UsageRow[]) {
  const sum = (of: (row: UsageRow) => bigint) => rows.reduce((total, row) => total + of(row), 0n);
  return {
    input: sum((row) => row.inputTokens),
    output: sum((row) => row.outputTokens),
    charge: sum((row) => row.chargePico),
    cost: sum((row) => row.costPico),
    gain: sum((row) => row.routingGainPico),
  };
}
