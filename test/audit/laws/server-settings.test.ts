import { expect, it, onTestFinished } from 'vitest';
import { checkSchema } from '../../../src/audit/laws/schema-law.ts';
import { closeDatabase, type Database, openDatabase } from '../../../src/database/database.ts';
import { present } from '../../../src/present.ts';
import { startPostgres, TEMPLATE } from '../../support/global-setup.ts';

it('law 12 names what is set for the whole server, so that triggers sleep or what was answered is lost', async () => {
  const open = await durableServer();
  const owner = open();
  expect((await checkSchema(owner)).violations).toEqual([]);
  // A server whose storage keeps what was answered by itself has fsync off in its file, and whole pages, too.
  for (const setting of [
    "session_replication_role = 'replica'",
    'synchronous_commit = off',
    'fsync = off',
    'full_page_writes = off',
  ])
    await owner.pool.query(`alter system set ${setting}`);
  await owner.pool.query('select pg_reload_conf()');
  const named = [
    'setting session_replication_role=replica was made for the server',
    'setting synchronous_commit=off was made for the server',
  ];
  // The server takes them up by and by, and a session has what it began with.
  const seen = async () => (await checkSchema(open())).violations;
  await expect.poll(seen, { timeout: 10_000 }).toEqual(named);
  expect((await open().pool.query('show fsync')).rows).toEqual([{ fsync: 'off' }]);
  await owner.pool.query('alter system reset all');
  await owner.pool.query('select pg_reload_conf()');
  await expect.poll(seen, { timeout: 10_000 }).toEqual([]);
});

/** Starts a server that is set up as one of production, and returns what opens its ledger. */
async function durableServer(): Promise<() => Database> {
  const provided = new Map<string, unknown>();
  const provide = (name: string, value: unknown) => provided.set(name, value);
  const stop = await startPostgres({ provide }, { durable: true });
  onTestFinished(stop);
  const url = new URL(String(present(provided.get('plainUrl'), 'a server')));
  url.pathname = `/${TEMPLATE}`;
  return () => {
    const database = openDatabase({ url: url.href, connections: 1, onConnectionLost: () => {} });
    onTestFinished(() => closeDatabase(database));
    return database;
  };
}
