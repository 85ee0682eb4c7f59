import { beforeEach, expect, it } from 'vitest';
import { budgetsAnswer } from '../../src/budgets/budget-answer.ts';
import { listBudgets } from '../../src/budgets/list-budgets.ts';
import { systemClock } from '../../src/clock.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { check, clockAt, NOON, putBudget, reserve } from '../support/budgets.ts';
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

/** Acme has two calls on the 15th and one on the 14th: 1000 × 3.00 µ + 100 × 12.00 µ = 0.0042 each. */
beforeEach(async () => {
  database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme');
  await receiveEvents(database, [
    nativeEvent({
      event_id: 'e1',
      feature: 'search',
      user_id: 'u1',
      tags: { team: 'a', env: 'x' },
    }),
    nativeEvent({ event_id: 'e2', feature: 'chat', user_id: 'u1', agent_run_id: 'r1' }),
  ]);
  await foldAll(database, systemClock);
  // A budget that is set between the two counts the first batch at once, and this one when it is folded.
  await receiveEvents(database, [
    nativeEvent({ event_id: 'e3', feature: 'search', occurred_at: '2026-10-14T12:00:00Z' }),
  ]);
});

const fold = () => foldAll(database, systemClock);

it('a month counts the whole period, and a day the day of the tenant', async () => {
  await putBudget(database, { per: 'month' });
  await putBudget(database, { per: 'day' });
  await fold();
  const answer = await check(database);
  expect(answer).toMatchObject({ verdict: 'allow', estimate: '0.0054', tokens: '1200' });
  const told = answer.budgets.map(({ per, time, spent, held, left, resets_at }) => [
    ...[per, time, spent, held, left, resets_at],
  ]);
  expect(told).toEqual([
    ['month', '2026-10-01', '0.0126', '0', '0.0074', '2026-11-01T00:00:00.000Z'],
    ['day', '2026-10-15', '0.0084', '0', '0.0116', '2026-10-16T00:00:00.000Z'],
  ]);
});

it("a day begins and ends in the tenant's own zone", async () => {
  await makeTenant(database, 'kiwi', { timeZone: 'Pacific/Auckland' });
  // In Auckland it is the 16th from 11:00 UTC on.
  const at = ['2026-10-15T10:59:59Z', '2026-10-15T11:00:00Z'];
  await putBudget(database, { tenant_id: 'kiwi', per: 'day' }, '2026-10-15T10:30:00Z');
  await receiveEvents(
    database,
    at.map((occurred_at) => nativeEvent({ tenant_id: 'kiwi', event_id: occurred_at, occurred_at })),
  );
  await fold();
  const days = await Promise.all(at.map((now) => check(database, { tenant_id: 'kiwi' }, now)));
  expect(days.map(({ budgets: [day] }) => [day?.time, day?.spent, day?.resets_at])).toEqual([
    ['2026-10-15', '0.0042', '2026-10-15T11:00:00.000Z'],
    ['2026-10-16', '0.0042', '2026-10-16T11:00:00.000Z'],
  ]);
});

it('denies what would pass a hard budget, and warns of a soft one', async () => {
  await fold();
  await putBudget(database, { amount: '0.017999999999' });
  expect(await check(database)).toMatchObject({ verdict: 'deny', decided_by: '1' });
  await putBudget(database, { amount: '0.017999999999', kind: 'soft' });
  expect((await check(database)).verdict).toBe('warn');
  await putBudget(database, { amount: '0.018' });
  expect(await check(database)).toMatchObject({ verdict: 'allow', decided_by: null });
  expect(
    await listBudgets({ database, clock: clockAt(NOON) }, { tenant_id: null, as_of: null }),
  ).toHaveLength(1);
});

it('a budget counts the feature, the user, the run and the tags that it is about', async () => {
  await fold();
  await putBudget(database, { feature: 'search' });
  await putBudget(database, { user_id: 'u1' });
  await putBudget(database, { tags: { team: 'a', env: 'x' } });
  await putBudget(database, { tokens: 9000 });
  const spentOf = async (change: Parameters<typeof check>[1]) =>
    (await check(database, change)).budgets.map(({ spent }) => spent);
  expect(await spentOf({})).toEqual(['3300']);
  expect(await spentOf({ feature: 'search' })).toEqual(['0.0084', '3300']);
  expect(await spentOf({ user_id: 'u1' })).toEqual(['0.0084', '3300']);
  expect(await spentOf({ feature: 'chat', user_id: 'u2' })).toEqual(['3300']);
  expect(await spentOf({ tags: { team: 'a', env: 'x', more: 'y' } })).toEqual(['0.0042', '3300']);
  expect(await spentOf({ tags: { team: 'a' } })).toEqual(['3300']);
});

it('each run has the whole budget, and what is set once counts from now on', async () => {
  await putBudget(database, { per: 'run' }, '2026-10-15T11:00:00Z');
  await putBudget(database, { per: 'once', agent_run_id: 'r1' }, NOON);
  await fold();
  const ofRun = async (agent_run_id: string) =>
    (await check(database, { agent_run_id })).budgets.map(({ time, spent }) => [time, spent]);
  // The call of r1 was before noon, when the budget for all of it was set.
  expect(await ofRun('r1')).toEqual([
    ['r1', '0.0042'],
    ['', '0'],
  ]);
  expect(await ofRun('r2')).toEqual([['r2', '0']]);
  expect((await check(database)).budgets).toEqual([]);
});

it('in the next period and on the next day everything is there again', async () => {
  await putBudget(database, { per: 'month' });
  await putBudget(database, { per: 'day' });
  await fold();
  const later = await check(database, {}, '2026-11-01T00:00:00Z');
  expect(later.budgets.map(({ spent }) => spent)).toEqual(['0', '0']);
});

it('a model without a price is refused, unless nobody needs to know the price', async () => {
  const unpriced = { model: 'unheard-of' };
  expect(await check(database, unpriced)).toMatchObject({ verdict: 'allow', estimate: null });
  await putBudget(database, { tokens: 9000 });
  expect((await check(database, unpriced)).verdict).toBe('allow');
  await putBudget(database, { amount: '1' });
  await expect(check(database, unpriced)).rejects.toMatchObject({ kind: 'incomplete' });
  expect((await check(database, { ...unpriced, amount: '0.5' })).verdict).toBe('allow');
  await putBudget(database, { amount: '1', priced_only: true });
  const answer = await check(database, { ...unpriced, amount: '0.5' });
  expect(answer).toMatchObject({ verdict: 'deny', retry_after: null });
  expect(answer.budgets.map(({ because }) => because)).toEqual([null, 'unpriced']);
});

it('a soft budget warns of what nobody can tell it, and refuses nothing', async () => {
  await fold();
  await putBudget(database, { kind: 'soft' });
  await putBudget(database, { tokens: 9000, kind: 'soft' });
  const unpriced = await check(database, { model: 'unheard-of' });
  expect(unpriced).toMatchObject({ verdict: 'warn', decided_by: '1', estimate: null });
  expect(unpriced.budgets.map(({ because }) => because)).toEqual(['unknown', null]);
  const nothing = { input_tokens: null, max_output_tokens: null, amount: '0.001' };
  const untold = await check(database, nothing);
  expect(untold.budgets.map(({ because }) => because)).toEqual([null, 'unknown']);
  // Spent are 0.0126: whatever the call comes to, that limit was passed before.
  await putBudget(database, { kind: 'soft', amount: '0.01' });
  const { budgets } = await check(database, { model: 'unheard-of' });
  expect(budgets.map(({ because }) => because)).toEqual(['limit', null]);
  await putBudget(database, { kind: 'soft', amount: '1', priced_only: true });
  expect((await check(database, { model: 'unheard-of' })).verdict).toBe('deny');
  await putBudget(database, { tokens: 9000 });
  await expect(check(database, nothing)).rejects.toMatchObject({ kind: 'bad_request' });
});

it('refuses what it cannot tell', async () => {
  await expect(check(database, { tenant_id: 'nobody' })).rejects.toMatchObject({
    kind: 'not_found',
  });
  await expect(putBudget(database, { amount: '-1' })).rejects.toMatchObject({
    kind: 'bad_request',
  });
  await expect(putBudget(database, { amount: '1', tokens: 1 })).rejects.toMatchObject({
    kind: 'bad_request',
  });
  const nothing = { input_tokens: null, max_output_tokens: null };
  await expect(check(database, nothing)).rejects.toMatchObject({ kind: 'bad_request' });
  await putBudget(database, { tokens: 5 });
  await expect(check(database, { ...nothing, amount: '1' })).rejects.toMatchObject({
    kind: 'bad_request',
  });
  const usage = { input_tokens: 5, cache_read_tokens: 6, output_tokens: 1 };
  await expect(check(database, { ...nothing, usage })).rejects.toMatchObject({
    kind: 'bad_request',
  });
  await expect(check(database, { usage })).rejects.toMatchObject({ kind: 'bad_request' });
});

it('refuses a budget in another currency, until it is set anew', async () => {
  await makeTenant(database, 'cedar');
  await putBudget(database, { tenant_id: 'cedar' });
  const models = [{ model: 'gpt-4o', per_million: { input: '3', output: '12' } }];
  const rates = { kind: 'charge', currency: 'EUR', caching: 'work_done', models };
  await importBook(database, { ...rates, book: 'euro', effective_from: '2026-01-01T00:00:00Z' });
  await makeTenant(database, 'cedar', { priceBook: 'euro', created: NOON });
  await expect(check(database, { tenant_id: 'cedar' })).rejects.toMatchObject({ kind: 'conflict' });
  await database.pool.query(`update budgets set is_hard = false where tenant_id = 'cedar'`);
  const warned = await reserve(database, { tenant_id: 'cedar', hold_id: 'of-euros' });
  expect(warned).toMatchObject({ verdict: 'warn', hold_id: 'of-euros', currency: 'EUR' });
  expect(warned.budgets).toMatchObject([{ because: 'unknown', currency: 'USD', held: '0' }]);
  // That hold is none in dollars, so that nothing is in the way of a budget in euros.
  await putBudget(database, { tenant_id: 'cedar' });
  expect((await check(database, { tenant_id: 'cedar' })).verdict).toBe('allow');
});

it('the estimate counts every unit at the rate of the whole context', async () => {
  await importBook(database, {
    ...{ book: 'long', kind: 'charge', currency: 'USD', effective_from: '2026-01-01T00:00:00Z' },
    caching: 'pass_through',
    models: [
      {
        model: 'm',
        per_million: { input: '1', output: '2', cache_read: '0.1', cache_write: '1.25' },
      },
      {
        ...{ model: 'm', above_input_tokens: 1000 },
        per_million: { input: '10', output: '20', cache_read: '1', cache_write: '12.5' },
      },
    ],
  });
  await makeTenant(database, 'long', { priceBook: 'long', created: '2026-09-20T00:00:00Z' });
  const ask = async (usage: Parameters<typeof check>[1] & object) =>
    (await check(database, { tenant_id: 'long', model: 'm', ...usage })).estimate;
  const none = { input_tokens: null, max_output_tokens: null };
  expect(await ask({ input_tokens: 1000, max_output_tokens: 10 })).toBe('0.00102');
  expect(await ask({ input_tokens: 1001, max_output_tokens: 10 })).toBe('0.01021');
  const usage = { input_tokens: 1000, cache_write_tokens: 400, output_tokens: 10 };
  // 600 × 1 µ + 400 × 1.25 µ + 10 × 2 µ
  expect(await ask({ ...none, usage })).toBe('0.00112');
});

it('on the command line a denied call exits with 4, and says what is left', async () => {
  const run = (...args: readonly string[]) =>
    cli(['budget', ...args], { DATABASE_URL: database.url, SPANLEDGER_LOG_LEVEL: 'silent' });
  const budget = ['acme', '--per', 'month', '--feature', 'search'];
  const set = await run('set', ...budget, '--amount', '0.005');
  expect(set.stdout).toBe('acme of feature search: 0.005 USD a month, hard\n');
  const call = ['--model', 'gpt-4o', '--input-tokens', '1000', '--max-output-tokens', '200'];
  // Whatever the day is on which this runs: the call alone is charged 0.0054, beyond 0.005.
  const denied = await run('check', 'acme', ...call, '--feature', 'search');
  expect(denied.exitCode).toBe(4);
  expect(denied.stdout).toMatch(
    /^deny: the call is charged at most 0.0054 USD\ndeny {2}acme of feature search: 0.005 USD a month, hard; spent [\d.]+, held 0, left [-\d.]+\n$/,
  );
  const allowed = await run('check', 'acme', ...call, '--json');
  expect(allowed.exitCode).toBe(0);
  expect(JSON.parse(allowed.stdout)).toMatchObject({ verdict: 'allow', budgets: [] });
  const reserved = await run('reserve', 'acme', ...call, '--feature', 'search');
  expect(reserved).toMatchObject({ exitCode: 4, stdout: denied.stdout });
  await run('set', ...budget, '--amount', '5');
  const held = await run('reserve', 'acme', ...call, '--feature', 'search', '--hold', 'h-1');
  expect(held.exitCode).toBe(0);
  expect(held.stdout).toContain('hold h-1 until ');
  const [listed] = budgetsAnswer.parse(JSON.parse((await run('list', '--json')).stdout));
  expect(listed?.times).toMatchObject([{ held: '0.0054' }]);
  const unpriced = ['--model', 'unheard-of', '--input-tokens', '20', '--feature', 'search'];
  await run('set', ...budget, '--amount', '5', '--soft');
  const warned = await run('check', 'acme', ...unpriced);
  expect(warned.exitCode).toBe(0);
  expect(warned.stdout).toMatch(
    /^warn: the call comes to at most 20 tokens\nwarn .*; what the call comes to in USD is unknown\n$/,
  );
  const released = await run('release', 'h-1', '--actor', 'ada');
  expect(released.stdout).toBe('hold h-1 of acme: 0.0054 USD, released by ada\n');
  expect((await run('remove', ...budget)).stdout).toBe('removed\n');
  expect((await run('list')).stdout).toBe('there is no budget\n');
});

it('what sets and removes a budget needs no file of deployments, and what asks about a call does', async () => {
  const run = (...args: readonly string[]) =>
    cli(['budget', ...args], {
      ...{ DATABASE_URL: database.url, SPANLEDGER_LOG_LEVEL: 'silent' },
      SPANLEDGER_MODEL_MAP: '/no/such-file.json',
    });
  const budget = ['acme', '--per', 'month'];
  expect(await run('set', ...budget, '--amount', '5')).toMatchObject({ exitCode: 0 });
  const asked = await run('check', 'acme', '--amount', '1');
  expect(asked).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('MODEL_MAP') });
  expect(await run('remove', ...budget)).toMatchObject({ exitCode: 0 });
});
