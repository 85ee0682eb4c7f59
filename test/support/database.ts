import { randomUUID } from 'node:crypto';
import { Kysely, PostgresDialect } from 'kysely';
import type pg from 'pg';
import { inject, onTestFinished } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import type { SilenceLimits } from '../../src/database/silent-lines.ts';
import type { Tables } from '../../src/database/tables.ts';
import { present } from '../../src/present.ts';
import { copyOnCluster, dropOnCluster } from './cluster.ts';
import { TEMPLATE } from './global-setup.ts';
import { knowStatements } from './known-statements.ts';

/** A database that nobody else uses, migrated or empty. */
export interface TestDatabase extends Database {
  readonly name: string;
  readonly url: string;
  /** Whose one session brings its tables back to what they hold in a fresh database. */
  readonly keeper: Database;
}

export interface FreshOptions {
  /** `migrated` is a copy of the template; `empty` has no schema at all. */
  readonly schema?: 'migrated' | 'empty';
  /** Connections of the pool. Default 12, enough for eight tenants pushed at once. */
  readonly connections?: number;
}

/** Makes a database of its own for the test that calls, given back when the test is over. */
export async function freshDatabase(options: FreshOptions = {}): Promise<TestDatabase> {
  const { database, drop } = await createDatabase(options);
  onTestFinished(drop);
  return database;
}

/** Makes a database for a whole file: `beforeAll` creates, `afterAll` drops. */
export async function createDatabase(
  options: FreshOptions = {},
): Promise<{ readonly database: TestDatabase; readonly drop: () => Promise<void> }> {
  const { schema = 'migrated', connections = 12 } = options;
  const waiting = schema === 'migrated' ? takeWarm(connections) : null;
  const warm = waiting ?? (await openCold(schema, connections));
  const lent = lend(warm.opened);
  const drop = async () => {
    lent.end();
    const cluster = inject('cluster');
    if (cluster !== null) {
      await closeWarm(warm);
      await dropOnCluster(cluster, warm.name);
    } else if (await isWarmAsNew(warm)) await keepWarm(warm);
    else await giveBack(warm, await reset(warm.opened));
  };
  const { name, keeper } = warm;
  return { database: { ...lent.database, name, url: urlOf(name), keeper }, drop };
}

/** Makes a database of one Postgres, whatever the others of this run are on: what a cluster is compared with. */
export async function createPlainDatabase(): Promise<{
  readonly database: TestDatabase;
  readonly drop: () => Promise<void>;
}> {
  const name = `plain_${randomUUID().replaceAll('-', '')}`;
  const onPlain = (statement: string) => onServer((server) => server(statement), 'plainUrl');
  await onPlain(`create database ${name} template ${TEMPLATE}`);
  const url = urlOf(name, 'plainUrl');
  const opened = openDatabase({ url, connections: 12, onConnectionLost: () => {} });
  const keeper = openKeeper(url);
  const drop = async () => {
    await Promise.all([opened, keeper].map(closeDatabase));
    await onPlain(`drop database ${name} with (force)`);
  };
  return { database: { ...opened, name, url, keeper }, drop };
}

/** A database with the pool that its next test gets: what its sessions have read of the schema, they know. */
interface WarmDatabase {
  readonly name: string;
  readonly opened: Database;
  readonly connections: number;
  readonly keeper: Database;
}

/** Those of this worker that no test has now; with so few sessions that those of all workers fit on the server. */
const warmDatabases: WarmDatabase[] = [];
const MOST_WARM = 2;
const MOST_OPEN = 4;

function takeWarm(connections: number): WarmDatabase | null {
  const index = warmDatabases.findIndex((one) => one.connections === connections);
  return warmDatabases.splice(index, index < 0 ? 0 : 1)[0] ?? null;
}

async function openCold(schema: 'migrated' | 'empty', connections: number): Promise<WarmDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await onServer(async (server) => {
    if (schema === 'migrated') await takeMigrated(server, name);
    else await server(`create database ${name}`);
  });
  const url = urlOf(name);
  // A cluster has no plan for a tenant that it does not know yet.
  const planned =
    inject('cluster') === null ? withSetting(url, 'plan_cache_mode=force_generic_plan') : url;
  const opened = openDatabase({ url: planned, connections, onConnectionLost: () => {} });
  opened.pool.on('connect', knowStatements);
  return { name, connections, opened, keeper: openKeeper(url) };
}

/**
 * No trigger and no foreign key holds for its session, from the session's beginning: one that is told so later forgets
 * every plan, and so would those of the test.
 */
function openKeeper(url: string): Database {
  const keeping = withSetting(url, 'session_replication_role=replica');
  return openDatabase({ url: keeping, connections: 1, onConnectionLost: () => {} });
}

/** The address whose sessions have a setting from their beginning, which is what theirs is reset to. */
function withSetting(url: string, setting: string): string {
  const address = new URL(url);
  address.searchParams.set('options', `-c ${setting}`);
  return address.href;
}

async function closeWarm({ opened, keeper }: WarmDatabase): Promise<void> {
  await Promise.all([opened, keeper].map(closeDatabase));
}

/** The pool as one test has it: whatever of the test still runs after its end reaches no database. */
function lend({ pool }: Database): { readonly database: Database; readonly end: () => void } {
  const lent = Proxy.revocable(pool, {
    get(real, name) {
      const value: unknown = Reflect.get(real, name, real);
      return typeof value === 'function' ? value.bind(real) : value;
    },
  });
  const kysely = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: lent.proxy }) });
  return { database: { pool: lent.proxy, bare: lent.proxy, kysely }, end: lent.revoke };
}

/** Keeps the database for the next test of this worker; the one that waited longest goes to all workers. */
async function keepWarm(warm: WarmDatabase): Promise<void> {
  warmDatabases.push(warm);
  const [oldest] = warmDatabases;
  if (oldest === undefined || warmDatabases.length <= MOST_WARM) return;
  warmDatabases.shift();
  await giveBack(oldest, true);
}

async function giveBack(warm: WarmDatabase, isAsNew: boolean): Promise<void> {
  const { name } = warm;
  await closeWarm(warm);
  await onServer((server) =>
    isAsNew
      ? server('insert into idle_databases values ($1)', [name])
      : server(`drop database if exists ${name} with (force)`),
  );
}

/** Makes the database as new with its sessions open; false where that cannot be, or somebody else is in it. */
async function isWarmAsNew({ opened: { pool }, keeper }: WarmDatabase): Promise<boolean> {
  if (pool.ended || pool.idleCount < pool.totalCount) return false;
  const sessions: pg.PoolClient[] = [];
  try {
    const open = Math.max(1, pool.totalCount);
    for (let index = 0; index < open; index += 1) sessions.push(await pool.connect());
    const pids = await Promise.all(sessions.map(renew));
    return (await isAlone(keeper.pool, pids)) && (await bringBack(keeper.pool));
  } catch {
    return false;
  } finally {
    // The one that is taken first now is so the next time, too: it knows most.
    for (const session of sessions.splice(MOST_OPEN)) session.release(true);
    for (const session of sessions.reverse()) session.release();
  }
}

/** What `discard all` does, but for the plans: a reset of tables leaves those as good as they were. */
async function renew(session: pg.PoolClient): Promise<number> {
  await session.query(`close all; set session authorization default; reset all; unlisten *;
    select pg_advisory_unlock_all(); discard sequences; discard temp`);
  const { rows } = await session.query<{ pid: number }>('select pg_backend_pid() as pid');
  return present(rows[0], 'a session').pid;
}

/** Whether these are all sessions of their database; one that was closed just now has a moment to go. */
async function isAlone(keeper: pg.Pool, ours: readonly number[]): Promise<boolean> {
  const others = `select 1 from pg_stat_activity
    where datname = current_database() and backend_type = 'client backend'
      and pid <> pg_backend_pid() and pid <> all('{${ours.join(',')}}')`;
  await keeper.query(`do $$ begin
    for tries in 1 .. 50 loop
      perform pg_stat_clear_snapshot();
      exit when not exists (${others});
      perform pg_sleep(0.002);
    end loop;
  end $$`);
  return (await keeper.query(others)).rows.length === 0;
}

type Server = (
  statement: string,
  values?: readonly unknown[],
) => Promise<readonly Record<string, unknown>[]>;

/** One that another test gave back, under a new name so that nobody finds it by the old; else a copy. */
async function takeMigrated(server: Server, name: string): Promise<void> {
  const cluster = inject('cluster');
  if (cluster !== null) return copyOnCluster(cluster, { from: TEMPLATE, to: name });
  const [idle] = await server(
    `delete from idle_databases where name =
       (select name from idle_databases limit 1 for update skip locked) returning name`,
  );
  await server(
    idle === undefined
      ? `create database ${name} template ${TEMPLATE}`
      : `alter database ${idle['name']} rename to ${name}`,
  );
}

/** Makes the database as new; false where that cannot be, or a test changed its schema. */
async function reset({ pool }: Database): Promise<boolean> {
  try {
    const client = await pool.connect();
    try {
      await client.query(END_OTHERS);
      await client.query('discard all');
      return await bringBack(client);
    } finally {
      client.release(true);
    }
  } catch {
    return false;
  }
}

/** Waiting inside `pg_terminate_backend` itself would take a tenth of a second a connection. */
const END_OTHERS = `do $$
  declare
    gone_by timestamptz := clock_timestamp() + interval '5 seconds';
  begin
    perform pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid();
    while clock_timestamp() < gone_by loop
      perform pg_stat_clear_snapshot();
      exit when not exists (select 1 from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid());
      perform pg_sleep(0.002);
    end loop;
  end $$`;

/**
 * Brings every table back to what it holds in a fresh database, while the caller goes on using it: a
 * search through hundreds of histories begins each so. False where the schema was changed.
 */
export function resetTables({ keeper }: Pick<TestDatabase, 'keeper'>): Promise<boolean> {
  return bringBack(keeper.pool);
}

async function bringBack(client: Pick<pg.Pool, 'query'>): Promise<boolean> {
  const { rows } = await client.query<{ done: boolean }>('select pristine.reset() as done');
  return rows[0]?.done === true;
}

/** A second pool on a test's database, as another process would have it. */
export function reopen(url: string, connections = 12, silence?: SilenceLimits): Database {
  const patient = silence === undefined ? {} : { silence };
  const database = openDatabase({ url, connections, onConnectionLost: () => {}, ...patient });
  onTestFinished(() => closeDatabase(database));
  return database;
}

/** Ends every connection to a database but those of whoever asks: what a restart does to its clients. */
export async function terminateBackends(name: string): Promise<number> {
  const rows = await onServer((server) =>
    server(
      `select count(pg_terminate_backend(pid))::int as ended from pg_stat_activity where datname = '${name}'`,
    ),
  );
  return Number(rows[0]?.['ended'] ?? 0);
}

/**
 * Returns rows of a query with every value as Postgres's own text, so that no amount becomes a
 * float.
 */
export async function textRows(
  database: Database,
  query: string,
  values: readonly unknown[] = [],
): Promise<readonly Readonly<Record<string, string | null>>[]> {
  const { rows } = await database.pool.query<{ row: Record<string, string | null> }>(
    `with q as materialized (${query})
     select (select jsonb_object_agg(key, value) from jsonb_each_text(to_jsonb(q))) as row from q`,
    [...values],
  );
  return rows.map(({ row }) => row);
}

/** Returns one number: how many rows a table, view or query has. */
export async function count(database: Database, from: string): Promise<number> {
  const { rows } = await database.pool.query<{ n: number }>(
    `select count(*)::int as n from ${from}`,
  );
  return rows[0]?.n ?? 0;
}

type ServerOf = 'serverUrl' | 'plainUrl';

function urlOf(name: string, of: ServerOf = 'serverUrl'): string {
  const url = new URL(inject(of));
  url.pathname = `/${name}`;
  return url.href;
}

async function onServer<Result>(
  work: (server: Server) => Promise<Result>,
  of: ServerOf = 'serverUrl',
): Promise<Result> {
  const database = openDatabase({
    url: inject(of),
    connections: 1,
    onConnectionLost: () => {},
  });
  try {
    return await work(async (statement, values = []) => {
      const { rows } = await database.pool.query<Record<string, unknown>>(statement, [...values]);
      return rows;
    });
  } finally {
    await closeDatabase(database);
  }
}
