import { beforeEach, expect, it } from 'vitest';
import { checkBudgets } from '../../src/budgets/check-budgets.ts';
import { listBudgets } from '../../src/budgets/list-budgets.ts';
import { releaseHold } from '../../src/budgets/release-hold.ts';
import { reserveHold } from '../../src/budgets/reserve-hold.ts';
import { removeBudget, setBudget } from '../../src/budgets/set-budget.ts';
import { systemClock } from '../../src/clock.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import {
  budgetRequest,
  callRequest,
  check,
  clockAt,
  NOON,
  putBudget,
  reserve,
} from '../support/budgets.ts';
import type { TestDatabase } from '../support/database.ts';
import { count, freshDatabase, textRows } from '../support/database.ts';
import {
  importBook,
  importBooks,
  makeTenant,
  nativeEvent,
  receive,
  receiveEvents,
} from '../support/ledger.ts';
import { brokenLaws } from '../support/worker.ts';

let database: TestDatabase;

const LATER = '2026-10-15T14:00:00Z';

beforeEach(async () => {
  database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme');
  await makeTenant(database, 'bolt');
});

/** One call, charged 0.0042, of a hold; folded. */
async function post(change: Readonly<Record<string, unknown>>) {
  await receiveEvents(database, [nativeEvent({ occurred_at: '2026-10-15T13:01:00Z', ...change })]);
  await foldAll(database, systemClock);
}

async function standing() {
  const { budgets } = await check(database);
  return budgets.map(({ spent, held, left }) => [spent, held, left]);
}

function release(hold_id: string, at = NOON, tenant_id: string | null = null) {
  return releaseHold({ database, clock: clockAt(at) }, { hold_id, tenant_id, actor: 'ada' });
}

it('five reservations at once are borne as far as the limit reaches, and no further', async () => {
  await putBudget(database, { amount: '10' });
  const asked = await Promise.all(
    Array.from({ length: 5 }, () => reserve(database, { amount: '4' })),
  );
  expect(asked.map(({ verdict }) => verdict).sort()).toEqual([
    ...['allow', 'allow', 'deny', 'deny', 'deny'],
  ]);
  expect(await standing()).toEqual([['0', '8', '2']]);
  const denied = asked.find(({ verdict }) => verdict === 'deny');
  expect(denied).toMatchObject({
    hold_id: null,
    expires_at: null,
    decided_by: '1',
    retry_after: 2,
  });
  // What is left is still there for a smaller call: nothing was clamped to it.
  expect((await reserve(database, { amount: '2' })).verdict).toBe('allow');
  expect(await standing()).toEqual([['0', '10', '0']]);
});

it('a reservation that one of several budgets denies is held by none of them', async () => {
  await putBudget(database, { amount: '10' });
  await putBudget(database, { per: 'day', feature: 'search', amount: '1' });
  const denied = await reserve(database, { feature: 'search', amount: '2' });
  expect(denied).toMatchObject({ verdict: 'deny', decided_by: '2' });
  expect(denied.budgets.map(({ verdict, held }) => [verdict, held])).toEqual([
    ['allow', '0'],
    ['deny', '0'],
  ]);
  expect(await count(database, 'budget_holds')).toBe(0);
  const held = await reserve(database, { feature: 'search', amount: '1' });
  expect(held.budgets.map((budget) => [budget.held, budget.left])).toEqual([
    ['1', '9'],
    ['1', '0'],
  ]);
});

it('the event settles its hold in the moment in which it is counted', async () => {
  await putBudget(database);
  const { hold_id } = await reserve(database);
  expect(await standing()).toEqual([['0', '0.0054', '0.0146']]);
  await receiveEvents(database, [
    nativeEvent({ event_id: 'e1', hold_id, occurred_at: '2026-10-15T13:01:00Z' }),
  ]);
  // It is in the ledger and not counted yet, and so the hold stands for it.
  expect(await standing()).toEqual([['0', '0.0054', '0.0146']]);
  await foldAll(database, systemClock);
  expect(await standing()).toEqual([['0.0042', '0', '0.0158']]);
  expect(await release(hold_id ?? '')).toMatchObject({
    ...{ state: 'settled', settled_by: { source: 'default', event_id: 'e1' }, released_by: null },
  });
  expect(await count(database, 'settle_queue')).toBe(0);
});

it('a failed call gives back all that was held, and a second event settles nothing twice', async () => {
  await putBudget(database);
  const { hold_id } = await reserve(database);
  await post({ event_id: 'e1', hold_id, status: 'error' });
  expect(await standing()).toEqual([['0', '0', '0.02']]);
  await post({ event_id: 'e2', hold_id });
  expect(await standing()).toEqual([['0.0042', '0', '0.0158']]);
});

it('a second report of a call settles the hold that only it names', async () => {
  await putBudget(database);
  const { hold_id } = await reserve(database);
  await post({ event_id: 'gateway', response_id: 'resp-1' });
  expect(await standing()).toEqual([['0.0042', '0.0054', '0.0104']]);
  await post({ event_id: 'client', source: 'app', response_id: 'resp-1', hold_id });
  expect(await standing()).toEqual([['0.0042', '0', '0.0158']]);
  expect(await release(hold_id ?? '')).toMatchObject({ settled_by: { event_id: 'gateway' } });
});

it('an event that comes again with its hold settles it, which its first report did not name', async () => {
  await putBudget(database);
  const { hold_id } = await reserve(database);
  await post({ event_id: 'e1' });
  expect(await standing()).toEqual([['0.0042', '0.0054', '0.0104']]);
  await post({ event_id: 'e1', hold_id });
  expect(await standing()).toEqual([['0.0042', '0', '0.0158']]);
  expect(await release(hold_id ?? '')).toMatchObject({ settled_by: { event_id: 'e1' } });
});

it('calls that nobody measured fill a hard budget, of money and of tokens', async () => {
  await putBudget(database);
  await putBudget(database, { tokens: 4000 });
  for (const [n, verdict] of ['allow', 'allow', 'allow', 'deny'].entries()) {
    const reserved = await reserve(database, { hold_id: `h-${n}` });
    expect(reserved.verdict).toBe(verdict);
    if (verdict === 'allow') await post({ event_id: `e${n}`, hold_id: `h-${n}`, usage: {} });
  }
  expect(await standing()).toEqual([
    ['0', '0.0162', '0.0038'],
    ['0', '3600', '400'],
  ]);
  expect(await brokenLaws(database)).toEqual([]);
});

it('a hold whose event waits is not for another call, and is released by a person', async () => {
  await putBudget(database);
  await reserve(database, { hold_id: 'h-1' });
  await post({ event_id: 'e1', hold_id: 'h-1', usage: {} });
  await expect(reserve(database, { hold_id: 'h-1' })).rejects.toThrow(
    'hold "h-1" is named by an event, and holds for no call any more',
  );
  expect(await release('h-1')).toMatchObject({ state: 'released', waits_for: null });
  expect(await standing()).toEqual([['0', '0', '0.02']]);
});

it('of two events of a hold the one that has a charge settles it', async () => {
  await putBudget(database);
  const { hold_id } = await reserve(database);
  await post({ event_id: 'e1', hold_id, usage: {} });
  expect(await standing()).toEqual([['0', '0.0054', '0.0146']]);
  await post({ event_id: 'e2', hold_id });
  expect(await standing()).toEqual([['0.0042', '0', '0.0158']]);
  expect(await release(hold_id ?? '')).toMatchObject({ settled_by: { event_id: 'e2' } });
  expect(await brokenLaws(database)).toEqual([]);
});

it('an event settles no hold of another tenant, and none that nobody made', async () => {
  await putBudget(database);
  const { hold_id } = await reserve(database);
  await post({ event_id: 'e1', tenant_id: 'bolt', hold_id });
  await post({ event_id: 'e2', hold_id: 'nobody-made-it' });
  expect(await standing()).toEqual([['0.0042', '0.0054', '0.0104']]);
});

it('a hold that expires is unsettled and counted, until its event comes', async () => {
  await putBudget(database);
  const { hold_id, expires_at } = await reserve(database, { expires_in_seconds: 60 });
  expect(expires_at).toBe('2026-10-15T13:01:00.000Z');
  const list = (at: string) =>
    listBudgets({ database, clock: clockAt(at) }, { tenant_id: null, as_of: null });
  expect((await list(NOON))[0]?.unsettled_holds).toEqual([]);
  const [budget] = await list(LATER);
  expect(budget?.unsettled_holds).toMatchObject([{ hold_id, state: 'unsettled' }]);
  expect(budget?.times).toMatchObject([{ spent: '0', held: '0.0054' }]);
  await post({ hold_id });
  expect(await list(LATER)).toMatchObject([
    { unsettled_holds: [], times: [{ spent: '0.0042', held: '0' }] },
  ]);
});

it('a hold that expires is unsettled and counted, until a person releases it', async () => {
  await putBudget(database);
  const { hold_id } = await reserve(database);
  await expect(release(hold_id ?? '', LATER, 'bolt')).rejects.toMatchObject({ kind: 'not_found' });
  expect(await standing()).toEqual([['0', '0.0054', '0.0146']]);
  expect(await release(hold_id ?? '', LATER, 'acme')).toMatchObject({
    ...{ state: 'released', released_by: 'ada' },
  });
  expect(await standing()).toEqual([['0', '0', '0.02']]);
  await release(hold_id ?? '', LATER);
  // The call was made after all, and is counted as what it came to.
  await post({ hold_id });
  expect(await standing()).toEqual([['0.0042', '0', '0.0158']]);
  await expect(release('nobody-made-it')).rejects.toMatchObject({ kind: 'not_found' });
});

it('asking again under one id holds once, one after the other and at once', async () => {
  await putBudget(database);
  const same = { hold_id: 'mine' };
  const answers = await Promise.all([1, 2, 3].map(() => reserve(database, same)));
  expect(answers.map(({ verdict, hold_id }) => [verdict, hold_id])).toEqual(
    answers.map(() => ['allow', 'mine']),
  );
  expect(await standing()).toEqual([['0', '0.0054', '0.0146']]);
  await expect(reserve(database, { ...same, input_tokens: 999 })).rejects.toMatchObject({
    kind: 'conflict',
  });
  await release('mine');
  await expect(reserve(database, same)).rejects.toMatchObject({ kind: 'conflict' });
});

it('a call that may end on the next day is held on both days', async () => {
  await putBudget(database, { per: 'day' });
  const at = '2026-10-15T23:59:00Z';
  const { hold_id } = await reserve(database, { expires_in_seconds: 120 }, at);
  const rows = () =>
    textRows(database, 'select time_key, spent, held from budget_counters order by time_key');
  expect((await rows()).map(({ time_key, held }) => [time_key, held])).toEqual([
    ['2026-10-15', '5400000000'],
    ['2026-10-16', '5400000000'],
  ]);
  await post({ hold_id, occurred_at: '2026-10-16T00:00:30Z' });
  expect((await rows()).map(({ spent, held }) => [spent, held])).toEqual([
    ['0', '0'],
    ['4200000000', '0'],
  ]);
});

it('a soft budget holds what it warns of, and a budget of tokens holds tokens', async () => {
  await putBudget(database, { amount: '0.001', kind: 'soft' });
  await putBudget(database, { tokens: 2000 });
  const warned = await reserve(database);
  expect(warned).toMatchObject({ verdict: 'warn', decided_by: '1' });
  expect(warned.budgets.map(({ held, left }) => [held, left])).toEqual([
    ['0.0054', '-0.0044'],
    ['1200', '800'],
  ]);
  expect(await reserve(database)).toMatchObject({ verdict: 'deny', decided_by: '2' });
  await post({ hold_id: warned.hold_id });
  expect(await standing()).toEqual([
    ['0.0042', '0', '-0.0032'],
    ['1100', '0', '900'],
  ]);
});

it('a call that no budget concerns is allowed and holds nothing', async () => {
  expect(await reserve(database)).toMatchObject({
    ...{ verdict: 'allow', hold_id: null, budgets: [], on_unavailable: 'allow' },
  });
  expect(await count(database, 'budget_holds')).toBe(0);
});

it('what a caller does that cannot ask is written on the budget: one that denies is enough', async () => {
  await putBudget(database, { on_unavailable: 'allow' });
  expect((await reserve(database)).on_unavailable).toBe('allow');
  await putBudget(database, { per: 'day', on_unavailable: 'deny' });
  expect((await reserve(database)).on_unavailable).toBe('deny');
});

it('a budget that is taken away lets its holds be settled, and one that is set anew begins without them', async () => {
  await putBudget(database);
  const { hold_id } = await reserve(database);
  const none = { feature: null, user_id: null, agent_run_id: null, tags: null, measure: null };
  await removeBudget({ database }, { tenant_id: 'acme', per: 'month', ...none });
  await putBudget(database);
  expect(await standing()).toEqual([['0', '0', '0.02']]);
  await post({ hold_id });
  expect(await standing()).toEqual([['0.0042', '0', '0.0158']]);
  expect(await release(hold_id ?? '')).toMatchObject({ state: 'settled' });
});

it('a budget changes its currency once nothing is held in the one of before', async () => {
  await putBudget(database);
  const { hold_id } = await reserve(database, { hold_id: 'of-dollars' });
  const rates = { kind: 'charge', currency: 'JPY', caching: 'work_done' };
  const models = [{ model: 'gpt-4o', per_million: { input: '300', output: '1200' } }];
  const from = { book: 'yen', effective_from: '2026-01-01T00:00:00Z' };
  await importBook(database, { ...rates, ...from, models });
  await makeTenant(database, 'acme', { priceBook: 'yen', created: NOON });
  await expect(putBudget(database, { amount: '1000' })).rejects.toMatchObject({
    kind: 'conflict',
    message: expect.stringContaining('has 1 open hold in USD: "of-dollars"'),
  });
  expect((await putBudget(database, { tokens: 5000 })).measure).toBe('tokens');
  await release(hold_id ?? '');
  expect(await putBudget(database, { amount: '1000' })).toMatchObject({ currency: 'JPY' });
  expect((await standing())[0]).toEqual(['0', '0', '1000']);
});

it('an address is kept as its events keep it: by its hash, and so counted, or not at all', async () => {
  const emails = { kind: 'hash', key: 'a key of sixteen' } as const;
  const parts = { database, clock: clockAt(NOON), reading: { emails } };
  const user = { user_id: 'ada@example.org' };
  await setBudget(parts, budgetRequest({ ...user, amount: '0.01' }));
  const request = { ...callRequest(user), hold_id: 'one', expires_in_seconds: null };
  expect(await reserveHold(parts, request)).toMatchObject({ verdict: 'allow', hold_id: 'one' });
  const event = nativeEvent({ ...user, hold_id: 'one', occurred_at: '2026-10-15T13:01:00Z' });
  await receive(database, [JSON.stringify(event)], '2026-10-20T12:00:00Z', { emails });
  await foldAll(database, systemClock);
  const { budgets } = await checkBudgets(parts, callRequest(user));
  expect(budgets).toMatchObject([{ spent: '0.0042', held: '0', left: '0.0058' }]);
  const [kept] = await textRows(
    database,
    `select (select count(*) from budget_holds h where h::text like '%@%')
       + (select count(*) from budgets b where b::text like '%@%') as addresses`,
  );
  expect(kept).toEqual({ addresses: '0' });
  const refusing = { ...parts, reading: { emails: { kind: 'refuse' } } } as const;
  await expect(reserveHold(refusing, request)).rejects.toMatchObject({ kind: 'bad_request' });
});
