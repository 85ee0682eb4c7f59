import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { openQueueKeeper } from '../../src/ingest/taking/queue-keeper.ts';
import { openLog } from '../../src/log.ts';
import { type Api, freshApi } from '../support/api.ts';
import { count, createDatabase, type TestDatabase } from '../support/database.ts';
import { importBooks, nativeEvent } from '../support/ledger.ts';
import { freshQueue } from '../support/queue.ts';
import { openQueueProxy } from '../support/queue-proxy.ts';
import { brokenLaws, work } from '../support/worker.ts';

/** The queue is away, and what the server accepts meanwhile lies on its disk. */

let database: TestDatabase;
let drop: () => Promise<void>;

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  await importBooks(database, 'standard', 'cost');
});
afterAll(() => drop());

async function openAway(mostBytes: number) {
  const folder = await mkdtemp(join(tmpdir(), 'spanledger-away-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const queue = await freshQueue();
  const proxy = await openQueueProxy(queue.endpoint);
  const open = async (endpoint: string): Promise<Api> => {
    const address = { queueUrl: queue.queueUrl, endpoint, region: null };
    const keeper = openQueueKeeper({
      ...{ ...address, log: openLog('silent'), disk: { folder, mostBytes } },
    });
    return freshApi(database, { keeper });
  };
  return { folder, queue, proxy, open };
}

const events = (prefix: string, size = 3) =>
  Array.from({ length: size }, (_, index) =>
    nativeEvent({
      ...{ event_id: `${prefix}-${index}`, user_id: 'Zoë', feature: 'f'.repeat(150) },
      occurred_at: new Date().toISOString(),
    }),
  );

it('is accepted, and in the ledger once when the queue is back, though the server ended meanwhile', async () => {
  const { folder, queue, proxy, open } = await openAway(64_000_000);
  const first = await open(proxy.endpoint);
  const key = await first.key('ingest');
  const sent = events('away');
  proxy.cut();
  for (const json of [sent.slice(0, 2), sent.slice(2), sent[0]]) {
    const { status, json: answer } = await first.ask('/v1/events', key, { json });
    expect([status, answer.events[0].outcome]).toEqual([202, 'accepted']);
  }
  const figures = (await first.ask('/metrics', null)).text;
  expect(Number(/^spanledger_ingest_disk_bytes (\d+)$/m.exec(figures)?.[1])).toBeGreaterThan(500);
  await first.close();
  expect((await readdir(folder)).length).toBeGreaterThan(0);

  const second = await open(queue.endpoint);
  await expect.poll(() => readdir(folder), { timeout: 10_000 }).toEqual([]);
  await work(database, queue.client);
  expect(await count(database, "entries where event_id like 'away-%' and user_id = 'Zoë'")).toBe(3);
  const direct = await second.ask('/v1/events', key, { json: events('back') });
  expect(direct.status).toBe(202);
  await work(database, queue.client);
  expect(await count(database, "entries where event_id like 'back-%'")).toBe(3);
  expect(await brokenLaws(database)).toEqual([]);
});

it('is refused with a time to come again once the disk is full, and what was accepted is there', async () => {
  const { queue, proxy, open } = await openAway(120_000);
  const api = await open(proxy.endpoint);
  const key = await api.key('ingest');
  proxy.cut();
  const statuses: number[] = [];
  let retryAfter: string | null = null;
  for (let request = 0; statuses.at(-1) !== 503 && request < 20; request += 1) {
    const answer = await api.ask('/v1/events', key, { json: events(`full-${request}`, 40) });
    statuses.push(answer.status);
    retryAfter = answer.headers.get('retry-after');
  }
  const accepted = statuses.filter((status) => status === 202).length;
  expect([accepted > 2, statuses.at(-1), Number(retryAfter) > 0]).toEqual([true, 503, true]);
  proxy.restore();
  const onDisk = async () =>
    Number(/_disk_bytes (\d+)$/m.exec((await api.ask('/metrics', null)).text)?.[1]);
  await expect.poll(onDisk, { timeout: 15_000, interval: 200 }).toBe(0);
  await work(database, queue.client);
  expect(await count(database, "entries where event_id like 'full-%'")).toBe(accepted * 40);
});
