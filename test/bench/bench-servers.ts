import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { systemClock } from '../../src/clock.ts';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import { migrate } from '../../src/database/migrate.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/demo/embedded-postgres.ts';
import { importPriceBook } from '../../src/rating/books/price-book-store.ts';
import { benchPriceBooks, CLEAN, type Traffic } from './bench-events.ts';
import type { QueueAnswer, QueueOrder } from './queue-process.ts';

/** The servers of one benchmark: a Postgres as it comes, and a queue in a process of its own. */
export interface Servers {
  readonly endpoint: string;
  readonly postgresVersion: string;
  urlOf(database: string): string;
  /** A fresh database with schema, prices and so many tenants; an older one of that name goes. */
  createDatabase(name: string, tenants: number): Promise<string>;
  /** The same as a copy of another one, to which nobody is connected. */
  copyDatabase(from: string, to: string): Promise<void>;
  dropDatabase(name: string): Promise<void>;
  hasDatabase(name: string): Promise<boolean>;
  renameDatabase(from: string, to: string): Promise<void>;
  /** Bytes on disk. */
  sizeOf(name: string): Promise<number>;
  countEntries(name: string): Promise<number>;
  /** Writes out what earlier runs left dirty, so that no later run pays for it. */
  checkpoint(): Promise<void>;
  /** Makes a queue with so many events in it. */
  fillQueue(queue: string, events: number, traffic: Traffic): Promise<FilledQueue>;
  /** Makes a queue that is filled until it is dropped: at a rate, or as fast as it is emptied. */
  feedQueue(queue: string, perSecond: number | null): Promise<string>;
  /** Removes the queue; returns how many messages were left in it. */
  dropQueue(queue: string): Promise<number>;
  stop(): Promise<void>;
}

export interface FilledQueue {
  readonly queueUrl: string;
  /** That a ledger holds which took all of it. */
  readonly entries: number;
}

const TEMPLATE = 'bench_template';

/** With the address of another Postgres the databases are made there, and those that nobody drops stay. */
export async function startServers(postgresUrl: string | null = null): Promise<Servers> {
  // No settings: durability is the default, a commit is on disk when it answers.
  const postgres = postgresUrl === null ? await startEmbeddedPostgres() : runningAt(postgresUrl);
  await makeTemplate(postgres.url, postgres.urlOf(TEMPLATE));
  const admin = new pg.Client({ connectionString: postgres.url });
  await admin.connect();
  const { rows } = await admin.query<{ server_version: string }>('show server_version');
  const queues = fork(fileURLToPath(new URL('queue-process.ts', import.meta.url)));
  const { endpoint } = await expectAnswer(queues, 'ready');
  const dropDatabase = async (name: string) => {
    await admin.query(`drop database if exists ${name} with (force)`);
  };
  return {
    endpoint,
    postgresVersion: rows[0]?.server_version ?? '',
    urlOf: postgres.urlOf,
    async createDatabase(name, tenants) {
      await dropDatabase(name);
      await admin.query(`create database ${name} template ${TEMPLATE}`);
      await createTenants(postgres.urlOf(name), tenants);
      return postgres.urlOf(name);
    },
    dropDatabase,
    async hasDatabase(name) {
      const found = await admin.query('select from pg_database where datname = $1', [name]);
      return found.rows.length > 0;
    },
    async renameDatabase(from, to) {
      await admin.query(`alter database ${from} rename to ${to}`);
    },
    async copyDatabase(from, to) {
      await dropDatabase(to);
      await admin.query(`create database ${to} template ${from}`);
    },
    async sizeOf(name) {
      const sized = await admin.query<{ size: string }>('select pg_database_size($1) as size', [
        name,
      ]);
      return Number(sized.rows[0]?.size);
    },
    countEntries: (name) => countEntries(postgres.urlOf(name)),
    async checkpoint() {
      await admin.query('checkpoint');
    },
    async fillQueue(queue, events, traffic) {
      const filled = expectAnswer(queues, 'filled');
      order(queues, { kind: 'fill', queue, events, traffic });
      return filled;
    },
    async feedQueue(queue, perSecond) {
      const filled = expectAnswer(queues, 'filled');
      order(queues, { kind: 'feed', queue, perSecond, traffic: CLEAN });
      return (await filled).queueUrl;
    },
    async dropQueue(queue) {
      const dropped = expectAnswer(queues, 'dropped');
      order(queues, { kind: 'drop', queue });
      return (await dropped).left;
    },
    async stop() {
      queues.disconnect();
      await admin.end();
      await postgres.stop();
    },
  };
}

function runningAt(url: string): EmbeddedPostgres {
  return {
    url,
    urlOf(database) {
      const at = new URL(url);
      at.pathname = `/${database}`;
      return at.href;
    },
    async stop() {},
  };
}

async function makeTemplate(adminUrl: string, templateUrl: string): Promise<void> {
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  await admin.query(`drop database if exists ${TEMPLATE}`);
  await admin.query(`create database ${TEMPLATE}`);
  await admin.end();
  const database = openDatabase({ url: templateUrl, connections: 2, onConnectionLost() {} });
  await migrate(database);
  for (const book of benchPriceBooks()) await importPriceBook(database, book, systemClock());
  await closeDatabase(database);
}

/** The tenants are there before their events, as they are in a running system. */
async function createTenants(url: string, tenants: number): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(
    `insert into tenants (tenant_id, created_at)
     select 'tenant-' || lpad(n::text, 6, '0'), now() from generate_series(0, $1 - 1) n`,
    [tenants],
  );
  await client.end();
}

async function countEntries(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ count: string }>('select count(*) from entries');
  await client.end();
  return Number(rows[0]?.count);
}

function order(queues: ChildProcess, message: QueueOrder): void {
  queues.send(message);
}

function expectAnswer<Kind extends QueueAnswer['kind']>(
  queues: ChildProcess,
  kind: Kind,
): Promise<Extract<QueueAnswer, { kind: Kind }>> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`the queue server ended with ${code}`));
    queues.once('exit', ended);
    queues.once('message', (answer: QueueAnswer) => {
      queues.off('exit', ended);
      if (isKind(answer, kind)) resolve(answer);
      else reject(new Error(`the queue server answered ${answer.kind} instead of ${kind}`));
    });
  });
}

function isKind<Kind extends QueueAnswer['kind']>(
  answer: QueueAnswer,
  kind: Kind,
): answer is Extract<QueueAnswer, { kind: Kind }> {
  return answer.kind === kind;
}
