import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type InstantMs, parseInstant } from '../../src/clock.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { type Api, startApi } from '../support/api.ts';
import { type ConsoleVisitor, type RunningConsole, startConsole } from '../support/console.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';
import { cardOf, rowsOf, wordsOf } from '../support/page-tables.ts';

/** A customer's page says what the statement one click away will say: its calls, its days, and what is due. */

const NOW = '2026-11-30T12:00:00Z';

let database: TestDatabase;
let drop: () => Promise<void>;
let running: RunningConsole;
let visitor: ConsoleVisitor;
let api: Api;
let admin: string;
let now: InstantMs = parseInstant(NOW);
const clock = () => now;

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  await importBooks(database, 'standard');
  const live = { mode: 'live', priceBook: 'standard' } as const;
  await makeTenant(database, 'acme', live);
  await makeTenant(database, 'late', { ...live, anchorDay: 31 });
  await makeTenant(database, 'tokyo', { ...live, timeZone: 'Asia/Tokyo' });
  await makeTenant(database, 'shady', { mode: 'shadow', priceBook: 'standard' });
  // A million input tokens are 3.00.
  const million = { input_tokens: 1_000_000, output_tokens: 0 };
  const call = (tenant_id: string, occurred_at: string, change: object = {}) =>
    nativeEvent({
      ...{ tenant_id, occurred_at, event_id: `${tenant_id} ${occurred_at}`, usage: million },
      ...change,
    });
  const failed = { status: 'error', error_type: 'timeout', usage: undefined };
  await receiveEvents(
    database,
    [
      call('acme', '2026-11-01T10:00:00Z', { feature: 'search' }),
      call('acme', '2026-11-01T11:00:00Z', { feature: 'search', event_id: 'fail-1', ...failed }),
      call('acme', '2026-11-01T12:00:00Z', { feature: 'search', ...failed }),
      call('acme', '2026-11-02T12:00:00Z', { requested_model: 'unknown-1' }),
      ...['10-30T12', '10-31T12', '10-31T13', '11-01T13', '11-30T10'].map((at) =>
        call('late', `2026-${at}:00:00Z`),
      ),
      ...['10-31T16', '11-10T14', '11-10T16', '11-10T17'].map((at) =>
        call('tokyo', `2026-${at}:00:00Z`),
      ),
      call('shady', '2026-10-10T12:00:00Z'),
      call('shady', '2026-11-10T12:00:00Z'),
    ],
    NOW,
  );
  await foldAll(database, clock);
  await closePeriods({ database, clock }, { month: '2026-10', tenant_id: 'shady' });
  api = await startApi(database, { clock });
  admin = await api.key('admin');
  running = await startConsole(database, { clock });
  visitor = await running.visit(null);
}, 60_000);

afterAll(async () => {
  await running.close();
  await api.close();
  await drop();
});

async function pageOf(tenant: string, by: string): Promise<string> {
  const page = await visitor.get(`/usage/${await running.key('link', tenant)}?by=${by}`);
  expect(page.status).toBe(200);
  return page.text;
}

describe('calls and money', () => {
  it('are those of the statement: a corrected call is one, and a credit or a fee is none', async () => {
    const { json } = await api.ask('/v1/entries?tenant=acme', admin);
    const { entry_id: id } = json.entries.find(
      (entry: { event_id: string }) => entry.event_id === 'fail-1',
    );
    const post = (path: string, body: object) =>
      api.ask(path, admin, { method: 'POST', json: { reason: 'as agreed', ...body } });
    await post(`/v1/entries/${id}/corrections`, { change: { feature: 'chat' } });
    await post('/v1/tenants/acme/adjustments', { amount: '12.00' });
    await post('/v1/tenants/acme/adjustments', { amount: '-5.00', reason: 'goodwill' });
    await foldAll(database, clock);

    const preview = (await api.ask('/v1/statements/acme/2026-11?preview=true', admin)).json;
    expect(preview.usage).toMatchObject({ calls: 4, failed: 2 });
    const text = await pageOf('acme', 'feature');
    expect(cardOf(text, 'November 2026 so far')).toBe(preview.exact.charge);
    const rows = rowsOf(text, 'Usage by feature').map((row) => Object.values(row));
    expect(rows).toEqual([
      ['search', '2', '3'],
      ['chat', '1', '0'],
      ['not named', '1', '0'],
      ['Fees', '—', '12'],
      ['Credits', '—', '-5'],
    ]);
    const words = wordsOf(text.split('What you did not pay for')[1] ?? '');
    expect(words).toContain('2 failed callsnot charged');
    expect(words).toContain('1 call without a price or a countnot charged yet');
    expect(words).toContain('Credits−$5.00');
    expect(words).not.toContain('Fees');
  });

  it.each(['feature', 'requested_model', 'user', 'day'])(
    'add up by %s to what the card says',
    async (by) => {
      const text = await pageOf('acme', by);
      const [caption] = /Usage by \w+/.exec(text) ?? [''];
      const amounts = rowsOf(text, caption).map((row) => Number(row['Amount']));
      expect(amounts.reduce((sum, amount) => sum + amount, 0)).toBe(10);
      expect(cardOf(text, 'November 2026 so far')).toBe('10');
    },
  );
});

it('days are those of the customer, as on the chart above them', async () => {
  const text = await pageOf('tokyo', 'day');
  expect(rowsOf(text, 'Usage by day').map((row) => [row['Day'], row['Amount']])).toEqual([
    ['Nov 1, 2026', '3'],
    ['Nov 10, 2026', '3'],
    ['Nov 11, 2026', '6'],
  ]);
  expect(wordsOf(text)).toContain('Days in Asia/Tokyo.');
});

describe('a customer in shadow mode', () => {
  it('owes nothing on the page, as on its statement', async () => {
    const text = await pageOf('shady', 'feature');
    expect(rowsOf(text, 'Statements')).toMatchObject([{ Month: 'October 2026', Due: '0' }]);
    expect(wordsOf(text)).toContain('$3.00 metered, in shadow mode');
    expect(wordsOf(text).split('metered in shadow mode: nothing will be due')).toHaveLength(3);
  });
});

describe('the days of the period before', () => {
  it('are as many as have begun of this one, from its own first day on', async () => {
    const words = wordsOf(await pageOf('late', 'day'));
    expect(words).toContain('October 2026 to the same day: $6.00 · −50%');
    expect(words).toContain('this is the first day of the month');
    expect(words).not.toContain('the month is over');
  });

  it('are not carried past the end of a short month', async () => {
    now = parseInstant('2027-03-31T12:00:00Z');
    const at = ['2027-02-28T12:00:00Z', '2027-03-01T12:00:00Z', '2027-03-31T10:00:00Z'];
    await receiveEvents(
      database,
      at.map((occurred_at) =>
        nativeEvent({ tenant_id: 'late', event_id: occurred_at, occurred_at }),
      ),
      '2027-03-31T11:00:00Z',
    );
    await foldAll(database, clock);
    const words = wordsOf(await pageOf('late', 'day'));
    // One call of 0.0042 on the first day of each of the two.
    expect(words).toContain('February 2027 to the same day: $0.0042 · +0%');
    now = parseInstant(NOW);
  });
});
