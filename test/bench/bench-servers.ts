import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { systemClock } from '../../src/clock.ts';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import { migrate } from '../../src/database/migrate.ts';
import { startEmbeddedPostgres } from '../../src/demo/embedded-postgres.ts';
import { importPriceBook } from '../../src/rating/price-book-store.ts';
import { benchPriceBooks } from './bench-events.ts';
import type { QueueAnswer, QueueOrder } from './queue-process.ts';

/** The servers of one benchmark: a Postgres as it comes, and a queue in a process of its own. */
export interface Servers {
  readonly endpoint: string;
  readonly postgresVersion: string;
  urlOf(database: string): string;
  /** A fresh database with schema and prices; an older one of that name goes. */
  createDatabase(name: string): Promise<string>;
  dropDatabase(name: string): Promise<void>;
  countEntries(name: string): Promise<number>;
  /** Writes out what earlier runs left dirty, so that no later run pays for it. */
  checkpoint(): Promise<void>;
  fillQueue(queue: string, events: number, shape: 'packed' | 'single'): Promise<string>;
  /** Removes the queue; returns how many messages were left in it. */
  dropQueue(queue: string): Promise<number>;
  stop(): Promise<void>;
}

const TEMPLATE = 'bench_template';

export async function startServers(): Promise<Servers> {
  // No settings: durability is the default, a commit is on disk when it answers.
  const postgres = await startEmbeddedPostgres();
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
    async createDatabase(name) {
      await dropDatabase(name);
      await admin.query(`create database ${name} template ${TEMPLATE}`);
      return postgres.urlOf(name);
    },
    dropDatabase,
    countEntries: (name) => countEntries(postgres.urlOf(name)),
    async checkpoint() {
      await admin.query('checkpoint');
    },
    async fillQueue(queue, events, shape) {
      const filled = expectAnswer(queues, 'filled');
      order(queues, { kind: 'fill', queue, events, shape });
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

async function makeTemplate(adminUrl: string, templateUrl: string): Promise<void> {
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  await admin.query(`create database ${TEMPLATE}`);
  await admin.end();
  const database = openDatabase({ url: templateUrl, connections: 2, onConnectionLost() {} });
  await migrate(database);
  for (const book of benchPriceBooks()) await importPriceBook(database, book, systemClock());
  // The tenants are there before their events, as they are in a running system.
  await database.pool.query(
    `insert into tenants (tenant_id, created_at)
     select 'tenant-' || lpad(n::text, 3, '0'), now() from generate_series(0, 59) n`,
  );
  await closeDatabase(database);
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
