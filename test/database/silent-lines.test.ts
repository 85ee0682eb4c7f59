import { expect, test } from 'vitest';
import { isDatabaseAway } from '../../src/database/database.ts';
import { freshDatabase, reopen, type TestDatabase } from '../support/database.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const SHORT = { silentMs: 600, answerMs: 1_000 };

async function behindProxy(database: TestDatabase) {
  const url = new URL(database.url);
  const proxy = await startTcpProxy({ host: url.hostname, port: Number(url.port) });
  url.port = String(proxy.port);
  return { proxy, near: reopen(url.href, 4, SHORT) };
}

test('an answer that the network lost is given up, and what its session had locked is free', async () => {
  const database = await freshDatabase();
  await database.pool.query('create table rows_of_test as select 1 as id');
  const { proxy, near } = await behindProxy(database);
  const client = await near.pool.connect();
  client.on('error', () => {});
  await client.query('begin; select id from rows_of_test for update');
  proxy.swallowOpen();
  const error = await client.query('select 1').catch((failed: unknown) => failed);
  client.release(true);
  expect(isDatabaseAway(error)).toBe(true);
  expect(String(error)).toContain('the network lost one of both');
  await near.pool.query('select id from rows_of_test for update');
});

test('a server that answers nobody is given up', async () => {
  const database = await freshDatabase();
  const { proxy, near } = await behindProxy(database);
  await near.pool.query('select 1');
  proxy.swallowAll();
  const error = await near.pool.query('select 1').catch((failed: unknown) => failed);
  expect(isDatabaseAway(error)).toBe(true);
  expect(String(error)).toContain('neither an open connection nor a new one');
});

test('a statement at which the server works is waited for, however long it takes', async () => {
  const { near } = await behindProxy(await freshDatabase());
  const { rows } = await near.pool.query<{ done: boolean }>(
    `select pg_sleep(2.5) is not null as done`,
  );
  expect(rows).toEqual([{ done: true }]);
});
