import { expect, test } from 'vitest';
import { isDatabaseAway } from '../../src/database/database.ts';
import { openPushLocks } from '../../src/push/push-lock-store.ts';
import { freshDatabase, terminateBackends } from '../support/database.ts';

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
