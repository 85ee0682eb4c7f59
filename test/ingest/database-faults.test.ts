import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { migrate } from '../../src/database/migrate.ts';
import { makeRoles } from '../../src/database/roles.ts';
import type { QueueClient } from '../../src/ingest/queue-client.ts';
import type { PatienceLimits } from '../../src/ingest/worker/patience.ts';
import { cli } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { count, freshDatabase, reopen } from '../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../support/ledger.ts';
import { makeLogin } from '../support/login.ts';
import type { TestQueue } from '../support/queue.ts';
import { freshQueue } from '../support/queue.ts';
import { brokenLaws, rememberedLog, work } from '../support/worker.ts';

const EVENTS = 40;
/** Three tries are enough to see that there is no fourth. */
const SHORT: PatienceLimits = { tries: 3, pauseMs: () => 20 };

async function ready() {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  const queue = await freshQueue();
  const events = Array.from({ length: EVENTS }, (_, n) => nativeEvent({ event_id: `e-${n}` }));
  await queue.sendAll(events.map((event) => JSON.stringify(event)));
  return { database, queue };
}

/** A pool whose sessions have these settings, as an operator gives them in DATABASE_URL. */
function withSettings(database: TestDatabase, settings: string): Database {
  return reopen(`${database.url}?options=${encodeURIComponent(settings)}`);
}

async function urlOfLogin(
  database: TestDatabase,
  role: 'spanledger_worker' | 'spanledger_reader',
): Promise<string> {
  const login = await makeLogin(database, role);
  onTestFinished(login.drop);
  return login.url;
}

/** The queue, with a deed before its first receive: the worker has begun, and holds nothing yet. */
function beforeFirstReceive(queue: QueueClient, deed: () => Promise<unknown>): QueueClient {
  let done: Promise<unknown> | null = null;
  return {
    ...queue,
    async receive(options) {
      done ??= deed();
      await done;
      return queue.receive(options);
    },
  };
}

/** What must hold however the worker ended: no event was blamed, and every message can come again. */
async function expectNothingLost(database: TestDatabase, queue: TestQueue) {
  expect(await count(database, 'quarantine')).toBe(0);
  expect(await count(database, 'entries')).toBe(0);
  expect(await queue.client.depth()).toBe(EVENTS);
  const after = await work(database, queue.client);
  expect(after).toMatchObject({ posted: EVENTS, duplicate: 0, quarantined: 0 });
  expect(await brokenLaws(database)).toEqual([]);
}

describe('a database that refuses for a reason of its own', () => {
  it('ends the worker when a grant is taken away', async () => {
    const { database, queue } = await ready();
    await makeRoles(database);
    const worker = reopen(await urlOfLogin(database, 'spanledger_worker'));
    const revoke = () => database.pool.query('revoke insert on entries from spanledger_worker');
    const revoked = beforeFirstReceive(queue.client, revoke);
    await expect(work(worker, revoked, { patience: SHORT })).rejects.toMatchObject({
      kind: 'not_permitted',
      message: expect.stringContaining('permission denied for table entries (SQLSTATE 42501)'),
    });
    await makeRoles(database);
    await expectNothingLost(database, queue);
  });

  it('ends the worker when a column is not there', async () => {
    const { database, queue } = await ready();
    const rename = 'alter table entries rename column feature to gone';
    const renamed = beforeFirstReceive(queue.client, () => database.pool.query(rename));
    await expect(work(database, renamed, { patience: SHORT })).rejects.toMatchObject({
      kind: 'not_migrated',
      message: expect.stringContaining('SQLSTATE 42703'),
    });
    await database.pool.query('alter table entries rename column gone to feature');
    await expectNothingLost(database, queue);
  });

  it('ends the worker when a sequence gives numbers once more', async () => {
    const { database, queue } = await ready();
    for (const event_id of ['b-1', 'b-2'])
      await receiveEvents(database, [nativeEvent({ event_id })]);
    const { pool } = database;
    // However often it is asked, it gives the number of a batch that is there.
    await pool.query('alter sequence batches_batch_id_seq maxvalue 2 cycle restart with 1');
    await expect(work(database, queue.client, { patience: SHORT })).rejects.toMatchObject({
      message: expect.stringContaining('batches_pkey'),
    });
    await pool.query('alter sequence batches_batch_id_seq no maxvalue no cycle restart with 3');
    expect(await count(database, 'quarantine')).toBe(0);
    expect(await work(database, queue.client)).toMatchObject({ posted: EVENTS, quarantined: 0 });
    expect(await brokenLaws(database)).toEqual([]);
  });

  it('ends the worker when the server only reads', async () => {
    const { database, queue } = await ready();
    const worker = withSettings(database, '-c default_transaction_read_only=on');
    await expect(work(worker, queue.client, { patience: SHORT })).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('SQLSTATE 25006'),
    });
    await expectNothingLost(database, queue);
  });

  it('ends the worker when every statement is timed out, and tells it once', async () => {
    const { database, queue } = await ready();
    const unlock = await lockEntries(database);
    const worker = withSettings(database, '-c statement_timeout=300');
    const { log, messages } = rememberedLog();
    await expect(work(worker, queue.client, { log, patience: SHORT })).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(/after 3 tries: .*\(SQLSTATE 57014\)/),
    });
    const told = messages().filter((message) => message === 'database refuses; receiving stopped');
    expect(told).toHaveLength(1);
    await unlock();
    await expectNothingLost(database, queue);
  });

  it('is waited for, and what waited is posted once when it passes', async () => {
    const { database, queue } = await ready();
    const unlock = await lockEntries(database);
    const worker = withSettings(database, '-c statement_timeout=300');
    const { log, messages } = rememberedLog();
    const patience = { tries: 1_000, pauseMs: () => 20 };
    const working = work(worker, queue.client, { log, patience });
    await vi.waitFor(() => expect(messages()).toContain('database refuses; receiving stopped'), {
      timeout: 20_000,
    });
    // At most one receive is risked before anything was recorded.
    expect(await queue.client.depth()).toBe(EVENTS);
    await unlock();
    expect(await working).toMatchObject({ posted: EVENTS, duplicate: 0, quarantined: 0 });
    expect(messages()).toContain('database back');
    expect(await count(database, 'quarantine')).toBe(0);
  });

  it('keeps what is in hand from every other worker, for as long as it lasts', async () => {
    const { database, queue } = await ready();
    const unlock = await lockEntries(database);
    const worker = withSettings(database, '-c statement_timeout=300');
    const [received, extended] = [new Set<string>(), new Set<string>()];
    const watched: QueueClient = {
      ...queue.client,
      async receive(options) {
        const messages = await queue.client.receive(options);
        for (const { receiptHandle } of messages) received.add(receiptHandle);
        return messages;
      },
      setVisibility(handles, seconds) {
        if (seconds > 0) for (const handle of handles) extended.add(handle);
        return queue.client.setVisibility(handles, seconds);
      },
    };
    const patience = { tries: 1_000, pauseMs: () => 20 };
    const working = work(worker, watched, { patience });
    // A message is visible again after 30 s, and each receipt brings it nearer to the dead letters.
    await vi
      .waitFor(
        () => {
          expect(received.size).toBeGreaterThan(0);
          expect(extended).toEqual(received);
        },
        { timeout: 25_000, interval: 100 },
      )
      .finally(unlock);
    expect(await working).toMatchObject({ messages: EVENTS, posted: EVENTS, duplicate: 0 });
  });

  it('costs each restart of the worker one receive of ten messages, and not the whole queue', async () => {
    const { database, queue } = await ready();
    const worker = withSettings(database, '-c default_transaction_read_only=on');
    let received = 0;
    const counted: QueueClient = {
      ...queue.client,
      async receive(options) {
        const messages = await queue.client.receive(options);
        received += messages.length;
        return messages;
      },
    };
    const working = work(worker, counted, { patience: SHORT, pollers: 4 });
    await expect(working).rejects.toMatchObject({ kind: 'unavailable' });
    expect(received).toBeGreaterThan(0);
    expect(received).toBeLessThanOrEqual(10);
  });
});

/** Nobody writes entries until the lock is given back. */
async function lockEntries(database: Database): Promise<() => Promise<void>> {
  const client = await database.pool.connect();
  await client.query('begin');
  await client.query('lock table entries in exclusive mode');
  let isLocked = true;
  const unlock = async () => {
    if (!isLocked) return;
    isLocked = false;
    await client.query('rollback');
    client.release();
  };
  onTestFinished(unlock);
  return unlock;
}

describe('a worker that may not do its work', () => {
  /** A user of the server with the worker's role, as infra/README.md makes one. */
  async function userOf(database: TestDatabase): Promise<{ name: string; url: string }> {
    await makeRoles(database);
    const name = `ingest_${database.name.slice(-12)}`;
    await database.pool.query(`create role ${name} login password 'secret'`);
    await database.pool.query(`grant spanledger_worker to ${name}`);
    onTestFinished(async () => {
      await database.pool.query(`drop owned by ${name}`);
      await database.pool.query(`drop role ${name}`);
    });
    const url = new URL(database.url);
    url.username = name;
    url.password = 'secret';
    return { name, url: url.href };
  }

  it('is refused where row-level security applies to its session, and told the remedy', async () => {
    const { database, queue } = await ready();
    const { name, url } = await userOf(database);
    const environment = { ...queue.environment, DATABASE_URL: url };
    const { exitCode, stderr } = await cli(['worker', '--until-empty'], environment);
    expect(stderr).toContain(`row-level security applies to the database's user ${name}`);
    expect(stderr).toContain(`"alter role ${name} bypassrls"`);
    expect(stderr).not.toContain('options=');
    expect(exitCode).toBe(3);
    await expectNothingLost(database, queue);
  });

  it('recovers once the remedy is applied', async () => {
    const { database, queue } = await ready();
    const { name, url } = await userOf(database);
    await database.pool.query(`alter role ${name} bypassrls`);
    const environment = { ...queue.environment, DATABASE_URL: url };
    const { exitCode, stdout } = await cli(['worker', '--until-empty', '--json'], environment);
    expect(JSON.parse(stdout)).toMatchObject({ posted: EVENTS, quarantined: 0 });
    expect(exitCode).toBe(0);
  });

  it('is refused by name for each thing that it may not do, before it receives anything', async () => {
    const { database, queue } = await ready();
    await makeRoles(database);
    const DATABASE_URL = await urlOfLogin(database, 'spanledger_reader');
    const environment = { ...queue.environment, DATABASE_URL };
    const { exitCode, stderr } = await cli(['worker', '--until-empty'], environment);
    expect(stderr).toContain('insert on entries');
    expect(stderr).toContain('spanledger migrate --roles');
    expect(exitCode).toBe(3);
    await expectNothingLost(database, queue);
  });

  it('is refused at once where there is no such database', async () => {
    const { database, queue } = await ready();
    const url = new URL(database.url);
    url.pathname = '/nowhere';
    const environment = { ...queue.environment, DATABASE_URL: url.href };
    const { exitCode, stderr } = await cli(['worker', '--until-empty'], environment);
    expect(stderr).toContain('DATABASE_URL names a database that is not there');
    expect(exitCode).toBe(2);
  });

  it('is refused where the database is not migrated', async () => {
    const database = await freshDatabase({ schema: 'empty' });
    const queue = await freshQueue();
    const environment = { ...queue.environment, DATABASE_URL: database.url };
    const { exitCode, stderr } = await cli(['worker', '--until-empty'], environment);
    expect(stderr).toContain('run "spanledger migrate"');
    expect(exitCode).toBe(3);
  });

  it('is refused where a migration of its version was not applied, and receives nothing', async () => {
    // given a schema with every table of this version, and without what its last migration added to one
    const database = await freshDatabase();
    const queue = await freshQueue();
    await queue.sendAll([JSON.stringify(nativeEvent({ event_id: 'waits' }))]);
    await database.pool.query(
      `delete from schema_migrations where name = (select max(name) from schema_migrations)`,
    );
    const environment = { ...queue.environment, DATABASE_URL: database.url };
    const { exitCode, stderr } = await cli(['worker', '--until-empty'], environment);
    expect(stderr).toMatch(
      /the schema of the database is older than this worker, and lacks \d{4}-/,
    );
    expect(stderr).toContain('run "spanledger migrate"');
    expect(exitCode).toBe(3);
    expect(await queue.client.depth()).toBe(1);
  });

  it('waits for the migration where it was told to, and then ends with the reason', async () => {
    const database = await freshDatabase({ schema: 'empty' });
    const queue = await freshQueue();
    const environment = { ...queue.environment, DATABASE_URL: database.url };
    const waiting = ['worker', '--until-empty', '--migration-wait', '1'];
    const { exitCode, stderr } = await cli(waiting, environment);
    expect(stderr.match(/waiting for the migration/g)).toHaveLength(1);
    expect(stderr).toContain('run "spanledger migrate"');
    expect(exitCode).toBe(3);
  });

  it('consumes once the migration and its login are there, for which it was told to wait', async () => {
    // given a worker that is deployed before the task that migrates and makes its login
    const database = await freshDatabase({ schema: 'empty', connections: 4 });
    const queue = await freshQueue();
    await queue.sendAll([JSON.stringify(nativeEvent({ event_id: 'first' }))]);
    const user = `late_${Date.now()}`;
    const url = new URL(database.url);
    url.username = user;
    const { log, messages } = rememberedLog();
    const early = reopen(url.href);
    const running = work(early, queue.client, { log, migrationMs: 60_000 });
    await vi.waitFor(() => expect(messages()).toContain('waiting for the migration'), 30_000);
    await migrate(database);
    await makeRoles(database);
    await database.pool.query(`create role ${user} login bypassrls in role spanledger_worker`);
    onTestFinished(async () => {
      await database.pool.query(`drop role ${user}`);
    });
    expect(await running).toMatchObject({ posted: 1 });
  });
});
