import { beforeEach, expect, it } from 'vitest';
import { checkBudgetCounts } from '../../src/audit/laws/budgets-law-store.ts';
import { listBudgets } from '../../src/budgets/list-budgets.ts';
import { releaseHold } from '../../src/budgets/release-hold.ts';
import { formatInstant, type InstantMs, parseInstant, systemClock } from '../../src/clock.ts';
import { postCorrections } from '../../src/ledger/corrections/post-corrections.ts';
import { takeEndedHolds } from '../../src/ledger/rollups/ended-hold-store.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { readUnknownHolds } from '../../src/month/status/status-store.ts';
import { clockAt, NOON, putBudget, reserve } from '../support/budgets.ts';
import type { TestDatabase } from '../support/database.ts';
import { count, freshDatabase, textRows } from '../support/database.ts';
import {
  importBook,
  importBooks,
  makeTenant,
  nativeEvent,
  receiveEvents,
} from '../support/ledger.ts';

let database: TestDatabase;

const KEPT_MS = 7 * 86_400_000;
/** Seven days after `NOON`, to the millisecond, and the next one. */
const KEPT = '2026-10-22T13:00:00.000Z';
const GONE = '2026-10-22T13:00:00.001Z';

beforeEach(async () => {
  database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme');
  await putBudget(database, { amount: '100' });
});

async function post(change: Readonly<Record<string, unknown>>, at = NOON) {
  await receiveEvents(database, [nativeEvent({ occurred_at: '2026-10-15T13:01:00Z', ...change })]);
  await foldAll(database, clockAt(at));
}

function take(at: string): Promise<void> {
  return takeEndedHolds(database, parseInstant(at));
}

async function holds(): Promise<readonly unknown[]> {
  const rows = await textRows(database, 'select hold_id, state from budget_holds order by hold_id');
  return rows.map(({ hold_id, state }) => [hold_id, state]);
}

/** One hold of each end, and one whose event never came. */
async function holdThree(): Promise<void> {
  for (const hold_id of ['released', 'settled', 'unsettled']) await reserve(database, { hold_id });
  await release('released');
  await post({ hold_id: 'settled' });
}

function release(hold_id: string) {
  return releaseHold(
    { database, clock: clockAt(NOON) },
    { hold_id, tenant_id: null, actor: 'ada' },
  );
}

it('a hold leaves seven days after its end, and one whose event never came stays', async () => {
  await holdThree();
  const counters = await textRows(database, 'select * from budget_counters');
  await take(KEPT);
  expect(await count(database, 'budget_holds')).toBe(3);
  await take(GONE);
  expect(await holds()).toEqual([['unsettled', 'open']]);
  await take('2027-10-15T00:00:00Z');
  expect(await holds()).toEqual([['unsettled', 'open']]);
  expect(await textRows(database, 'select * from budget_counters')).toEqual(counters);
  const law = await checkBudgetCounts(database, {
    ...{ kind: 'full', after: { number: 0n, hash: Buffer.alloc(32) }, through: 0n },
    changes: { after: 0n, through: 0n },
    closedSince: Number.NEGATIVE_INFINITY,
  });
  expect(law.violations).toEqual([]);
});

it('a great many leave in one go', async () => {
  await database.pool.query(
    `insert into budget_holds (hold_id, tenant_id, state, request_digest, budget_ids, time_keys, amounts, held_at, expires_at,
       ended_at, released_by)
     select 'h' || n, 'acme', 'released', decode(repeat('00', 32), 'hex'), '{1}', '{2026-10-01}', '{1}', $1::timestamptz,
       $1::timestamptz + interval '1 minute', $1::timestamptz, 'ada' from generate_series(1, 5001) n`,
    [NOON],
  );
  await take(GONE);
  expect(await count(database, 'budget_holds')).toBe(0);
});

it('what was held is told as of an instant since which all are kept, and refused as of an earlier one', async () => {
  // Which budgets there were stands in the journal, by the clock of the database.
  const now = systemClock();
  await putBudget(database, { amount: '50' }, formatInstant(now));
  const at = clockAt(formatInstant(now));
  const holdOf = (hold_id: string, ago: number) =>
    reserve(database, { hold_id }, formatInstant(now - ago));
  await holdOf('open', 2_000);
  await holdOf('released', 1_000);
  await releaseHold(
    { database, clock: at },
    { hold_id: 'released', tenant_id: null, actor: 'ada' },
  );
  const heldAt = async (asOf: InstantMs) => {
    const [budget] = await listBudgets(
      { database, clock: systemClock },
      { tenant_id: null, as_of: asOf },
    );
    return budget?.times.map(({ held }) => held);
  };
  const after = now + 60_000;
  expect(await heldAt(after)).toEqual(['0.0054']);
  await takeEndedHolds(database, now + KEPT_MS + 1);
  expect(await heldAt(after)).toEqual(['0.0054']);
  await expect(heldAt(now - 1)).rejects.toMatchObject({
    kind: 'incomplete',
    message: expect.stringContaining(
      `holds that ended by ${formatInstant(now)} are no longer kept`,
    ),
  });
});

it('what a waiting event gave back is told as held as of an instant before that event', async () => {
  const now = systemClock();
  const after = (seconds: number) => formatInstant(now + seconds * 1_000);
  const [made, came, priced] = [after(1), after(61), after(121)];
  await putBudget(database, { amount: '50', kind: 'soft' }, formatInstant(now));
  await putBudget(database, { tokens: 9_000 }, formatInstant(now));
  const call = { model: 'unheard-of', amount: '0.5', hold_id: 'h-1' };
  await reserve(database, call, made);
  await receiveEvents(
    database,
    [nativeEvent({ hold_id: 'h-1', requested_model: 'unheard-of', occurred_at: came })],
    came,
  );
  await foldAll(database, clockAt(came));
  const asOf = async (instant: InstantMs) => {
    const parts = { database, clock: systemClock };
    const budgets = await listBudgets(parts, { tenant_id: null, as_of: instant });
    return budgets.map(({ times: [time] }) => [time?.spent, time?.held]);
  };
  const before = [
    ['0', '0.5'],
    ['0', '1200'],
  ];
  const since = [
    ['0', '0.5'],
    ['1100', '0'],
  ];
  expect(await asOf(now + 60_000)).toEqual(before);
  expect(await asOf(now + 90_000)).toEqual(since);
  const [entry] = await textRows(database, 'select entry_id from entries');
  const note = { reason: 'a trial of the model', actor: 'ada' };
  await postCorrections(database, clockAt(priced), [
    { entryId: BigInt(entry?.['entry_id'] ?? ''), change: 'free', note },
  ]);
  await foldAll(database, clockAt(priced));
  expect(await holds()).toEqual([['h-1', 'settled']]);
  expect(await asOf(now + 60_000)).toEqual(before);
  expect(await asOf(now + 90_000)).toEqual(since);
  expect(await asOf(now + 150_000)).toEqual([
    ['0', '0'],
    ['1100', '0'],
  ]);
});

it('what an open hold holds nothing of is told as not held, also where the budget has changed its currency since', async () => {
  const now = systemClock();
  const [set, made, again] = [0, 1_000, 2_000].map((after) => formatInstant(now + after));
  await makeTenant(database, 'cedar');
  const soft = { tenant_id: 'cedar', amount: '50', kind: 'soft' as const };
  await putBudget(database, soft, set);
  const models = [{ model: 'gpt-4o', per_million: { input: '3', output: '12' } }];
  const rates = { kind: 'charge', currency: 'EUR', caching: 'work_done', models };
  await importBook(database, { ...rates, book: 'euro', effective_from: '2026-01-01T00:00:00Z' });
  await makeTenant(database, 'cedar', { priceBook: 'euro', created: NOON });
  const call = { tenant_id: 'cedar', amount: '0.7', hold_id: 'in-euros' };
  expect((await reserve(database, call, made)).budgets).toMatchObject([{ because: 'unknown' }]);
  await putBudget(database, soft, again);
  for (const asOf of [null, now + 60_000]) {
    const parts = { database, clock: clockAt(formatInstant(now + 90_000)) };
    const listed = await listBudgets(parts, { tenant_id: 'cedar', as_of: asOf });
    expect(listed).toMatchObject([{ currency: 'EUR', times: [{ held: '0', left: '50' }] }]);
  }
});

it('a second event of a call whose hold has left names no unknown hold, and a new call does', async () => {
  await holdThree();
  await take(GONE);
  await post({ event_id: 'again', hold_id: 'settled' }, GONE);
  expect(await readUnknownHolds(database, parseInstant(GONE))).toEqual([]);
  await post({ event_id: 'new', hold_id: 'nobody', occurred_at: '2026-10-16T13:00:00Z' }, GONE);
  expect(await readUnknownHolds(database, parseInstant(GONE))).toMatchObject([
    { hold_id: 'nobody', event_id: 'new' },
  ]);
});

it('whoever releases a hold that has left hears that there is none', async () => {
  await holdThree();
  await take(GONE);
  await expect(release('settled')).rejects.toMatchObject({ kind: 'not_found' });
});
