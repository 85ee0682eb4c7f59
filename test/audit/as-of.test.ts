import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reversePool } from '../../src/allocation/allocate-pool.ts';
import { tellEntryStory, tellEventStory } from '../../src/audit/tell-story.ts';
import { parseInstant, systemClock } from '../../src/clock.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { postCorrections } from '../../src/ledger/corrections/post-corrections.ts';
import { reattributeEntries } from '../../src/ledger/corrections/reattribute-entries.ts';
import { rerateMonth } from '../../src/ledger/corrections/rerate-month.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { readCoverage } from '../../src/reports/coverage-store.ts';
import type { UsageQuestion } from '../../src/reports/usage-report-store.ts';
import { readUsageReport } from '../../src/reports/usage-report-store.ts';
import { allocateShared } from '../support/allocation.ts';
import type { TestDatabase } from '../support/database.ts';
import { createDatabase, freshDatabase, textRows } from '../support/database.ts';
import {
  importBook,
  importBooks,
  makeTenant,
  nativeEvent,
  receiveEvents,
} from '../support/ledger.ts';

let database: TestDatabase;
let drop: () => Promise<void>;

const NOTE = { reason: 'a test', actor: 'ada' };

/** What happens, and when; each step is written out with what acme's October then came to. */
const HISTORY: readonly {
  readonly at: string;
  readonly does: string;
  readonly step: (at: string) => Promise<unknown>;
  /** Entries in the ledger, and acme's period from 2026-10-01. */
  readonly entries: number;
  readonly october: { readonly charge: string; readonly state: 'open' | 'closed' };
}[] = [
  {
    at: '2026-10-16T00:00:00Z',
    does: 'three calls: one is usual, one has no price, one has no tenant',
    step: (at) =>
      receiveEvents(
        database,
        [
          nativeEvent({ event_id: 'usual' }),
          nativeEvent({ event_id: 'unrated', requested_model: 'new', executed_model: 'gpt-4o' }),
          nativeEvent({ event_id: 'lost', tenant_id: null, feature: 'search' }),
        ],
        at,
      ),
    entries: 3,
    // 1000 × 3.00 µ + 100 × 12.00 µ = 0.0042
    october: { charge: '0.0042', state: 'open' },
  },
  {
    at: '2026-10-18T00:00:00Z',
    does: 'a call of the 1st comes late, but before the close',
    step: (at) => {
      const late = nativeEvent({ event_id: 'behind', occurred_at: '2026-10-01T08:00:00Z' });
      return receiveEvents(database, [late], at);
    },
    entries: 4,
    october: { charge: '0.0084', state: 'open' },
  },
  {
    at: '2026-10-20T00:00:00Z',
    does: 'the usual call is corrected to 50 tokens of output',
    step: async (at) => {
      const change = { outputTokens: 50 };
      const request = { entryId: await idOf('usual'), change, note: NOTE };
      await postCorrections(database, () => parseInstant(at), [request]);
    },
    entries: 6,
    // 0.0084 - 0.0042 + 1000 × 3.00 µ + 50 × 12.00 µ = 0.0042 + 0.0036
    october: { charge: '0.0078', state: 'open' },
  },
  {
    at: '2026-10-21T00:00:00Z',
    does: 'the new model gets a price, and is re-rated',
    step: async (at) => {
      const models = [{ model: 'new', per_million: { input: '1', output: '2' } }];
      const rates = { book: 'standard', kind: 'charge', currency: 'USD', caching: 'work_done' };
      const models4o = [{ model: 'gpt-4o', per_million: { input: '3', output: '12' } }];
      const effective_from = '2026-10-02T00:00:00Z';
      await importBook(
        database,
        { ...rates, effective_from, models: [...models, ...models4o] },
        at,
      );
      const clock = () => parseInstant(at);
      const request = { month: '2026-10', tenant_id: 'acme', dry_run: false, ...NOTE };
      await rerateMonth({ database, clock }, request);
    },
    entries: 8,
    // The new model: 1000 × 1.00 µ + 100 × 2.00 µ = 0.0012
    october: { charge: '0.009', state: 'open' },
  },
  {
    at: '2026-10-22T00:00:00Z',
    does: 'the lost call is given to acme',
    step: (at) =>
      reattributeEntries(
        { database, clock: () => parseInstant(at) },
        {
          ...{ entry_ids: [], tenant_id: 'acme' },
          ...{ user_id: null, feature: null, agent_run_id: null, ...NOTE },
        },
      ),
    entries: 10,
    october: { charge: '0.0132', state: 'open' },
  },
  {
    at: '2026-11-01T00:00:00Z',
    does: 'a billed pool of 10 USD is divided; acme has it all',
    step: (at) => allocateShared(database, { billed: true, at }),
    entries: 11,
    october: { charge: '10.0132', state: 'open' },
  },
  {
    at: '2026-11-02T00:00:00Z',
    does: 'October is closed',
    step: (at) =>
      closePeriods(
        { database, clock: () => parseInstant(at) },
        { month: '2026-10', tenant_id: null },
      ),
    entries: 11,
    october: { charge: '10.0132', state: 'closed' },
  },
  {
    at: '2026-11-03T00:00:00Z',
    does: 'a call of October comes after the close, and the pool is taken back',
    step: async (at) => {
      await receiveEvents(database, [nativeEvent({ event_id: 'late' })], at);
      const request = { pool: 'gpu', month: '2026-10', ...NOTE };
      await reversePool({ database, clock: () => parseInstant(at) }, request);
    },
    entries: 13,
    october: { charge: '10.0132', state: 'closed' },
  },
];

/** What the live views and reports said right after each step. */
const said = new Map<string, Awaited<ReturnType<typeof ask>>>();

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  await importBooks(database, 'standard', 'cost');
  for (const { at, step } of HISTORY) {
    await step(at);
    await foldAll(database, systemClock);
    said.set(at, await ask('', undefined));
  }
});

afterAll(() => drop());

const QUESTIONS: readonly Pick<UsageQuestion, 'by' | 'tenantId'>[] = [
  { by: ['tenant', 'requested_model', 'outcome', 'kind', 'day'], tenantId: null },
  { by: ['feature', 'user', 'agent_run', 'layer'], tenantId: 'acme' },
];

/** Everything that can be asked as of an instant; `call` is `_as_of('…')`, or nothing for now. */
async function ask(call: string, at: string | undefined) {
  const of = at === undefined ? {} : { asOf: parseInstant(at) };
  const reports = [];
  for (const question of QUESTIONS) {
    reports.push(await readUsageReport(database, { ...question, from: null, to: null, ...of }));
  }
  return {
    entries: await textRows(database, `select * from audit.entries${call} order by entry_id`),
    periods: await textRows(
      database,
      // A period that is made at its close has nothing in it before.
      `select * from audit.periods${call} where entries > 0 or state = 'closed' order by 1, 2`,
    ),
    daily: await textRows(
      database,
      `select * from audit.usage_daily${call} order by day, tenant_id, requested_model, feature, outcome, currency`,
    ),
    reports,
    coverage: await readCoverage(database, { from: null, to: null, ...of }),
  };
}

describe('as of the instant at which', () => {
  it.each(HISTORY)('$does, the ledger says what it said then', async ({ at, entries, october }) => {
    const answer = await ask(`_as_of('${at}')`, at);
    expect(answer).toEqual(said.get(at));
    expect(answer.entries).toHaveLength(entries);
    expect(answer.periods).toContainEqual(
      expect.objectContaining({
        ...{ tenant_id: 'acme', period_start: '2026-10-01' },
        ...{ charge_exact: october.charge, state: october.state },
      }),
    );
  });
});

describe('as of', () => {
  it('a moment before a step, the ledger says what it said after the step before', async () => {
    for (const [index, { at }] of HISTORY.slice(1).entries()) {
      const before = new Date(parseInstant(at) - 1).toISOString();
      const previous = HISTORY[index]?.at ?? '';
      expect(await ask(`_as_of('${before}')`, before), at).toEqual(said.get(previous));
    }
  });

  it('a day before anything, there is nothing; far in the future, there is what is now', async () => {
    const nothing = await ask("_as_of('2026-10-15T00:00:00Z')", '2026-10-15T00:00:00Z');
    expect(nothing).toMatchObject({ entries: [], periods: [], daily: [], reports: [[], []] });
    const all = await ask("_as_of('infinity')", '9999-01-01T00:00:00Z');
    expect(all).toEqual(said.get(HISTORY.at(-1)?.at ?? ''));
  });

  it('the 19th, what was believed of the 1st is the late call, and of the 15th the first count', async () => {
    expect(
      await textRows(
        database,
        `select day, charge, output_tokens from audit.usage_daily_as_of('2026-10-19T00:00:00Z')
         where outcome = 'charged' order by day`,
      ),
    ).toEqual([
      { day: '2026-10-01', charge: '0.0042', output_tokens: '100' },
      { day: '2026-10-15', charge: '0.0042', output_tokens: '100' },
    ]);
  });

  it('any instant, usage by day adds up no currencies, and takes no unknown cost for none', async () => {
    const fresh = await freshDatabase();
    const since = '2026-09-01T00:00:00Z';
    const models = [{ model: 'm', per_million: { input: '1000', output: '0' } }];
    const book = { kind: 'charge', effective_from: since, models } as const;
    await importBook(fresh, { ...book, book: 'dollars', currency: 'USD' }, since);
    await importBook(fresh, { ...book, book: 'yen', currency: 'JPY' }, since);
    const paid = [{ model: 'known', per_million: { input: '500', output: '0' } }];
    await importBook(
      fresh,
      { ...book, book: 'paid', kind: 'cost', currency: 'USD', models: paid },
      since,
    );
    const timeZone = 'America/New_York';
    await makeTenant(fresh, 'ny', { created: since, timeZone, priceBook: 'dollars' });
    const from = parseInstant('2026-11-01T04:00:00Z');
    await makeTenant(fresh, 'ny', { created: since, priceBook: 'yen', priceBookFrom: from });
    const call = (event_id: string, hour: string, executed_model: string) =>
      nativeEvent({
        ...{ event_id, tenant_id: 'ny', requested_model: 'm', executed_model, feature: null },
        ...{ occurred_at: `2026-11-01T${hour}:00:00Z`, started_at: null },
        usage: { input_tokens: 1000, output_tokens: 0 },
      });
    await receiveEvents(
      fresh,
      [call('a', '03', 'known'), call('b', '05', 'unknown')],
      '2026-11-01T06:00:00Z',
    );
    await foldAll(fresh, systemClock);
    for (const said of ['', "_as_of('infinity')"]) {
      const text = `select currency, entries, charge, cost from audit.usage_daily${said} order by 1`;
      expect(await textRows(fresh, text)).toEqual([
        { currency: 'JPY', entries: '1', charge: '1', cost: null },
        { currency: 'USD', entries: '1', charge: '1', cost: '0.5' },
      ]);
    }
  });

  it('an instant between, a refused event still waits in the quarantine', async () => {
    const fresh = await freshDatabase();
    await receiveEvents(
      fresh,
      [nativeEvent({ event_id: 'bad', status: 'x' })],
      '2026-10-16T00:00:00Z',
    );
    await fresh.pool.query(
      "update quarantine set replayed_at = '2026-10-18T00:00:00Z', replay_outcome = 'posted'",
    );
    const outcomesAt = async (day: string) => {
      const rows = await textRows(
        fresh,
        'select event_id, replay_outcome from audit.quarantine_as_of($1)',
        [`2026-10-${day}T00:00:00Z`],
      );
      return rows.map((row) => [row['event_id'], row['replay_outcome']]);
    };
    expect(await outcomesAt('15')).toEqual([]);
    expect(await outcomesAt('17')).toEqual([['bad', null]]);
    expect(await outcomesAt('18')).toEqual([['bad', 'posted']]);
    const key = { source: 'default', event_id: 'bad' };
    const story = await tellEventStory(
      { database: fresh },
      { ...key, as_of: parseInstant('2026-10-17T00:00:00Z') },
    );
    expect(story.quarantine).toMatchObject([{ reason: 'invalid_field', replayed_at: null }]);
  });

  it('an instant, the story of an event ends where it had come to', async () => {
    const key = { source: 'default', event_id: 'usual' };
    const before = await tellEventStory(
      { database },
      { ...key, as_of: parseInstant('2026-10-19T00:00:00Z') },
    );
    expect(before.entries.map((entry) => entry['charge'])).toEqual(['0.0042']);
    expect(before.periods).toMatchObject([{ state: 'open', charge_exact: '0.0084' }]);
    const after = await tellEntryStory(
      { database },
      {
        entry_id: String(before.entries[0]?.['entry_id']),
        as_of: parseInstant('2026-11-02T00:00:00Z'),
      },
    );
    expect(after.entries.map((entry) => entry['charge'])).toEqual(['0.0042', '-0.0042', '0.0036']);
    expect(after.periods).toMatchObject([{ state: 'closed', charge_exact: '10.0132' }]);
    await expect(
      tellEventStory({ database }, { ...key, as_of: parseInstant('2026-10-01T00:00:00Z') }),
    ).rejects.toThrow(/nothing was at 2026-10-01T00:00:00.000Z known of event "usual"/);
  });
});

async function idOf(eventId: string): Promise<bigint> {
  const rows = await textRows(database, 'select entry_id from entries where event_id = $1', [
    eventId,
  ]);
  return BigInt(rows[0]?.['entry_id'] ?? -1);
}
