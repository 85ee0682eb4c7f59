import { describe, expect, it } from 'vitest';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import type { TestDatabase } from '../../support/database.ts';
import { count, freshDatabase, reopen, textRows } from '../../support/database.ts';
import {
  importBook,
  importBooks,
  makeTenant,
  nativeEvent,
  receiveEvents,
} from '../../support/ledger.ts';
import { brokenLaws } from '../../support/worker.ts';

const NOVEMBER = '2026-11-01T00:00:00Z';

async function ready() {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  return database;
}

function close(database: TestDatabase, month = '2026-10', at = NOVEMBER) {
  return closePeriods({ database, clock: () => Date.parse(at) }, { month, tenant_id: null });
}

/** The frozen bytes of every close. */
const frozen = (database: TestDatabase) =>
  textRows(
    database,
    'select tenant_id, period_start, manifest, manifest_hash, closed_at from closes order by 1, 2',
  );

const manyEvents = (from: number, to: number, change: Readonly<Record<string, unknown>> = {}) =>
  Array.from({ length: to - from }, (_, index) =>
    nativeEvent({ event_id: `e-${from + index}`, ...change }),
  );

describe('a close (R17)', () => {
  it('gives the same bytes when it is done again, whatever came in between', async () => {
    const database = await ready();
    await receiveEvents(database, manyEvents(0, 50));
    await close(database);
    const first = await frozen(database);

    await receiveEvents(database, manyEvents(50, 60), '2026-11-02T00:00:00Z');
    await importBooks(database, 'standard-2026-10-15');
    const answers = await close(database, '2026-10', '2026-12-24T00:00:00Z');

    expect(answers.map((answer) => answer.state)).toEqual(answers.map(() => 'already_closed'));
    expect(await frozen(database)).toEqual(first);
    expect(await brokenLaws(database)).toEqual([]);
  });

  it('names the hash of exactly the bytes that it keeps', async () => {
    const database = await ready();
    // A letter beyond ASCII is more than one byte, in its own manifest and before the next ones.
    const tenants = ['acme', 'bücher', 'zoë 東京 🎈', 'zulu'];
    await receiveEvents(
      database,
      tenants.map((tenant) => nativeEvent({ event_id: tenant, tenant_id: tenant })),
    );
    await close(database);
    const rows = await textRows(
      database,
      `select manifest::jsonb ->> 'tenant_id' as tenant,
         encode(sha256(convert_to(manifest, 'UTF8')), 'hex') = manifest_hash as fits
       from closes where entries > 0 order by tenant_id`,
    );
    expect(rows).toEqual(tenants.map((tenant) => ({ tenant, fits: 'true' })));
  });

  it('takes back a second report that no fold has met yet, while its month is open', async () => {
    const database = await ready();
    const span = (event_id: string, change: object) =>
      nativeEvent({ event_id, trace_id: 't', started_at: '2026-10-15T11:59:58Z', ...change });
    await receiveEvents(database, [span('outer', { span_id: 'out' })]);
    await receiveEvents(database, [span('inner', { span_id: 'in', parent_span_id: 'out' })]);

    await close(database);

    expect(
      await textRows(
        database,
        "select period_start, charge_exact::text as charge from closes where tenant_id = 'acme'",
      ),
    ).toEqual([{ period_start: '2026-10-01', charge: '4200000000' }]);
    // A report that is taken back later is a credit of the next month.
    expect(await textRows(database, 'select distinct period_start from entries')).toEqual([
      { period_start: '2026-10-01' },
    ]);
    expect(await brokenLaws(database)).toEqual([]);
  });

  it('refuses a tenant with unrated entries by the names of their models, and closes the others', async () => {
    const database = await ready();
    await receiveEvents(database, [
      nativeEvent({ event_id: '1', requested_model: 'gpt-6' }),
      nativeEvent({ event_id: '2', requested_model: 'claude-9' }),
      nativeEvent({ event_id: '3', requested_model: 'gpt-6' }),
      nativeEvent({ event_id: '4', tenant_id: 'bolt' }),
    ]);
    const [acme, bolt] = await close(database);
    expect(acme).toMatchObject({ tenant_id: 'acme', state: 'refused' });
    expect(acme?.detail).toContain('claude-9 (1), gpt-6 (2)');
    expect(bolt).toMatchObject({ tenant_id: 'bolt', state: 'closed' });
    // Nothing of the refused tenant is shut: what comes for October still goes there.
    await receiveEvents(database, [nativeEvent({ event_id: '5' })], '2026-11-02T00:00:00Z');
    expect(await count(database, "entries where event_id = '5' and not late")).toBe(1);
  });

  it('closes each tenant by its own zone', async () => {
    // At 2026-11-01T00:00Z it is November in Auckland and in UTC, and still October in New York.
    const database = await ready();
    await makeTenant(database, 'auckland', { timeZone: 'Pacific/Auckland' });
    await makeTenant(database, 'new-york', { timeZone: 'America/New_York' });
    const answers = await close(database);
    expect(answers.map((answer) => [answer.tenant_id, answer.state])).toEqual([
      ['auckland', 'closed'],
      ['new-york', 'not_ended'],
      ['unattributed', 'closed'],
    ]);
  });

  it('refuses while an earlier period of the tenant is open', async () => {
    const database = await ready();
    await receiveEvents(database, [
      nativeEvent({ event_id: '1', occurred_at: '2026-09-30T23:59:59Z' }),
      nativeEvent({ event_id: '2' }),
    ]);
    const [answer] = await close(database);
    expect(answer).toMatchObject({ state: 'refused' });
    expect(answer?.detail).toContain('close 2026-09 first');
  });

  it('names the earlier month that a close which was killed left shut, and how it is ended', async () => {
    const database = await ready();
    await receiveEvents(database, [
      nativeEvent({ event_id: '1', occurred_at: '2026-09-30T23:59:59Z' }),
      nativeEvent({ event_id: '2' }),
    ]);
    await database.pool.query(
      "update periods set state = 'shut' where tenant_id = 'acme' and period_start = '2026-09-01'",
    );
    const [refused] = await close(database);
    expect(refused).toMatchObject({ tenant_id: 'acme', state: 'refused' });
    expect(refused?.detail).toBe(
      'its period from 2026-09-01 was shut by a close that did not end; close 2026-09 again first, which goes on where that one stopped, since remainders are carried in order',
    );
    expect(await close(database, '2026-09')).toContainEqual(
      expect.objectContaining({ tenant_id: 'acme', state: 'closed' }),
    );
    expect((await close(database))[0]).toMatchObject({ tenant_id: 'acme', state: 'closed' });
  });

  it('goes on where one that crashed between shutting and freezing left off', async () => {
    // given a period that was shut by a close that then died
    const database = await ready();
    await receiveEvents(database, manyEvents(0, 10));
    await database.pool.query("update periods set state = 'shut' where tenant_id = 'acme'");

    // when usage of that period comes before anybody closes again
    await receiveEvents(database, manyEvents(10, 12), '2026-11-02T00:00:00Z');
    const [answer] = await close(database, '2026-10', '2026-11-02T01:00:00Z');

    // then the late usage is November's, and October holds what was there when it was shut
    expect(answer).toMatchObject({ tenant_id: 'acme', state: 'closed' });
    const periods = await textRows(
      database,
      "select period_start, count(*) as n, bool_or(late) as late from entries where tenant_id = 'acme' group by 1 order by 1",
    );
    expect(periods).toEqual([
      { period_start: '2026-10-01', n: '10', late: 'false' },
      { period_start: '2026-11-01', n: '2', late: 'true' },
    ]);
    expect(await brokenLaws(database)).toEqual([]);
  });

  it('lets nothing into a closed period, however many post while it closes', async () => {
    // given four writers that post October's usage without a pause
    const database = await ready();
    const writers = [0, 1, 2, 3].map((writer) => ({ writer, pool: reopen(database.url, 2) }));
    await receiveEvents(database, manyEvents(0, 1, { event_id: 'first' }));
    const posting = writers.map(async ({ writer, pool }) => {
      for (let batch = 0; batch < 15; batch += 1) {
        const events = manyEvents(0, 20).map((event, index) => ({
          ...event,
          event_id: `${writer}-${batch}-${index}`,
          tenant_id: `tenant-${index % 3}`,
        }));
        await receiveEvents(pool, events, '2026-11-01T00:00:01Z');
      }
    });

    // when the month closes in the middle of it, and again
    const closing = async () => {
      await close(database, '2026-10', '2026-11-01T00:00:02Z');
      await close(database, '2026-10', '2026-11-01T00:00:03Z');
    };
    await Promise.all([...posting, closing()]);

    // then 4 x 15 x 20 + 1 = 1201 events are there, and each close holds exactly its entries
    expect(await count(database, 'entries')).toBe(1201);
    const rows = await textRows(
      database,
      `select c.tenant_id, c.entries = count(e.entry_id) as same, bool_or(e.late) as late
       from closes c left join entries e on e.tenant_id = c.tenant_id and e.period_start = c.period_start
       group by c.tenant_id, c.period_start`,
    );
    for (const row of rows) expect(row).toMatchObject({ same: 'true' });
    expect(rows.some((row) => row['late'] === 'true')).toBe(false);
    expect(await brokenLaws(database)).toEqual([]);
  });

  it('may run in two processes at once: each period is frozen once', async () => {
    const database = await ready();
    const tenants = Array.from({ length: 30 }, (_, index) =>
      nativeEvent({ event_id: `e-${index}`, tenant_id: `tenant-${index}` }),
    );
    await receiveEvents(database, tenants);
    const other = reopen(database.url);
    const at = () => Date.parse(NOVEMBER);
    const request = { month: '2026-10', tenant_id: null };
    const both = await Promise.all([
      closePeriods({ database, clock: at }, request),
      closePeriods({ database: other, clock: at }, request),
    ]);
    for (const answers of both) {
      expect(answers.every((answer) => answer.state !== 'refused')).toBe(true);
    }
    expect(await count(database, 'closes')).toBe(31);
    expect(await brokenLaws(database)).toEqual([]);
  });

  it('carries a remainder from close to close without losing a picodollar', async () => {
    // An output token is 1 p: 600,000 p a month. After one month 0 µ + 600,000 p; after two
    // 1 µ + 200,000 p; after three 1 µ (200,000 + 600,000 = 800,000 p); after four 1 µ + 400,000 p.
    const database = await freshDatabase();
    await importBooks(database, 'micro');
    await makeTenant(database, 'acme', { priceBook: 'micro', created: '2026-01-01T00:00:00Z' });
    const months = ['2026-03', '2026-04', '2026-05', '2026-06'];
    for (const month of months) {
      const event = nativeEvent({
        event_id: month,
        occurred_at: `${month}-10T00:00:00Z`,
        requested_model: 'unit',
        usage: { input_tokens: 0, output_tokens: 600_000 },
      });
      await receiveEvents(database, [event]);
    }
    for (const month of months) await close(database, month, NOVEMBER);
    const rows = await textRows(
      database,
      "select billable_micro, carried_out from closes where tenant_id = 'acme' order by period_start",
    );
    expect(rows.map((row) => [row['billable_micro'], row['carried_out']])).toEqual([
      ['0', '600000'],
      ['1', '200000'],
      ['0', '800000'],
      ['1', '400000'],
    ]);
  });

  it('freezes a month charged by two books, with both versions named', async () => {
    const database = await ready();
    await importBook(database, {
      book: 'gold',
      kind: 'charge',
      currency: 'USD',
      effective_from: '2026-01-01T00:00:00Z',
      models: [{ model: 'gpt-4o', per_million: { input: '2', output: '8' } }],
    });
    await makeTenant(database, 'acme', { priceBook: 'standard' });
    const change = { priceBook: 'gold', priceBookFrom: Date.parse('2026-10-10T00:00:00Z') };
    await makeTenant(database, 'acme', change);
    await receiveEvents(database, [
      nativeEvent({ event_id: '1', occurred_at: '2026-10-09T23:59:59Z' }),
      nativeEvent({ event_id: '2', occurred_at: '2026-10-10T00:00:00Z' }),
    ]);
    await close(database);
    const [row] = await textRows(
      database,
      "select manifest::jsonb -> 'books' as books, charge_exact from closes where tenant_id = 'acme'",
    );
    // 1000 x 3 + 100 x 12 = 4200; 1000 x 2 + 100 x 8 = 2800; together 7000 microdollars.
    expect(row?.['charge_exact']).toBe('7000000000');
    expect(row?.['books']).toMatch(/gold.*standard/);
    expect(await brokenLaws(database)).toEqual([]);
  });
});
