import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { postCorrections } from '../../src/ledger/corrections/post-corrections.ts';
import { reportCounts } from '../../src/reports/report-counts.ts';
import { createDatabase, textRows } from '../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../support/ledger.ts';

let database: Database;
let drop: () => Promise<void>;

const ANY = { tenant_id: null, month: null, from: null, to: null };

/** A call of 1000 tokens in and 100 out is charged 0.0042. */
beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  await importBooks(database, 'standard', 'cost');
  const openai = (event_id: string, usage: object, more: object = {}) =>
    nativeEvent({ event_id, usage: undefined, provider_usage: usage, ...more });
  const counts = { prompt_tokens: 1000, completion_tokens: 100 };
  const doubtful = { ...counts, total_tokens: 1000 };
  await receiveEvents(database, [
    openai('sure', { ...counts, total_tokens: 1100 }),
    openai('doubt-1', doubtful, { source: 'gateway' }),
    openai('doubt-2', doubtful, { source: 'gateway', tenant_id: 'elm' }),
    openai('unpriced', doubtful, { source: 'gateway', requested_model: 'gpt-9' }),
    openai('failed', doubtful, { source: 'gateway', status: 'error' }),
    openai('voided', doubtful, { source: 'gateway' }),
    nativeEvent({
      event_id: 'guessed',
      usage: { input_tokens: 1000, output_tokens: 100, estimated: true },
    }),
  ]);
  const [voided] = await textRows(
    database,
    "select entry_id from entries where event_id = 'voided'",
  );
  const note = { reason: 'a test', actor: 'ada' };
  const entryId = BigInt(voided?.['entry_id'] ?? -1);
  await postCorrections(database, () => parseInstant('2026-10-21T00:00:00Z'), [
    { entryId, change: null, note },
  ]);
});

afterAll(() => drop());

const sums = { currency: 'USD', input_tokens: '1000', output_tokens: '100' };

describe('how sure counts are', () => {
  it('is told by who sends them, the least sure first, of successful calls that stand', async () => {
    const { by, rows } = await reportCounts(
      { database },
      { by: ['source', 'requested_model'], ...ANY },
    );
    expect(by).toEqual(['source', 'requested_model']);
    expect(rows).toEqual([
      {
        ...{ source: 'gateway', requested_model: 'gpt-4o', usage_source: 'assumed' },
        ...{ ...sums, input_tokens: '2000', output_tokens: '200' },
        ...{ entries: 2, charge: '0.0084', entries_without_charge: 0 },
        first_entry_id: await entryOf('doubt-1'),
      },
      {
        ...{ source: 'gateway', requested_model: 'gpt-9', usage_source: 'assumed', ...sums },
        ...{ entries: 1, charge: '0', entries_without_charge: 1 },
        first_entry_id: await entryOf('unpriced'),
      },
      {
        ...{ source: 'default', requested_model: 'gpt-4o', usage_source: 'estimated', ...sums },
        ...{ entries: 1, charge: '0.0042', entries_without_charge: 0 },
        first_entry_id: await entryOf('guessed'),
      },
      {
        ...{ source: 'default', requested_model: 'gpt-4o', usage_source: 'reported', ...sums },
        ...{ entries: 1, charge: '0.0042', entries_without_charge: 0 },
        first_entry_id: await entryOf('sure'),
      },
    ]);
  });

  it('has a total for each kind, with its share of the entries', async () => {
    const { totals } = await reportCounts({ database }, { by: ['source', 'tenant'], ...ANY });
    const told = totals.map((total) => [total.usage_source, total.entries, total.share]);
    expect(told).toEqual([
      ['assumed', 3, '60.00'],
      ['estimated', 1, '20.00'],
      ['reported', 1, '20.00'],
    ]);
    expect(totals[0]).toMatchObject({ charge: '0.0084', entries_without_charge: 1 });
  });

  it('is of one tenant, of a month of periods and of days where that is asked for', async () => {
    const of = async (asked: object) =>
      (await reportCounts({ database }, { by: [], ...ANY, ...asked })).totals.map(
        ({ usage_source, entries }) => `${usage_source} ${entries}`,
      );
    expect(await of({ tenant_id: 'elm' })).toEqual(['assumed 1']);
    expect(await of({ month: '2026-10' })).toEqual(['assumed 3', 'estimated 1', 'reported 1']);
    expect(await of({ month: '2026-09' })).toEqual([]);
    expect(await of({ from: parseInstant('2026-10-16T00:00:00Z') })).toEqual([]);
    expect(await of({ to: parseInstant('2026-10-16T00:00:00Z') })).toHaveLength(3);
    await expect(of({ tenant_id: 'nobody' })).rejects.toThrow('nobody');
  });
});

async function entryOf(eventId: string): Promise<string> {
  const [row] = await textRows(database, 'select entry_id from entries where event_id = $1', [
    eventId,
  ]);
  return `ent_${row?.['entry_id']}`;
}
