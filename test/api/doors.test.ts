import { hash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openQueueKeeper } from '../../src/ingest/taking/queue-keeper.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { openLog } from '../../src/log.ts';
import { type Api, startApi } from '../support/api.ts';
import { createDatabase, type TestDatabase, textRows } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent } from '../support/ledger.ts';
import { freshQueue } from '../support/queue.ts';

/** Doors of producers beside /v1/events and /v1/traces, and of applications that ask before they call. */

let database: TestDatabase;
let drop: () => Promise<void>;
let api: Api;
let key: string;
let admin: string;

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme');
  api = await startApi(database);
  [key, admin] = [await api.key('ingest'), await api.key('admin')];
});

afterAll(async () => {
  await api.close();
  await drop();
});

const nanos = () => `${Date.now()}000000`;
const attributes = (values: Readonly<Record<string, string>>) =>
  Object.entries(values).map(([name, value]) => ({ key: name, value: { stringValue: value } }));

it('/v1/logs takes what Claude Code says of its requests, and answers in the manner of OTLP', async () => {
  const record = {
    timeUnixNano: nanos(),
    body: { stringValue: 'claude_code.api_request' },
    attributes: attributes({
      ...{ 'event.name': 'api_request', 'session.id': 's1', 'user.account_uuid': 'u1' },
      ...{ model: 'claude-opus-4-7', input_tokens: '1', output_tokens: '200' },
      ...{ cost_usd: '0.0105', request_id: 'req_1' },
    }),
  };
  const resource = { attributes: attributes({ 'service.name': 'claude-code' }) };
  const json = { resourceLogs: [{ resource, scopeLogs: [{ logRecords: [record] }] }] };
  const answer = await api.ask('/v1/logs', key, { json });
  expect([answer.status, answer.json]).toEqual([200, {}]);
  const again = await api.ask('/v1/logs', key, { json });
  expect(again.status).toBe(200);
  expect(
    await textRows(
      database,
      "select user_id, reported_cost_source from entries where response_id = 'req_1'",
    ),
  ).toEqual([{ user_id: 'u1', reported_cost_source: 'claude_code' }]);
});

it('/v1/litellm takes a list, lines and a single payload, each call once', async () => {
  const seconds = Date.now() / 1000;
  const payload = (id: string) => ({
    ...{ id, litellm_call_id: id, call_type: 'acompletion', status: 'success', model: 'gpt-4o' },
    ...{
      custom_llm_provider: 'openai',
      prompt_tokens: 10,
      completion_tokens: 20,
      total_tokens: 30,
    },
    ...{ startTime: seconds - 1, endTime: seconds },
    metadata: { user_api_key_team_id: 'acme' },
  });
  const send = (body: string, type = 'application/json') =>
    api.ask('/v1/litellm', key, { body, headers: { 'content-type': type } });
  const lines = ['c-2', 'c-3'].map((id) => JSON.stringify(payload(id))).join('\n');
  const answers = [
    await send(JSON.stringify([payload('c-1'), payload('c-2')])),
    await send(lines, 'application/x-ndjson'),
    await send(JSON.stringify(payload('c-4'))),
  ];
  expect(answers.map(({ status, json }) => [status, json.taken])).toEqual([
    [202, 2],
    [202, 2],
    [202, 1],
  ]);
  const rows = await textRows(
    database,
    "select call_id from entries where call_id like 'c-%' order by call_id",
  );
  expect(rows.map(({ call_id }) => call_id)).toEqual(['c-1', 'c-2', 'c-3', 'c-4']);
});

it('/v1/ingest/check says what a body would become, and stores nothing of it', async () => {
  const event = nativeEvent({ event_id: 'checked', occurred_at: new Date().toISOString() });
  const json = { text: JSON.stringify({ ...event, colour: 'blue' }) };
  const answer = await api.ask('/v1/ingest/check', key, { json });
  expect(answer.status).toBe(200);
  expect(answer.json).toMatchObject({
    ...{ bodies: 1, outcomes: { call: 1 }, ignored: ['colour'] },
    items: [{ outcome: 'call', event: { identity: { event_id: 'checked' } } }],
  });
  expect(await textRows(database, "select from entries where event_id = 'checked'")).toEqual([]);
});

it('/v1/ingest/coverage proves what came in by counts and by a hash that the producer can make', async () => {
  const source = 'covered';
  const event = (id: string) =>
    nativeEvent({ event_id: id, source, occurred_at: new Date().toISOString() });
  await api.ask('/v1/events', key, { json: [event('b'), event('a'), event('a')] });
  const { json } = await api.ask(`/v1/ingest/coverage?source=${source}`, key);
  const posted = json.hours.reduce((sum: number, hour: { posted: number }) => sum + hour.posted, 0);
  expect([posted, json.hours[0].received, json.hours[0].duplicate]).toEqual([2, 3, 1]);
  expect(json.hours[0].event_ids_sha256).toBe(hash('sha256', 'a\nb\n'));
});

it('an event that no message can hold is told so, and the others are taken', async () => {
  const queue = await freshQueue();
  const keeper = openQueueKeeper({ ...queue, region: null, log: openLog('silent'), disk: null });
  const door = await startApi(database, { keeper });
  try {
    const now = new Date().toISOString();
    // What does not compress: members under random ids.
    const members = Array.from({ length: 4_000 }, (_, index) => ({
      ...{ member_id: hash('sha256', `${index}`), tenant_id: 'acme', weight: 1 },
    }));
    const large = nativeEvent({ event_id: 'large', occurred_at: now, members });
    const alone = await door.ask('/v1/events', key, { json: large });
    expect([alone.status, alone.json.kind]).toEqual([413, 'too_large']);
    const small = nativeEvent({ event_id: 'small', occurred_at: now });
    const beside = await door.ask('/v1/events', key, { json: [large, small] });
    expect(beside.status).toBe(207);
    expect(beside.json.events).toMatchObject([
      { event_id: 'large', outcome: 'too_large', reason: 'too_large' },
      { event_id: 'small', outcome: 'accepted', reason: null },
    ]);
  } finally {
    await door.close();
  }
});

it('a call is reserved, denied with 402 and its headroom, settled by its event, and released', async () => {
  const set = { tenant: 'acme', feature: 'chat', per: 'once', amount: '0.02' };
  const budget = await api.ask('/v1/budgets', admin, { method: 'PUT', json: set });
  expect(budget.status).toBe(200);
  const call = {
    ...{ tenant: 'acme', feature: 'chat', model: 'gpt-4o' },
    ...{ input_tokens: 1000, max_output_tokens: 1000 },
  };
  const reserve = (hold: string) =>
    api.ask('/v1/budgets/reserve', key, { json: { ...call, hold_id: hold } });
  // 1,000 × 3.00 µ + 1,000 × 12.00 µ = 0.015 of 0.02.
  const held = await reserve('h-1');
  expect([held.status, held.json.verdict, held.json.hold_id]).toEqual([200, 'allow', 'h-1']);
  expect(held.headers.get('budget-left')).toBe('0.005');
  const denied = await reserve('h-2');
  expect([denied.status, denied.json.verdict, denied.json.hold_id]).toEqual([402, 'deny', null]);
  expect({
    id: denied.headers.get('budget-id'),
    limit: denied.headers.get('budget-limit'),
    held: denied.headers.get('budget-held'),
    spent: denied.headers.get('budget-spent'),
    retry: denied.headers.get('retry-after'),
  }).toEqual({
    id: budget.json.budget_id,
    ...{ limit: '0.02', held: '0.015', spent: '0', retry: '2' },
  });
  const checked = await api.ask('/v1/budgets/check', key, { json: call });
  expect([checked.status, checked.json.verdict]).toEqual([402, 'deny']);
  // The event of the call comes to 0.0042, and settles its hold.
  const event = nativeEvent({ event_id: 'held', feature: 'chat', hold_id: 'h-1' });
  const occurred_at = new Date().toISOString();
  await api.ask('/v1/events', key, { json: { ...event, occurred_at } });
  await foldAll(database, Date.now);
  const next = await reserve('h-3');
  expect([next.status, next.headers.get('budget-spent')]).toEqual([200, '0.0042']);
  const released = await api.ask('/v1/budgets/holds/h-3/release', key, { json: {} });
  expect([released.status, released.json.state]).toEqual([200, 'released']);
  const settled = await api.ask('/v1/budgets/holds/h-1/release', key, { json: {} });
  expect(settled.json).toMatchObject({ state: 'settled', settled_by: { event_id: 'held' } });
  const unknown = await api.ask('/v1/budgets/holds/h-9/release', key, { json: {} });
  expect(unknown.status).toBe(404);
});

it('reports of drift, counts and leavers, the laws, seals and pools have routes', async () => {
  const reader = await api.key('reader');
  const asked = [
    '/v1/reports/cost-drift',
    '/v1/reports/counts',
    '/v1/reports/leavers',
    '/v1/seals',
    '/v1/allocations',
  ];
  for (const path of asked)
    expect([path, (await api.ask(path, reader)).status]).toEqual([path, 200]);
  const verified = await api.ask('/v1/verifications', admin, { json: { scope: 'full' } });
  expect(verified.json).toMatchObject({ scope: 'full', holds: true });
  const pool = { pool: 'gpu', month: new Date().toISOString().slice(0, 7), amount: '9' };
  const shares = await api.ask('/v1/allocations', admin, {
    json: { ...pool, by: 'activity', dry_run: true, reason: 'a trial' },
  });
  expect([shares.status, shares.json.amount]).toEqual([200, '9']);
});
