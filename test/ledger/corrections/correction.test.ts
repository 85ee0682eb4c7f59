import { beforeEach, describe, expect, it } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import type { EntryChange } from '../../../src/ledger/corrections/correction.ts';
import { postCorrections } from '../../../src/ledger/corrections/post-corrections.ts';
import { Refusal } from '../../../src/refusal.ts';
import type { TestDatabase } from '../../support/database.ts';
import { count, freshDatabase, textRows } from '../../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../../support/ledger.ts';
import { brokenLaws } from '../../support/worker.ts';

const NOTE = { reason: 'the producer counted twice', actor: 'ada' };

let database: TestDatabase;

beforeEach(async () => {
  database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'birch');
  await makeTenant(database, 'acme');
});

describe('a correction', () => {
  it('that is void leaves an entry and its reversal, which sum to nothing', async () => {
    await receiveEvents(database, [nativeEvent()]);
    const answer = await correct(await idOf('evt-1'), null);
    // 1000 × 3.00 µ + 100 × 12.00 µ = 0.0042; 1000 × 2.50 µ + 100 × 10.00 µ = 0.0035
    expect(answer).toMatchObject({
      charge_before: '0.0042',
      charge_after: '0',
      cost_before: '0.0035',
    });
    expect(answer?.replacement).toBeNull();
    const [sums] = await textRows(
      database,
      `select count(*) as entries, trim_scale(sum(charge)) as charge, trim_scale(sum(cost)) as cost, sum(input_tokens) as input,
         sum(output_tokens) as output from audit.entries where event_id = 'evt-1'`,
    );
    expect(sums).toMatchObject({ entries: '2', charge: '0', cost: '0', input: '0', output: '0' });
    expect(await brokenLaws(database)).toEqual([]);
  });

  it.each<[string, EntryChange, Readonly<Record<string, string>>]>([
    // 1000 × 3.00 µ + 50 × 12.00 µ = 0.0036
    ['tokens', { outputTokens: 50 }, { outcome: 'charged', charge: '0.0036', output_tokens: '50' }],
    // 1000 × 0.20 µ + 100 × 0.80 µ = 0.00028; the cost is of the model executed
    [
      'the requested model',
      { requestedModel: 'gpt-4o-mini' },
      { charge: '0.00028', cost: '0.0035' },
    ],
    // 1000 × 0.15 µ + 100 × 0.60 µ = 0.00021
    ['the executed model', { executedModel: 'gpt-4o-mini' }, { charge: '0.0042', cost: '0.00021' }],
    // 1000 × 1.50 µ + 100 × 6.00 µ = 0.0021
    ['the service tier', { serviceTier: 'batch' }, { charge: '0.0021', service_tier: 'batch' }],
    ['the status', { status: 'error' }, { outcome: 'failed', charge: '0', cost: '0.0035' }],
    ['the feature', { feature: 'search' }, { feature: 'search', charge: '0.0042' }],
    ['the tenant', { tenantId: 'birch' }, { tenant_id: 'birch', charge: '0.0042' }],
    // 400 × 3.00 µ + 600 × 3.00 µ + 100 × 12.00 µ = 0.0042: cached work is charged like any
    [
      'the cache',
      { uncachedInputTokens: 400, cacheReadTokens: 600 },
      // 400 × 2.50 µ + 600 × 1.25 µ + 100 × 10.00 µ = 0.00275
      { charge: '0.0042', cost: '0.00275', cache_read_tokens: '600', input_tokens: '1000' },
    ],
  ])(
    'of %s is a reversal and a replacement that both point at the entry',
    async (_what, change, expected) => {
      await receiveEvents(database, [nativeEvent()]);
      const id = await idOf('evt-1');
      await correct(id, change);
      const rows = await textRows(
        database,
        `select * from audit.entries where corrects_entry_id is not null order by is_reversal desc`,
      );
      expect(rows).toMatchObject([
        {
          is_reversal: 'true',
          charge: '-0.0042',
          kind: 'correction',
          corrects_entry_id: `ent_${id}`,
        },
        { is_reversal: 'false', kind: 'correction', corrects_entry_id: `ent_${id}`, ...expected },
      ]);
      for (const row of rows) expect(row).toMatchObject(NOTE);
      expect(await brokenLaws(database)).toEqual([]);
    },
  );

  it('is priced at the instant at which the call completed, whatever the price is now', async () => {
    await receiveEvents(database, [nativeEvent({ occurred_at: '2026-10-10T00:00:00Z' })]);
    await importBooks(database, 'standard-2026-10-15');
    const answer = await correct(await idOf('evt-1'), { outputTokens: 0 });
    // 1000 × 3.00 µ by the version of January, not 4.00 of October 15.
    expect(answer?.charge_after).toBe('0.003');
  });

  it('of a closed period bills in the open one, late, and the closed one keeps its bytes', async () => {
    await receiveEvents(database, [nativeEvent()]);
    const clock = () => parseInstant('2026-11-02T00:00:00Z');
    const october = { month: '2026-10', tenant_id: 'acme' };
    const [closed] = await closePeriods({ database, clock }, october);
    await correct(await idOf('evt-1'), { outputTokens: 50 });
    const rows = await textRows(
      database,
      'select period_start, late, charge from audit.entries order by length(entry_id), entry_id',
    );
    expect(rows).toEqual([
      { period_start: '2026-10-01', late: 'false', charge: '0.0042' },
      { period_start: '2026-11-01', late: 'true', charge: '-0.0042' },
      { period_start: '2026-11-01', late: 'true', charge: '0.0036' },
    ]);
    const [again] = await closePeriods({ database, clock }, october);
    expect(again?.manifest_hash).toBe(closed?.manifest_hash);
    expect(await brokenLaws(database)).toEqual([]);
  });

  it('is corrected in its turn, and the chain sums to what stands', async () => {
    await receiveEvents(database, [nativeEvent()]);
    const first = await correct(await idOf('evt-1'), { outputTokens: 50 });
    const second = await correct(numberOf(first?.replacement), { outputTokens: 10 });
    await correct(numberOf(second?.replacement), null);
    const [sums] = await textRows(
      database,
      'select count(*) as entries, trim_scale(sum(charge)) as charge, max(revision) as revision from audit.entries',
    );
    // Entry, then two corrections of two entries and a void of one.
    expect(sums).toEqual({ entries: '6', charge: '0', revision: '5' });
    expect(await brokenLaws(database)).toEqual([]);
  });
});

describe('refused with its remedy is', () => {
  it('a second correction of one entry', async () => {
    await receiveEvents(database, [nativeEvent()]);
    const id = await idOf('evt-1');
    await correct(id, null);
    await expect(correct(id, null)).rejects.toMatchObject({
      kind: 'conflict',
      message: `ent_${id} is corrected already; an entry is corrected once`,
      remedy: expect.arrayContaining([{ operation: 'audit entry', entryId: `ent_${id}` }]),
    });
  });

  it('a correction of a reversal', async () => {
    await receiveEvents(database, [nativeEvent()]);
    const answer = await correct(await idOf('evt-1'), null);
    await expect(correct(numberOf(answer?.reversal), null)).rejects.toMatchObject({
      kind: 'conflict',
      message: expect.stringContaining('is a reversal'),
      remedy: ['correct the entry that stands'],
    });
  });

  it('an entry that does not exist', async () => {
    await expect(correct(17n, null)).rejects.toMatchObject({ kind: 'not_found' });
  });

  it('a move to a tenant who has the same event already', async () => {
    await receiveEvents(database, [nativeEvent(), nativeEvent({ tenant_id: 'birch' })]);
    const id = await idOf('evt-1');
    await expect(correct(id, { tenantId: 'birch' })).rejects.toMatchObject({
      message: expect.stringContaining('billed twice'),
    });
    expect(await count(database, 'entries')).toBe(2);
  });

  it('all of a list of corrections, where one of them is', async () => {
    await receiveEvents(database, [nativeEvent(), nativeEvent({ event_id: 'evt-2' })]);
    const good = { entryId: await idOf('evt-1'), change: null, note: NOTE };
    const bad = { ...good, entryId: 17n };
    await expect(postCorrections(database, now, [good, bad])).rejects.toThrow(Refusal);
    expect(await count(database, 'entries')).toBe(2);
  });
});

it('of two corrections of one entry at the same time one is posted and the other refused', async () => {
  const events = Array.from({ length: 8 }, (_, n) => nativeEvent({ event_id: `evt-${n}` }));
  await receiveEvents(database, events);
  const ids = await Promise.all(events.map(({ event_id }) => idOf(event_id)));
  const tries = ids.flatMap((id) => [correct(id, null), correct(id, { outputTokens: 1 })]);
  const settled = await Promise.allSettled(tries);
  const refused = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  expect(refused).toHaveLength(8);
  for (const reason of refused) {
    expect(reason).toBeInstanceOf(Refusal);
    expect(reason.remedy).toContainEqual({ operation: 'audit entry', entryId: null });
  }
  // One reversal an entry, however the race went.
  expect(await count(database, 'entries where is_reversal')).toBe(8);
  expect(await brokenLaws(database)).toEqual([]);
});

const now = () => parseInstant('2026-10-20T12:00:00Z');

async function correct(entryId: bigint, change: EntryChange | null) {
  return (await postCorrections(database, now, [{ entryId, change, note: NOTE }]))[0];
}

async function idOf(eventId: string): Promise<bigint> {
  const [row] = await textRows(
    database,
    'select entry_id from audit.entries where event_id = $1 order by tenant_id limit 1',
    [eventId],
  );
  return numberOf(row?.['entry_id']);
}

function numberOf(id: string | null | undefined): bigint {
  return BigInt(id?.replace('ent_', '') ?? -1);
}
