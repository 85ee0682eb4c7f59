import { beforeEach, expect, it } from 'vitest';
import { reversePool } from '../../../src/allocation/allocate-pool.ts';
import { parseInstant } from '../../../src/clock.ts';
import { acceptConflict } from '../../../src/ingest/quarantine/accept-conflict.ts';
import { replayQuarantine } from '../../../src/ingest/quarantine/replay-quarantine.ts';
import { acceptEntries } from '../../../src/ledger/corrections/accept-entries.ts';
import { adjustTenant } from '../../../src/ledger/corrections/adjust-tenant.ts';
import { correctEntry } from '../../../src/ledger/corrections/correct-entry.ts';
import { reattributeEntries } from '../../../src/ledger/corrections/reattribute-entries.ts';
import { foldAll } from '../../../src/ledger/rollups/fold-batches.ts';
import { openLog } from '../../../src/log.ts';
import { allocateShared } from '../../support/allocation.ts';
import { breakFolds } from '../../support/broken-folds.ts';
import { count, freshDatabase, type TestDatabase, textRows } from '../../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../../support/ledger.ts';
import { brokenLaws } from '../../support/worker.ts';

/** An act stands from its commit on, and is not reported as failed by what follows it. */

let database: TestDatabase;

const clock = () => parseInstant('2026-11-02T00:00:00Z');
const NOTE = { reason: 'a test of it', actor: 'ada' };
const READING = { litellmKey: null, attributes: {} };
const LOST = {
  user_id: null,
  feature: null,
  agent_run_id: null,
  tenant_id: 'acme',
  dry_run: false,
};

beforeEach(async () => {
  database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme', { priceBook: 'standard' });
  await receiveEvents(database, [
    nativeEvent({ event_id: 'one' }),
    nativeEvent({ event_id: 'lost', tenant_id: null }),
    nativeEvent({ event_id: 'free', requested_model: 'nobody-priced-it' }),
    nativeEvent({ event_id: 'early', occurred_at: '2027-11-01T00:00:00Z' }),
  ]);
  const usage = { input_tokens: 2000, output_tokens: 100 };
  await receiveEvents(database, [nativeEvent({ event_id: 'one', usage })]);
  await allocateShared(database, { at: '2026-11-02T00:00:00Z', pool: 'first' });
  await foldAll(database, clock);
});

const idOf = async (eventId: string) =>
  BigInt(
    (await textRows(database, `select entry_id from entries where event_id = '${eventId}'`))[0]?.[
      'entry_id'
    ] ?? 0,
  );
const parts = () => ({ database, clock, reading: READING });

it.each<[string, () => Promise<unknown>]>([
  ['a credit', () => adjustTenant(parts(), { tenant_id: 'acme', amount: -5n, id: null, ...NOTE })],
  [
    'a correction',
    async () => correctEntry(parts(), { entry_id: await idOf('one'), change: null, ...NOTE }),
  ],
  [
    'what is taken as free',
    async () => acceptEntries(parts(), { entry_ids: [await idOf('free')], ...NOTE }),
  ],
  [
    'an entry that is given to a tenant',
    async () => reattributeEntries(parts(), { entry_ids: [await idOf('lost')], ...LOST, ...NOTE }),
  ],
  [
    'all that are given to a tenant',
    () => reattributeEntries(parts(), { entry_ids: [], ...LOST, ...NOTE }),
  ],
  ['a pool', () => allocateShared(database, { at: '2026-11-02T00:00:00Z', pool: 'second' })],
  [
    'a pool that is taken back',
    () => reversePool(parts(), { pool: 'first', month: '2026-10', ...NOTE }),
  ],
  ['a conflict that is accepted', () => acceptConflict(parts(), { quarantine_id: 2n, ...NOTE })],
  ['a replay', () => replayQuarantine({ ...parts(), clock: inAYear }, { quarantine_ids: [1n] })],
])(
  '%s is done, also where the rollups cannot be folded, and the next fold has it',
  async (_what, act) => {
    const before = await count(database, 'entries');
    const mended = await breakFolds(database);
    await act().finally(mended);
    expect(await count(database, 'entries')).toBeGreaterThan(before);
    expect(await count(database, 'fold_queue')).toBeGreaterThan(0);
    await foldAll(database, clock);
    expect(await count(database, 'fold_queue')).toBe(0);
    expect(await brokenLaws(database)).toEqual([]);
  },
);

it('says in the log why what was posted is not folded', async () => {
  const lines: string[] = [];
  const log = openLog('warn', { write: (line) => lines.push(line) });
  const mended = await breakFolds(database);
  const credit = { tenant_id: 'acme', amount: -5n, id: null, ...NOTE };
  await adjustTenant({ ...parts(), log }, credit).finally(mended);
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    {
      level: 'warn',
      msg: 'what was posted is not folded, and waits for the next fold',
      error: expect.stringContaining('canceling statement due to lock timeout'),
    },
  ]);
});

function inAYear(): number {
  return parseInstant('2027-11-02T00:00:00Z');
}
