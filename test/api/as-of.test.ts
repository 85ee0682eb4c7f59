import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { setBudget } from '../../src/budgets/set-budget.ts';
import { systemClock } from '../../src/clock.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { type Api, startApi } from '../support/api.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';

/** What the API said of the ledger at an instant, it says of that instant for ever. */

let database: TestDatabase;
let drop: () => Promise<void>;
let api: Api;
const keys = { reader: '', tenant: '' };
/** The instant after each step. */
const after: string[] = [];

async function step(does: () => Promise<unknown>): Promise<void> {
  await does();
  // The journal knows microseconds, and an instant that is asked for milliseconds.
  await pause(5);
  after.push(new Date().toISOString());
  await pause(5);
}

const now = () => new Date().toISOString();
const call = (id: string, change = {}) =>
  nativeEvent({ event_id: id, trace_id: 'trace', span_id: id, occurred_at: now(), ...change });
const receive = (...events: object[]) => receiveEvents(database, events, now());

const limitOf = (amount: bigint) =>
  setBudget(
    { database, clock: systemClock },
    {
      ...{ tenant_id: 'acme', per: 'once', kind: 'hard', amount, tokens: null, tags: null },
      ...{ feature: null, user_id: null, agent_run_id: null, on_unavailable: null },
      ...{ priced_only: null, thresholds: null, loop: null, actor: 'a test' },
    },
  );

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme', { mode: 'live', priceBook: 'standard' });
  api = await startApi(database);
  keys.reader = await api.key('reader');
  keys.tenant = await api.key('tenant', { tenant: 'acme' });
  await step(async () => {});
  await step(() => limitOf(1_000_000_000_000n));
  await step(() => receive(call('first')));
  const structure = { operation: 'invoke_agent', usage: undefined, requested_model: undefined };
  await step(() => receive(call('second'), call('agent', structure)));
  await step(() => limitOf(2_000_000_000_000n));
  await foldAll(database, systemClock);
});
afterAll(async () => {
  await api.close();
  await drop();
});

async function shown(who: keyof typeof keys, path: string, at: string | null) {
  const asked = at === null ? path : `${path}${path.includes('?') ? '&' : '?'}as_of=${at}`;
  const { status, json, text } = await api.ask(asked, keys[who]);
  expect(status, text).toBe(200);
  return json;
}

// 1,000 × $3 + 100 × $12 a million is 0.0042 a call.
const NOTHING = { entries: [], spans: [], periods: [], budgets: [] };
const HISTORY = [
  NOTHING,
  { ...NOTHING, budgets: [['1', '0']] },
  { entries: ['first'], spans: ['first'], periods: [[1, '0.0042']], budgets: [['1', '0.0042']] },
  {
    entries: ['first', 'second'],
    spans: ['agent', 'first', 'second'],
    periods: [[2, '0.0084']],
    budgets: [['1', '0.0084']],
  },
  {
    entries: ['first', 'second'],
    spans: ['agent', 'first', 'second'],
    periods: [[2, '0.0084']],
    budgets: [['2', '0.0084']],
  },
];

async function toldOf(who: keyof typeof keys, at: string | null) {
  const { entries } = await shown(who, '/v1/entries', at);
  const { traces } = await shown(who, '/v1/traces', at);
  const { periods } = await shown(who, '/v1/periods', at);
  const { budgets } = await shown(who, '/v1/budgets', at);
  const names = (rows: readonly { readonly event_id: string }[]) =>
    rows.map(({ event_id: id }) => id).sort();
  return {
    entries: names(entries),
    spans: names(traces.flatMap(({ spans }: { readonly spans: readonly never[] }) => spans)),
    periods: periods.map((row: { entries: number; charge_exact: string }) => [
      row.entries,
      row.charge_exact,
    ]),
    budgets: budgets.map((row: { limit: string; times: readonly { spent: string }[] }) => [
      row.limit,
      row.times[0]?.spent,
    ]),
  };
}

it.each(['reader', 'tenant'] as const)(
  'entries, traces, periods and budgets are told to a %s as of each instant, and as they are',
  async (who) => {
    for (const [index, told] of HISTORY.entries()) {
      expect(await toldOf(who, after[index] ?? ''), `after step ${index}`).toEqual(told);
    }
    expect(await toldOf(who, null)).toEqual(HISTORY.at(-1));
  },
);

it('an instant that there is not is refused by its name', async () => {
  const { status, json } = await api.ask('/v1/entries?as_of=yesterday', keys.reader);
  expect([status, json.kind]).toEqual([400, 'bad_request']);
  expect(json.detail).toContain('as_of');
});

it.each([
  ['/v1/traces', ['x']],
  ['/v1/entries', ['12']],
  ['/v1/periods', ['acme', '2026-02-30']],
  ['/v1/pushes', ['acme', '2026-02-01']],
  ['/v1/acts', ['-1']],
  ['/v1/tenants', [7]],
])('%s refuses a cursor that it never gave', async (path, place) => {
  for (const text of [JSON.stringify(place), 'no JSON', '{}']) {
    const cursor = Buffer.from(text).toString('base64url');
    const { status, json } = await api.ask(`${path}?cursor=${cursor}`, keys.reader);
    expect([status, json.kind]).toEqual([400, 'bad_request']);
    expect(json.remedy).toContain('next_cursor');
  }
});
