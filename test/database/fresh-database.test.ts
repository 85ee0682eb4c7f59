import { expect, it } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { count, freshDatabase, resetTables, textRows } from '../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../support/ledger.ts';

/** Tests use a database one after another; here is why that is as good as a copy for each. */

it('holds after a reset what a migrated database holds, its counters too', async () => {
  const database = await freshDatabase();
  const asNew = await contents(database);
  await importBooks(database, 'standard', 'cost');
  await receiveEvents(database, [nativeEvent(), nativeEvent({ event_id: 'evt-2', status: 'bad' })]);
  expect(await contents(database)).not.toEqual(asNew);

  expect(await resetTables(database)).toBe(true);

  expect(await contents(database)).toEqual(asNew);
  await receiveEvents(database, [nativeEvent()]);
  expect(await count(database, 'batches where batch_id = 1')).toBe(1);
});

it('is not used again once a test changed the schema, by so little as a trigger', async () => {
  const database = await freshDatabase();
  await database.pool.query('alter table entries disable trigger entries_are_append_only');
  expect(await resetTables(database)).toBe(false);
});

async function contents(database: Database): Promise<Readonly<Record<string, unknown>>> {
  const tables = await textRows(database, 'select name from pristine.own_tables() name');
  const rows = tables.map(async ({ name }) => [
    name,
    // A table gives its rows in the order in which they lie, which is nobody's promise.
    await textRows(database, `select * from ${name} as row order by row::text`),
  ]);
  return Object.fromEntries(await Promise.all(rows));
}
