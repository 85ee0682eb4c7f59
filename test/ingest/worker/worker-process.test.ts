import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { CliProcess } from '../../support/cli.ts';
import { startCli } from '../../support/cli.ts';
import type { TestDatabase } from '../../support/database.ts';
import { count, freshDatabase } from '../../support/database.ts';
import { importBooks, nativeEvent } from '../../support/ledger.ts';
import type { TestQueue } from '../../support/queue.ts';
import { freshQueue, packBody } from '../../support/queue.ts';
import { openQueueProxy } from '../../support/queue-proxy.ts';
import { brokenLaws, receiptsOf, work } from '../../support/worker.ts';

const MESSAGES = 600;
const EVENTS_A_MESSAGE = 5;
const EVENTS = MESSAGES * EVENTS_A_MESSAGE;

async function ready() {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  const queue = await freshQueue();
  const packs = Array.from({ length: MESSAGES }, (_, pack) =>
    packBody(
      Array.from({ length: EVENTS_A_MESSAGE }, (_event, index) =>
        nativeEvent({ event_id: `${pack}-${index}`, tenant_id: `tenant-${pack % 5}` }),
      ),
    ),
  );
  await queue.sendAll(packs);
  return { database, queue };
}

function startWorker(
  database: TestDatabase,
  queue: TestQueue['environment'],
  ...flags: readonly string[]
) {
  const environment = { ...queue, DATABASE_URL: database.url, SPANLEDGER_LOG_LEVEL: 'warn' };
  return startCli(['worker', '--json', ...flags], environment);
}

/** Waits until the worker is in the middle: something is posted. Fails with its words if it ended. */
async function untilMidway(database: TestDatabase, worker: CliProcess) {
  const started = vi.waitFor(
    async () => expect(await count(database, 'entries')).toBeGreaterThan(0),
    { timeout: 30_000, interval: 5 },
  );
  const ended = worker.finished.then((result) => {
    throw new Error(`the worker ended early: ${JSON.stringify(result)}`);
  });
  await Promise.race([started, ended]);
}

describe('a worker process', () => {
  it('drains on SIGTERM: what it holds is finished and deleted, the rest stays', async () => {
    const { database, queue } = await ready();
    const worker = startWorker(database, queue.environment);
    await untilMidway(database, worker);

    worker.kill('SIGTERM');
    const { exitCode, stdout } = await worker.finished;

    expect(exitCode).toBe(0);
    const posted = await count(database, 'entries');
    expect(JSON.parse(stdout)).toMatchObject({ posted, duplicate: 0 });
    // Nothing was left in flight: whatever is not posted is there for the next one at once.
    await work(database, queue.client);
    expect(await receiptsOf(database)).toEqual({
      received: EVENTS,
      posted: EVENTS,
      duplicates: 0,
      conflicts: 0,
      quarantined: 0,
    });
    expect(await brokenLaws(database)).toEqual([]);
  });

  it('may be killed at any instant: the next one finishes, and every event is there once', async () => {
    // given a worker that dies in the middle, with messages received, committed and half deleted
    const { database, queue } = await ready();
    const proxy = await openQueueProxy(queue.endpoint);
    onTestFinished(() => proxy.stop());
    // The half minute for which a worker holds a message is not what is tested.
    proxy.holdFor(2);
    const environment = { ...queue.environment, AWS_ENDPOINT_URL_SQS: proxy.endpoint };
    const first = startWorker(database, environment);
    await untilMidway(database, first);
    first.kill('SIGKILL');
    expect(await first.finished).toMatchObject({ signal: 'SIGKILL' });

    // when a second one waits for what the first still holds
    const second = startWorker(database, queue.environment, '--until-empty');
    const { exitCode } = await second.finished;

    // then the ledger is exact and law 1 holds
    expect(exitCode).toBe(0);
    expect(await count(database, 'entries')).toBe(EVENTS);
    expect(await queue.client.depth()).toBe(0);
    expect(await receiptsOf(database)).toMatchObject({ posted: EVENTS, conflicts: 0 });
    expect(await brokenLaws(database)).toEqual([]);
  });

  it('ends on SIGTERM though another process holds what its folds and seals wait for', async () => {
    const { database, queue } = await ready();
    const holder = await database.pool.connect();
    await holder.query('select pg_advisory_lock(7226002), pg_advisory_lock(7226003)');
    const worker = startWorker(database, queue.environment);
    await untilMidway(database, worker);
    worker.kill('SIGTERM');
    const { exitCode, stderr } = await worker.finished;
    await holder.query('select pg_advisory_unlock_all()');
    holder.release();
    expect(exitCode).toBe(0);
    expect(stderr).toContain('batches left to be folded or sealed');
    // The next one folds and seals what was left.
    await work(database, queue.client);
    expect(await receiptsOf(database)).toMatchObject({ posted: EVENTS, conflicts: 0 });
    expect(await brokenLaws(database)).toEqual([]);
  });

  it('shares the queue with others without a conflict or an event twice', async () => {
    const { database, queue } = await ready();
    const workers = [1, 2].map(() => startWorker(database, queue.environment, '--until-empty'));
    const ended = await Promise.all(workers.map((worker) => worker.finished));
    expect(ended.map((result) => result.exitCode)).toEqual([0, 0]);
    expect(await receiptsOf(database)).toMatchObject({
      posted: EVENTS,
      conflicts: 0,
      quarantined: 0,
    });
    expect(await brokenLaws(database)).toEqual([]);
  });
});
