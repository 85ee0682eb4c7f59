import { expect, it } from 'vitest';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import { migrate } from '../../src/database/migrate.ts';
import { freshDatabase, textRows } from '../support/database.ts';

const TABLES = `select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1`;

async function databaseWith(...statements: readonly string[]) {
  const database = await freshDatabase({ schema: 'empty', connections: 2 });
  for (const statement of statements) await database.pool.query(statement);
  return database;
}

it('a database of another program, whose tables have the names of ours, stays as it is', async () => {
  const database = await databaseWith(
    'create table tenants (id integer)',
    'create table entries (id integer)',
  );
  await expect(migrate(database)).rejects.toMatchObject({
    kind: 'misconfigured',
    message:
      'this database has tables of another program, whose names Spanledger needs: "entries", "tenants"',
  });
  expect(await textRows(database, TABLES)).toEqual([
    { relname: 'entries' },
    { relname: 'tenants' },
  ]);
});

it('so does one that keeps a table of migrations of another form', async () => {
  const database = await databaseWith('create table schema_migrations (version text)');
  await expect(migrate(database)).rejects.toMatchObject({ kind: 'misconfigured' });
  expect(await textRows(database, TABLES)).toEqual([{ relname: 'schema_migrations' }]);
});

it.each([
  ['other', 'would make its tables in "other"'],
  ['nowhere', 'would make its tables in none'],
])('a session whose search_path begins at %s makes nothing, and is told so', async (path, says) => {
  const empty = await databaseWith('create schema other');
  const url = new URL(empty.url);
  url.searchParams.set('options', `-c search_path=${path}`);
  const database = openDatabase({ url: url.href, connections: 1, onConnectionLost: () => {} });
  const refused = await migrate(database).catch((error: unknown) => error);
  await closeDatabase(database);
  expect(refused).toMatchObject({
    kind: 'misconfigured',
    message: expect.stringContaining(says),
  });
  expect(await textRows(empty, TABLES.replace("'public'", "'other'"))).toEqual([]);
  expect(await textRows(empty, TABLES)).toEqual([]);
});

it('a new database of LATIN1 is refused before anything is made there, and one of SQL_ASCII is taken', async () => {
  expect(await migrated('LATIN1')).toMatchObject({
    error: {
      kind: 'misconfigured',
      message: 'the database keeps its texts as LATIN1, which does not hold every name',
    },
    tables: [],
  });
  const { error, tables } = await migrated('SQL_ASCII');
  expect(error).toBeNull();
  expect(tables).toContainEqual({ relname: 'entries' });
});

/** Makes a database of an encoding and migrates it; what was refused, and which tables are there then. */
async function migrated(encoding: 'LATIN1' | 'SQL_ASCII') {
  const server = await freshDatabase({ schema: 'empty', connections: 1 });
  const name = `texts_${encoding.toLowerCase()}_${server.name}`;
  await server.pool.query(
    `create database ${name} encoding '${encoding}' template template0 lc_collate 'C' lc_ctype 'C'`,
  );
  const url = server.url.replace(server.name, name);
  const database = openDatabase({ url, connections: 2, onConnectionLost: () => {} });
  try {
    const error = await migrate(database).then(
      () => null,
      (refused: unknown) => refused,
    );
    return { error, tables: await textRows(database, TABLES) };
  } finally {
    await closeDatabase(database);
    await server.pool.query(`drop database ${name} with (force)`);
  }
}

it('tables of other names are left beside ours', async () => {
  const database = await databaseWith('create table orders (id integer)');
  expect((await migrate(database)).length).toBeGreaterThan(0);
  expect(await migrate(database)).toEqual([]);
});
