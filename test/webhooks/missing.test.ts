import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import { MIGRATIONS } from '../../src/database/migrate.ts';
import { dismissQuarantine } from '../../src/ingest/quarantine/dismiss-quarantine.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { openLog } from '../../src/log.ts';
import type { MissingThing } from '../../src/month/completeness/missing-answer.ts';
import { raiseAlert } from '../../src/push/alert-store.ts';
import { gatherEvents } from '../../src/webhooks/gather-events.ts';
import { addEndpoint } from '../../src/webhooks/manage-endpoints.ts';
import { putBudget } from '../support/budgets.ts';
import { createDatabase, resetTables, type TestDatabase } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';

/** What keeps a month from being whole, as receivers hear of it: when it begins, and when it comes again. */

let database: TestDatabase;
let drop: () => Promise<void>;
let now: string;
let heard: bigint;

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
});

beforeEach(async () => {
  await resetTables(database);
  now = '2026-10-20T12:00:00Z';
  heard = 0n;
  await importBooks(database, 'standard', 'cost');
  for (const tenant of ['acme', 'globex']) await makeTenant(database, tenant);
  const endpoint = { url: 'http://127.0.0.1:1/', events: null, actor: 'ada' };
  await addEndpoint(parts(), endpoint);
});

afterAll(() => drop());

const parts = () => ({
  ...{ database, log: openLog('silent'), allowsPrivateWebhooks: true },
  clock: () => parseInstant(now),
});

/** Looks a day later; answers what is told by this look. */
async function look(): Promise<readonly MissingThing[]> {
  now = new Date(parseInstant(now) + 24 * 60 * 60 * 1000).toISOString();
  const found = await gatherEvents(parts(), { withMissing: true });
  const { rows } = await database.pool.query<{ event_id: bigint; data: MissingThing }>(
    "select event_id, data from webhook_events where kind = 'month.incomplete' and event_id > $1 order by event_id",
    [heard],
  );
  heard = rows.at(-1)?.event_id ?? heard;
  expect(rows).toHaveLength(found);
  return rows.map(({ data }) => data);
}

const broken = (id: string, change: object = {}) =>
  nativeEvent({ event_id: id, attempt: 0, ...change });

const ids = (count: number, prefix: string) =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

async function dismissAll(): Promise<void> {
  const { rows } = await database.pool.query<{ quarantine_id: bigint }>(
    'select quarantine_id from quarantine where dismissed_at is null',
  );
  const numbers = rows.map(({ quarantine_id: id }) => id);
  const request = { quarantine_ids: numbers, reason: 'looked at', actor: 'ada' };
  await dismissQuarantine(parts(), request);
}

const underTwo = (id: string) =>
  ['acme', 'globex'].map((tenant) => nativeEvent({ event_id: id, tenant_id: tenant }));

it('each event that stands under two tenants is told, once', async () => {
  await receiveEvents(database, [...underTwo('x1'), ...underTwo('x2')], now);
  expect((await look()).map(({ detail }) => detail)).toEqual([
    expect.stringContaining('event "x1"'),
    expect.stringContaining('event "x2"'),
  ]);
  await receiveEvents(database, underTwo('x3'), now);
  expect(await look()).toMatchObject([{ detail: expect.stringContaining('event "x3"') }]);
  expect(await look()).toEqual([]);
});

it('many events under two tenants at one look are one message, with what they come to', async () => {
  await receiveEvents(database, ids(12, 'x').flatMap(underTwo), now);
  // Each is charged 0.0042 to each of the two.
  expect(await look()).toMatchObject([
    {
      ...{ kind: 'under_two_tenants', count: 24, amount: '0.1008', currency: 'USD' },
      detail: expect.stringMatching(/^event "x0" .*; and 7 more like these$/),
    },
  ]);
  expect(await look()).toEqual([]);
});

it('events in quarantine are told when they begin to wait, and again when others come after them', async () => {
  await receiveEvents(database, [broken('q1')], now);
  expect(await look()).toMatchObject([{ kind: 'quarantined', tenant_id: 'acme', count: 1 }]);
  await dismissAll();
  expect(await look()).toEqual([]);
  await receiveEvents(
    database,
    ids(5, 'qq').map((id) => broken(id)),
    now,
  );
  expect(await look()).toMatchObject([{ kind: 'quarantined', tenant_id: 'acme', count: 5 }]);
});

it('a count that grows is no news, but what is ten times as many is', async () => {
  const counts: number[] = [];
  for (let count = 1; count <= 12; count += 1) {
    await receiveEvents(database, [broken(`q${count}`)], now);
    counts.push(...(await look()).map((thing) => thing.count));
  }
  expect(counts).toEqual([1, 10]);
});

it('another reason, another month and another model are news, and those that are known are not', async () => {
  await receiveEvents(database, [broken('q1')], now);
  expect(await look()).toHaveLength(1);
  await receiveEvents(database, [broken('q2', { occurred_at: '2026-09-15T12:00:00Z' })], now);
  expect(await look()).toMatchObject([{ kind: 'quarantined', count: 2 }]);
  await receiveEvents(database, [nativeEvent({ event_id: 'q3', requested_model: 7 })], now);
  await receiveEvents(database, [nativeEvent({ requested_model: 'new-1' })], now);
  expect((await look()).map(({ kind }) => kind)).toEqual(
    expect.arrayContaining(['unrated', 'without_cost']),
  );
  await receiveEvents(
    database,
    [nativeEvent({ event_id: 'evt-2', requested_model: 'new-1' })],
    now,
  );
  expect(await look()).toEqual([]);
  await receiveEvents(
    database,
    [nativeEvent({ event_id: 'evt-3', requested_model: 'new-2' })],
    now,
  );
  expect((await look()).map(({ kind }) => kind).toSorted()).toEqual(['unrated', 'without_cost']);
});

it('models whose names change with every call are no message for each look', async () => {
  const call = (model: string) => nativeEvent({ event_id: model, requested_model: model });
  await receiveEvents(database, ids(30, 'model-').map(call), now);
  expect(await look()).not.toEqual([]);
  await receiveEvents(database, ids(3, 'other-').map(call), now);
  expect(await look()).toEqual([]);
});

it('several that look at once tell each thing once', async () => {
  await receiveEvents(database, underTwo('x1'), now);
  const found = await Promise.all(
    [1, 2, 3].map(() => gatherEvents(parts(), { withMissing: true })),
  );
  expect(found.toSorted()).toEqual([0, 0, 1]);
});

it('what was told by an earlier version is not told anew, but for what its keys did not tell apart', async () => {
  await receiveEvents(
    database,
    [
      nativeEvent({ requested_model: 'new-1' }),
      nativeEvent({ event_id: 'evt-2', tenant_id: 'nobody "knows" it' }),
      ...[broken('q1'), ...underTwo('x1'), ...underTwo('x2')],
    ],
    now,
  );
  const about = { tenantId: 'acme', periodStart: '2026-10-01' };
  const alert = { kind: 'invoice_void', subject: 'in_1', detail: 'it is void', ...about } as const;
  await raiseAlert(database, alert, parts().clock());
  await putBudget(database, { tenant_id: 'acme', amount: '0.004', thresholds: [80] }, now);
  await putBudget(database, { tenant_id: 'acme', tokens: 1_000, thresholds: [80] }, now);
  await foldAll(database, parts().clock);
  await gatherEvents(parts(), { withMissing: true });
  await database.pool.query(`drop table webhook_missing;
    delete from webhook_deliveries; delete from webhook_events where data->>'detail' like 'event "x2"%';
    update webhook_events set event_key = 'month.incomplete ' || replace(json_build_array(data->>'kind',
      data->>'tenant_id', data->>'period_start', '')::text, ', ', ',') where kind = 'month.incomplete';
    update webhook_events set event_key = regexp_replace(event_key, ' \\S+ \\S+$', '') where kind like 'budget.%'`);
  const before = await database.pool.query<{ event_id: bigint; kind: string }>(
    'select event_id, kind from webhook_events order by event_id',
  );
  expect(before.rows.filter(({ kind }) => kind === 'budget.threshold')).toHaveLength(2);
  heard = before.rows.at(-1)?.event_id ?? 0n;
  await database.pool.query(await readFile(`${MIGRATIONS}0076-missing-until-it-ends.sql`, 'utf8'));
  expect((await look()).map(({ kind }) => kind)).toEqual([
    ...['quarantined', 'under_two_tenants', 'under_two_tenants'],
  ]);
  expect(await look()).toEqual([]);
  await receiveEvents(
    database,
    [nativeEvent({ event_id: 'evt-3', requested_model: 'new-2' })],
    now,
  );
  expect((await look()).map(({ kind }) => kind).toSorted()).toEqual(['unrated', 'without_cost']);
});
