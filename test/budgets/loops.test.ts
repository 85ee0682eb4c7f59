import { beforeEach, expect, it } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { readUnknownHolds } from '../../src/month/status/status-store.ts';
import { check, clockAt, putBudget, reserve } from '../support/budgets.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';

/** A budget of an agent's run, which ends a run that repeats itself, and is shared by the run's children. */

let database: TestDatabase;

beforeEach(async () => {
  database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme');
});

const minute = (of: number) => `2026-10-15T13:${String(of).padStart(2, '0')}:00Z`;
const step = (of: number, change: object = {}) =>
  reserve(database, { agent_run_id: 'r-1', input_tokens: 1000 * of, ...change }, minute(of));

it('the call that repeats a run once too often with growing context is denied, and holds nothing', async () => {
  await putBudget(database, { per: 'run', amount: '100', loop: { verdict: 'deny', steps: 4 } });
  for (const of of [1, 2, 3]) expect(await step(of)).toMatchObject({ verdict: 'allow' });
  const asked = { agent_run_id: 'r-1', input_tokens: 4000 };
  expect(await check(database, asked, minute(4))).toMatchObject({ verdict: 'deny' });
  expect(await step(4)).toMatchObject({
    ...{ verdict: 'deny', hold_id: null, retry_after: null },
    budgets: [{ verdict: 'deny', because: 'loop' }],
  });
  // Another model, another feature, another run, or a context that does not grow is no repetition.
  expect(await step(4, { feature: 'other' })).toMatchObject({ verdict: 'allow' });
  expect(await step(4, { agent_run_id: 'r-2' })).toMatchObject({ verdict: 'allow' });
  expect(await step(5, { input_tokens: 500 })).toMatchObject({ verdict: 'allow' });
});

it('a soft guard warns of a loop, and the call is held all the same', async () => {
  await putBudget(database, { per: 'run', amount: '100', loop: { verdict: 'warn', steps: 2 } });
  expect(await step(1)).toMatchObject({ verdict: 'allow' });
  expect(await step(2)).toMatchObject({
    ...{ verdict: 'warn', hold_id: expect.any(String) },
    budgets: [{ verdict: 'warn', because: 'loop' }],
  });
});

it('calls that a run only recorded are steps of a loop as soon as they are folded, each run and model for itself', async () => {
  await putBudget(database, { per: 'run', amount: '100', loop: { verdict: 'deny', steps: 4 } });
  const recorded = (of: number, change: object = {}) =>
    nativeEvent({
      ...{ event_id: `e-${of}-${JSON.stringify(change)}`, occurred_at: minute(of) },
      ...{ feature: undefined, agent_run_id: 'r-1' },
      usage: { input_tokens: 1000 * of, output_tokens: 100 },
      ...change,
    });
  await receiveEvents(
    database,
    [1, 2, 3].map((of) => recorded(of)),
  );
  await receiveEvents(
    database,
    [1, 2].map((of) => recorded(of, { agent_run_id: 'r-2' })),
  );
  await foldAll(database, clockAt(minute(3)));

  expect(
    await check(database, { agent_run_id: 'r-1', input_tokens: 4000 }, minute(4)),
  ).toMatchObject({ verdict: 'deny', budgets: [{ because: 'loop' }] });
  expect(await step(4)).toMatchObject({ verdict: 'deny', hold_id: null });
  expect(await step(4, { model: 'gpt-4o-mini' })).toMatchObject({ verdict: 'allow' });
  expect(await step(4, { agent_run_id: 'r-2' })).toMatchObject({ verdict: 'allow' });
  // Less context than before is no repetition, and what is a day old is no step.
  expect(await step(4, { input_tokens: 500 })).toMatchObject({ verdict: 'allow' });
  await receiveEvents(database, [recorded(5, { event_id: 'later', agent_run_id: 'r-3' })]);
  await foldAll(database, clockAt('2026-10-16T13:03:30Z'));
  expect(await runs()).toEqual(['r-3']);
});

async function runs(): Promise<readonly string[]> {
  const { rows } = await database.pool.query<{ run: string }>(
    'select distinct agent_run_id as run from run_steps order by 1',
  );
  return rows.map(({ run }) => run);
}

it('the budget of a run is shared by all that is called under it, whatever its feature or user', async () => {
  // Each call may come to 0.0054, so that two of three fit into 0.012.
  await putBudget(database, { per: 'run', amount: '0.012' });
  const child = (of: number, change: object) =>
    reserve(database, { agent_run_id: 'r-1', ...change }, minute(of));
  expect(await child(1, { feature: 'plan' })).toMatchObject({ verdict: 'allow' });
  expect(await child(2, { feature: 'search', user_id: 'u-1' })).toMatchObject({ verdict: 'allow' });
  expect(await child(3, { feature: 'answer' })).toMatchObject({ verdict: 'deny' });
  expect(await child(4, { agent_run_id: 'r-2' })).toMatchObject({ verdict: 'allow' });
});

it('an event whose hold nobody made, or made for another tenant, is named and counted as any other', async () => {
  await putBudget(database, { amount: '100' });
  const { hold_id } = await reserve(database);
  await makeTenant(database, 'globex');
  await receiveEvents(database, [
    nativeEvent({ event_id: 'stray', hold_id: 'no-such-hold' }),
    nativeEvent({ event_id: 'foreign', tenant_id: 'globex', hold_id }),
    nativeEvent({ event_id: 'own', hold_id }),
  ]);
  const at = clockAt('2026-10-20T13:00:00Z');
  await foldAll(database, at);
  const unknown = await readUnknownHolds(database, parseInstant('2026-10-20T13:00:00Z'));
  expect(unknown.map(({ tenant_id, event_id }) => [tenant_id, event_id])).toEqual([
    ['acme', 'stray'],
    ['globex', 'foreign'],
  ]);
});

it('a batched call is made under the hold of one of its tenants, and unknown to none of them', async () => {
  await putBudget(database, { amount: '100' });
  const { hold_id } = await reserve(database);
  await makeTenant(database, 'globex');
  const members = ['globex', 'acme'].map((tenant_id) => ({ member_id: tenant_id, tenant_id }));
  await receiveEvents(database, [nativeEvent({ hold_id, members })]);
  const at = clockAt('2026-10-20T13:00:00Z');
  await foldAll(database, at);
  expect(await readUnknownHolds(database, at())).toEqual([]);
  expect(await check(database)).toMatchObject({ budgets: [{ held: '0' }] });
});
