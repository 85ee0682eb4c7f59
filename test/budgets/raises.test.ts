import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { approveRaise, refuseRaise } from '../../src/budgets/raises/answer-raise.ts';
import { askRaise } from '../../src/budgets/raises/ask-raise.ts';
import { raiseAnswer, raisesAnswer } from '../../src/budgets/raises/raise-answer.ts';
import { removeBudget } from '../../src/budgets/set-budget.ts';
import { gatherEvents } from '../../src/webhooks/gather-events.ts';
import { addEndpoint } from '../../src/webhooks/manage-endpoints.ts';
import { freshApi } from '../support/api.ts';
import { clockAt, NOON, putBudget, reserve } from '../support/budgets.ts';
import { cli } from '../support/cli.ts';
import { createDatabase, resetTables, type TestDatabase, textRows } from '../support/database.ts';
import { importBook, importBooks, makeTenant } from '../support/ledger.ts';

/** Whoever is denied asks for a higher limit, and an operator approves or refuses it. */

let database: TestDatabase;
let drop: () => Promise<void>;

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
});
beforeEach(async () => {
  await resetTables(database);
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme');
});
afterAll(() => drop());

const parts = () => ({ database, clock: clockAt(NOON) });
const ask = (budget_id: string, limit: string, reason = 'a launch') =>
  askRaise(parts(), { tenant_id: 'acme', budget_id, limit, reason, actor: 'shop' });
const note = { reason: 'agreed', actor: 'ada' };

it('a call that was denied is borne once its request is approved, and not before', async () => {
  const { budget_id } = await putBudget(database, { amount: '0.005' });
  expect(await reserve(database)).toMatchObject({ verdict: 'deny', decided_by: budget_id });
  const { request_id } = await ask(budget_id, '0.02');
  expect(await reserve(database)).toMatchObject({ verdict: 'deny' });
  expect(await approveRaise(parts(), { request_id, limit: null, ...note })).toMatchObject({
    ...{ state: 'approved', limit_then: '0.005', limit_granted: '0.02', answered_by: 'ada' },
  });
  expect(await reserve(database)).toMatchObject({ verdict: 'allow' });
});

it('of one budget one request waits: asking the same again is no news, and asking for more changes it', async () => {
  const { budget_id } = await putBudget(database, { amount: '1' });
  const first = await ask(budget_id, '2');
  expect(await ask(budget_id, '2')).toEqual(first);
  const more = await ask(budget_id, '3', 'a larger launch');
  expect(more).toMatchObject({ request_id: first.request_id, limit_asked: '3' });
  expect(
    await textRows(database, "select 1 from changes where of_table = 'budget_raises'"),
  ).toHaveLength(2);
  // Two that ask at once are one request, too.
  await refuseRaise(parts(), { request_id: first.request_id, ...note });
  const [one, other] = await Promise.all([ask(budget_id, '4'), ask(budget_id, '4')]);
  expect(one.request_id).toBe(other.request_id);
});

it('a request is answered once, and a limit that stands higher by now is granted nothing', async () => {
  const { budget_id } = await putBudget(database, { tokens: 1000 });
  const { request_id } = await ask(budget_id, '5000');
  await putBudget(database, { tokens: 6000 });
  const approving = { request_id, limit: null, ...note };
  await expect(approveRaise(parts(), approving)).rejects.toThrow(/is 6000 already/);
  await expect(ask(budget_id, '6000')).rejects.toThrow(/is 6000 already/);
  await expect(ask(budget_id, '7000.5')).rejects.toThrow(/limits tokens/);
  await refuseRaise(parts(), { request_id, ...note });
  await expect(approveRaise(parts(), approving)).rejects.toThrow(/was refused by ada already/);
  const next = await ask(budget_id, '9000');
  const budget = { tenant_id: 'acme', per: 'month', feature: null, user_id: null } as const;
  const key = { ...budget, agent_run_id: null, tags: null, measure: 'tokens' } as const;
  await removeBudget(parts(), key);
  const orphan = { ...approving, request_id: next.request_id };
  await expect(approveRaise(parts(), orphan)).rejects.toThrow(/was taken away/);
});

it('a request in one currency raises no limit in another, until it is asked for anew', async () => {
  const rates = { kind: 'charge', currency: 'JPY', caching: 'work_done' };
  const models = [{ model: 'gpt-4o', per_million: { input: '450', output: '1800' } }];
  const effective_from = '2026-01-01T00:00:00Z';
  await importBook(database, { ...rates, book: 'yen', effective_from, models });
  await makeTenant(database, 'acme', { priceBook: 'yen' });
  const { budget_id } = await putBudget(database, { amount: '5000' });
  const { request_id } = await ask(budget_id, '100000');
  await makeTenant(database, 'acme', { priceBook: 'standard', created: NOON });
  await putBudget(database, { amount: '40' });
  const approving = { request_id, limit: null, ...note };
  for (const limit of [null, '50']) {
    await expect(approveRaise(parts(), { ...approving, limit })).rejects.toMatchObject({
      kind: 'conflict',
      message: expect.stringMatching(/is in USD, and request \d+ asks for JPY/),
    });
  }
  const limits = () => textRows(database, 'select amount, currency from budgets');
  expect(await limits()).toEqual([{ amount: '40000000000000', currency: 'USD' }]);
  // The same number again is another limit, now that it is of dollars.
  expect(await ask(budget_id, '100000')).toMatchObject({ request_id, currency: 'USD' });
  await approveRaise(parts(), approving);
  expect(await limits()).toEqual([{ amount: '100000000000000000', currency: 'USD' }]);
});

it('webhooks tell of a request and of its answer, each once', async () => {
  const where = { ...parts(), allowsPrivateWebhooks: true };
  const kinds = ['budget.raise_requested', 'budget.raise_answered'] as const;
  await addEndpoint(where, { url: 'http://127.0.0.1:1/', events: kinds, actor: 'ada' });
  const { budget_id } = await putBudget(database, { amount: '1' });
  const { request_id } = await ask(budget_id, '2');
  const look = () => gatherEvents(parts(), { withMissing: false });
  expect([await look(), await look()]).toEqual([1, 0]);
  await approveRaise(parts(), { request_id, limit: '1.50', ...note });
  expect([await look(), await look()]).toEqual([1, 0]);
  const { rows } = await database.pool.query(
    'select kind, data from webhook_events order by event_id',
  );
  expect(rows).toMatchObject([
    { kind: kinds[0], data: { request_id, state: 'open', limit_asked: '2', because: 'a launch' } },
    { kind: kinds[1], data: { state: 'approved', limit_granted: '1.5', by: 'ada' } },
  ]);
});

it('an application asks by its key for its own tenants, and an operator answers by route or command', async () => {
  const { budget_id } = await putBudget(database, { amount: '1' });
  const api = await freshApi(database);
  const theirs = await api.key('ingest', { tenants: ['globex'] });
  const ingest = await api.key('ingest', { tenants: ['acme'] });
  const json = { tenant_id: 'acme', budget_id, limit: '2.00', reason: 'a launch' };
  expect((await api.ask('/v1/budgets/requests', theirs, { json })).status).toBe(403);
  const made = await api.ask('/v1/budgets/requests', ingest, { json });
  expect(raiseAnswer.parse(made.json)).toMatchObject({
    state: 'open',
    asked_by: expect.stringMatching(/^ingest/),
  });
  expect((await api.ask('/v1/budgets/requests', theirs)).status).toBe(403);
  const listed = await api.ask('/v1/budgets/requests?tenant=acme', ingest);
  expect(raisesAnswer.parse(listed.json.requests)).toHaveLength(1);
  const path = `/v1/budgets/requests/${made.json.request_id}/refuse`;
  const why = { json: { reason: 'a lower plan' } };
  expect((await api.ask(path, ingest, why)).status).toBe(403);
  const refused = await api.ask(path, await api.key('admin'), why);
  expect(refused.json).toMatchObject({ state: 'refused', answered_because: 'a lower plan' });

  const environment = { DATABASE_URL: database.url, SPANLEDGER_LOG_LEVEL: 'silent' };
  const run = (...args: readonly string[]) => cli(['budget', ...args], environment);
  const asked = await run('ask', 'acme', budget_id, '--limit', '3', '--reason', 'more', '--json');
  const { request_id } = raiseAnswer.parse(JSON.parse(asked.stdout));
  expect((await run('requests')).stdout).toMatch(/acme +1 USD +3 USD/);
  const answer = [request_id, '--reason', 'as agreed', '--actor', 'ada'];
  expect((await run('approve', ...answer, '--limit', '2.5')).stdout).toContain(
    'approved at 2.5 USD by ada: as agreed',
  );
  expect((await run('refuse', ...answer)).stderr).toContain('was approved by ada already');
  expect((await run('requests', '--all')).stdout).toContain('refused by');
});
