import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { inject, onTestFinished } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import { TEMPLATE } from './global-setup.ts';

/** A database that nobody else uses, migrated or empty. */
export interface TestDatabase extends Database {
  readonly name: string;
  readonly url: string;
}

export interface FreshOptions {
  /** `migrated` is a copy of the template; `empty` has no schema at all. */
  readonly schema?: 'migrated' | 'empty';
  /** Another database to copy instead, to which nobody is connected. */
  readonly template?: string;
  /** Connections of the pool. Default 12, enough for eight tenants pushed at once. */
  readonly connections?: number;
}

/** A database of its own for the test that calls, given back when the test is over. */
export async function freshDatabase(options: FreshOptions = {}): Promise<TestDatabase> {
  const { database, drop } = await createDatabase(options);
  onTestFinished(drop);
  return database;
}

/** The same for a whole file: `beforeAll` creates, `afterAll` drops. */
export async function createDatabase(
  options: FreshOptions = {},
): Promise<{ readonly database: TestDatabase; readonly drop: () => Promise<void> }> {
  const { schema = 'migrated', template, connections = 12 } = options;
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await onServer(async (server) => {
    if (template !== undefined) await server(`create database ${name} template ${template}`);
    else if (schema === 'migrated') await takeMigrated(server, name);
    else await server(`create database ${name}`);
  });
  const url = urlOf(name);
  const opened = openDatabase({ url, connections, onConnectionLost: () => {} });
  const drop = async () => {
    const isAsNew = await reset(opened);
    await closeDatabase(opened);
    await onServer((server) =>
      isAsNew
        ? server('insert into idle_databases values ($1)', [name])
        : server(`drop database if exists ${name} with (force)`),
    );
  };
  return { database: { ...opened, name, url }, drop };
}

type Server = (
  statement: string,
  values?: readonly unknown[],
) => Promise<readonly Record<string, unknown>[]>;

/** One that another test gave back, under a new name so that nobody finds it by the old; else a copy. */
async function takeMigrated(server: Server, name: string): Promise<void> {
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
      return await resetTables(client);
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
export async function resetTables(client: Pick<pg.Pool, 'query'>): Promise<boolean> {
  const { rows } = await client.query<{ done: boolean }>('select pristine.reset() as done');
  return rows[0]?.done === true;
}

/** A second pool on a test's database, as another process would have it. */
export function reopen(url: string, connections = 12): Database {
  const database = openDatabase({ url, connections, onConnectionLost: () => {} });
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

/** Rows of a query with every value as Postgres's own text, so that no amount becomes a float. */
export async function textRows(
  database: Database,
  query: string,
  values: readonly unknown[] = [],
): Promise<readonly Readonly<Record<string, string | null>>[]> {
  const { rows } = await database.pool.query<{ row: Record<string, string | null> }>(
    `select (select jsonb_object_agg(key, value) from jsonb_each_text(to_jsonb(q))) as row from (${query}) q`,
    [...values],
  );
  return rows.map(({ row }) => row);
}

/** One number: how many rows a table, view or query has. */
export async function count(database: Database, from: string): Promise<number> {
  const { rows } = await database.pool.query<{ n: number }>(
    `select count(*)::int as n from ${from}`,
  );
  return rows[0]?.n ?? 0;
}

function urlOf(name: string): string {
  const url = new URL(inject('serverUrl'));
  url.pathname = `/${name}`;
  return url.href;
}

async function onServer<Result>(work: (server: Server) => Promise<Result>): Promise<Result> {
  const database = openDatabase({
    url: inject('serverUrl'),
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
