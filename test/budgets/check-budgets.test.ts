import { beforeEach, expect, it } from 'vitest';
import type {
  BudgetAnswer,
  CheckRequest,
  SetBudgetRequest,
} from '../../src/budgets/budget-answer.ts';
import { readBudgets } from '../../src/budgets/budget-store.ts';
import { checkBudgets } from '../../src/budgets/check-budgets.ts';
import { setBudget } from '../../src/budgets/set-budget.ts';
import { parseInstant, systemClock } from '../../src/clock.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { cli } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/database.ts';
import {
  importBook,
  importBooks,
  makeTenant,
  nativeEvent,
  receiveEvents,
} from '../support/ledger.ts';

let database: TestDatabase;

const NOON = '2026-10-15T13:00:00Z';

/** Acme has two calls on the 15th and one on the 14th: 1000 × 3.00 µ + 100 × 12.00 µ = 0.0042 each. */
beforeEach(async () => {
  database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme');
  await receiveEvents(database, [
    nativeEvent({ event_id: 'e1', feature: 'search', user_id: 'u1' }),
    nativeEvent({ event_id: 'e2', feature: 'chat', user_id: 'u1' }),
  ]);
  await foldAll(database, systemClock);
  // One batch is folded into the rollups, this one is not yet.
  await receiveEvents(database, [
    nativeEvent({ event_id: 'e3', feature: 'search', occurred_at: '2026-10-14T12:00:00Z' }),
  ]);
});

function set(change: Partial<SetBudgetRequest>): Promise<BudgetAnswer> {
  const given = { tenant_id: 'acme', per: 'month', feature: null, user_id: null } as const;
  const limit = { amount: 20_000_000_000n, kind: 'hard', actor: 'ada' } as const;
  const clock = () => parseInstant(NOON);
  return setBudget({ database, clock }, { ...given, ...limit, ...change });
}

/** 1000 × 3.00 µ + 200 × 12.00 µ = 0.0054 at the most. */
function check(change: Partial<CheckRequest> = {}, at = NOON) {
  const call = {
    ...{ tenant_id: 'acme', provider: null, model: 'gpt-4o', service_tier: 'standard' as const },
    ...{ input_tokens: 1000, max_output_tokens: 200, feature: null, user_id: null },
    ...change,
  };
  return checkBudgets({ database, clock: () => parseInstant(at) }, call);
}

it('a month counts the whole period, folded or not, and a day its UTC day only', async () => {
  await set({ per: 'month' });
  await set({ per: 'day' });
  const answer = await check();
  expect(answer).toMatchObject({ verdict: 'allow', estimate: '0.0054' });
  expect(answer.budgets.map(({ per, spent, left }) => [per, spent, left])).toEqual([
    // 0.02 - 2 × 0.0042 - 0.0054 = 0.0062; and with the third call 0.002
    ['day', '0.0084', '0.0062'],
    ['month', '0.0126', '0.002'],
  ]);
});

it('denies what would pass a hard budget, and warns of a soft one', async () => {
  await set({ per: 'month', amount: 17_999_999_999n });
  expect((await check()).verdict).toBe('deny');
  await set({ per: 'month', amount: 17_999_999_999n, kind: 'soft' });
  expect((await check()).verdict).toBe('warn');
  await set({ per: 'month', amount: 18_000_000_000n });
  expect((await check()).verdict).toBe('allow');
  expect(await readBudgets(database, 'acme')).toHaveLength(1);
});

it('a budget of a feature counts that feature, and one of a user that user', async () => {
  await set({ feature: 'search', amount: 10_000_000_000n });
  await set({ user_id: 'u1', amount: 10_000_000_000n });
  const spentOf = async (change: Partial<CheckRequest>) =>
    (await check(change)).budgets.map(({ spent }) => spent);
  expect(await spentOf({})).toEqual([]);
  expect(await spentOf({ feature: 'search' })).toEqual(['0.0084']);
  expect(await spentOf({ user_id: 'u1' })).toEqual(['0.0084']);
  expect(await spentOf({ feature: 'chat', user_id: 'u2' })).toEqual([]);
});

it('in the next period and on the next day everything is there again', async () => {
  await set({ per: 'month' });
  await set({ per: 'day' });
  const later = await check({}, '2026-11-01T00:00:00Z');
  expect(later.budgets.map(({ spent }) => spent)).toEqual(['0', '0']);
});

it('refuses what it cannot tell: a model without a price, and a budget in another currency', async () => {
  await expect(check({ model: 'unheard-of' })).rejects.toMatchObject({ kind: 'incomplete' });
  await expect(check({ tenant_id: 'nobody' })).rejects.toMatchObject({ kind: 'not_found' });
  await expect(set({ amount: -1n })).rejects.toMatchObject({ kind: 'bad_request' });
  await makeTenant(database, 'cedar');
  await set({ tenant_id: 'cedar' });
  const models = [{ model: 'gpt-4o', per_million: { input: '3', output: '12' } }];
  const rates = { kind: 'charge', currency: 'EUR', caching: 'work_done', models };
  await importBook(database, { ...rates, book: 'euro', effective_from: '2026-01-01T00:00:00Z' });
  await makeTenant(database, 'cedar', { priceBook: 'euro', created: NOON });
  await expect(check({ tenant_id: 'cedar' })).rejects.toMatchObject({ kind: 'conflict' });
});

it('on the command line a denied call exits with 1, and says what is left', async () => {
  const run = (...args: readonly string[]) =>
    cli(['budget', ...args], { DATABASE_URL: database.url, SPANLEDGER_LOG_LEVEL: 'silent' });
  const set = await run(
    'set',
    'acme',
    '--per',
    'month',
    '--feature',
    'search',
    '--amount',
    '0.005',
  );
  expect(set.stdout).toBe('acme of feature search: 0.005 USD a month, hard\n');
  const call = ['--model', 'gpt-4o', '--input-tokens', '1000', '--max-output-tokens', '200'];
  // Whatever the day is on which this runs: the call alone is charged 0.0054, beyond 0.005.
  const denied = await run('check', 'acme', ...call, '--feature', 'search');
  expect(denied.exitCode).toBe(4);
  expect(denied.stdout).toMatch(
    /^deny: the call is charged at most 0.0054 USD\ndeny {2}acme of feature search: 0.005 USD a month, hard; spent [\d.]+, after the call -[\d.]+ left\n$/,
  );
  const allowed = await run('check', 'acme', ...call, '--json');
  expect(allowed.exitCode).toBe(0);
  expect(JSON.parse(allowed.stdout)).toMatchObject({ verdict: 'allow', budgets: [] });
  expect((await run('remove', 'acme', '--per', 'month', '--feature', 'search')).stdout).toBe(
    'removed\n',
  );
  expect((await run('list')).stdout).toBe('there is no budget\n');
});
