import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import { migrate } from '../../src/database/migrate.ts';
import { makeRoles } from '../../src/database/roles.ts';
import { dumpRoles, dumpSchema } from '../../src/database/schema-store.ts';
import { freshDatabase } from '../support/database.ts';

const MADE = {
  'schema.sql': dumpSchema,
  'roles-schema.sql': dumpRoles,
} as const;

it('the migrations make the schema that migrations/schema.sql shows, and the roles what roles-schema.sql shows', async () => {
  const database = await freshDatabase({ schema: 'empty', connections: 4 });
  await migrate(database);
  for (const [file, dump] of Object.entries(MADE)) {
    if (file.startsWith('roles')) await makeRoles(database);
    const path = fileURLToPath(new URL(`../../migrations/${file}`, import.meta.url));
    const text = (await dump(database)) ?? '';
    if (process.env['SPANLEDGER_WRITE_SCHEMA'] === '1') await writeFile(path, text);
    const committed = await readFile(path, 'utf8').catch(() => '');
    expect(text, `${file} is made anew by SPANLEDGER_WRITE_SCHEMA=1`).toBe(committed);
  }
});

it('eight processes that come to the same step of migrating at once all succeed', async () => {
  const database = await freshDatabase({ schema: 'empty', connections: 4 });
  await migrate(database);
  // The step that the migrator's own lock does not cover.
  await database.pool.query('drop table schema_migration_hashes');
  const processes = Array.from({ length: 8 }, () =>
    openDatabase({ url: database.url, connections: 2, onConnectionLost: () => {} }),
  );
  onTestFinished(() => Promise.all(processes.map(closeDatabase)).then(() => undefined));
  expect(await Promise.all(processes.map(migrate))).toEqual(processes.map(() => []));
});

it('migrating again changes nothing', async () => {
  const database = await freshDatabase({ schema: 'empty', connections: 4 });
  expect((await migrate(database)).length).toBeGreaterThan(0);
  const schema = await dumpSchema(database);
  expect(await migrate(database)).toEqual([]);
  expect(await dumpSchema(database)).toBe(schema);
});

it('what a backup writes of constraints and views, a restore writes again, so that law 12 takes it for no change', async () => {
  const { pool } = await freshDatabase({ connections: 1 });
  const textOf = async (query: string) => (await pool.query<{ text: string }>(query)).rows[0]?.text;
  const constraints = await pool.query<{ of: string; name: string; text: string }>(
    `select conrelid::regclass::text as of, conname as name, pg_get_constraintdef(oid) as text
     from pg_constraint where contype = 'c' and conparentid = 0 and convalidated
       and connamespace = 'public'::regnamespace and conrelid <> 0`,
  );
  const changed: string[] = [];
  for (const { of, name, text } of constraints.rows) {
    await pool.query(`begin; alter table ${of} add constraint restored ${text}`);
    const again = `select pg_get_constraintdef(oid) as text from pg_constraint where conname = 'restored'`;
    if ((await textOf(again)) !== text) changed.push(`${name} of ${of}`);
    await pool.query('rollback');
  }
  const views = await pool.query<{ of: string; text: string }>(
    `select oid::regclass::text as of, pg_get_viewdef(oid) as text from pg_class
     where relkind = 'v' and relnamespace in ('public'::regnamespace, 'audit'::regnamespace)`,
  );
  for (const { of, text } of views.rows) {
    await pool.query(`begin; create view public.restored as ${text}`);
    const again = `select pg_get_viewdef('public.restored'::regclass) as text`;
    if ((await textOf(again)) !== text) changed.push(of);
    await pool.query('rollback');
  }
  expect(constraints.rows.length).toBeGreaterThan(100);
  expect(views.rows.length).toBeGreaterThan(10);
  expect(changed).toEqual([]);
});
