import { expect, onTestFinished, test } from 'vitest';
import {
  closeDatabase,
  inTransaction,
  isDatabaseAway,
  openDatabase,
} from '../../src/database/database.ts';
import { faultOf } from '../../src/database/database-fault.ts';
import { explainFault, explainFaultOfServer } from '../../src/database/explain-fault.ts';
import { openPushLocks } from '../../src/push/push-lock-store.ts';
import { count, freshDatabase, terminateBackends } from '../support/database.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

test('whoever holds a connection whose loss was heard of already is told that the database is away', async () => {
  const database = await freshDatabase();
  const client = await database.pool.connect();
  const lost = new Promise<void>((resolve) => void client.once('end', () => resolve()));
  client.on('error', () => {});
  await terminateBackends(database.name);
  await lost;
  const error = await client.query('select 1').catch((failed: unknown) => failed);
  client.release(true);
  expect(String(error)).toContain('not queryable');
  expect(isDatabaseAway(error)).toBe(true);
});

test('a push whose locks were lost between two tenants ends as one whose database is away', async () => {
  const database = await freshDatabase();
  const locks = await openPushLocks(database);
  await terminateBackends(database.name);
  while (!locks.areLost()) await new Promise((resolve) => setTimeout(resolve, 1));
  const error = await locks.whileAlone('a key', async () => {}).catch((failed: unknown) => failed);
  await locks.close();
  expect(isDatabaseAway(error)).toBe(true);
});

test('a commit whose answer was lost is told as one that may stand, and is not asked for again unseen', async () => {
  const database = await freshDatabase();
  const { hostname: host, port } = new URL(database.url);
  const proxy = await startTcpProxy({ host, port: Number(port) });
  const url = database.url.replace(`:${port}/`, `:${proxy.port}/`);
  const far = openDatabase({ url, connections: 1, onConnectionLost: () => {} });
  onTestFinished(() => closeDatabase(far));
  proxy.loseAnswerTo('commit\0');
  const error = await inTransaction(far, ({ client }) =>
    client.query("insert into tenants (tenant_id, created_at) values ('acme', now())"),
  ).catch((lost: unknown) => lost);
  expect(await count(database, "tenants where tenant_id = 'acme'")).toBe(1);
  expect(faultOf(error)).toBe('away');
  const told = {
    kind: 'unavailable',
    message: expect.stringContaining('lost at the commit, so that it may be done or not'),
    remedy: expect.arrayContaining([{ operation: 'audit acts' }]),
  };
  expect(explainFault(error)).toMatchObject(told);
  expect(explainFaultOfServer(error)).toMatchObject(told);
});

test('a transaction whose connection was lost before the commit was asked for is not done', async () => {
  const database = await freshDatabase();
  const error = await inTransaction(database, async ({ client }) => {
    const lost = new Promise<void>((resolve) => void client.once('end', () => resolve()));
    await terminateBackends(database.name);
    await lost;
  }).catch((failed: unknown) => failed);
  expect(explainFault(error)).toMatchObject({
    message: expect.stringContaining('the server does not answer'),
  });
});
