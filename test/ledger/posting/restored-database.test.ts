import { expect, it } from 'vitest';
import { ReferenceCache } from '../../../src/ledger/posting/reference-cache.ts';
import { freshDatabase, textRows } from '../../support/database.ts';
import { dropDump, dumpTables, restoreTables } from '../../support/dump.ts';
import { importBook, importBooks, nativeEvent, receive, sharedBook } from '../../support/ledger.ts';
import { brokenLaws } from '../../support/worker.ts';

/** A new model's price, and with it a new revision of the prices. */
const priced = (output: string) => ({
  ...(sharedBook('standard') as object),
  effective_from: '2026-10-01T00:00:00Z',
  models: [{ model: 'gpt-4o', per_million: { input: '1.00', output } }],
});

it('a worker that outlives the restoring of its database has periods made and prices read anew', async () => {
  const database = await freshDatabase();
  const cache = new ReferenceCache();
  const deliver = (change: Readonly<Record<string, unknown>>) =>
    receive(database, [JSON.stringify({ events: [nativeEvent(change)] })], '2026-10-20T12:00:00Z', {
      cache,
    });
  await importBooks(database, 'standard');
  await deliver({ event_id: 'kept', occurred_at: '2026-09-15T12:00:00Z' });
  await dumpTables(database.pool);
  await importBook(database, priced('1.00'));
  await deliver({ event_id: 'lost' });
  await restoreTables(database.pool);
  // As many changes as the worker has seen since, and another price.
  await importBook(database, priced('9.00'));
  expect(await deliver({ event_id: 'lost' })).toEqual(['posted']);
  const rows = await textRows(
    database,
    `select e.event_id, e.charge, p.state from audit.entries e
     left join audit.periods p using (tenant_id, period_start) order by event_id`,
  );
  expect(rows).toEqual([
    { event_id: 'kept', charge: '0.0042', state: 'open' },
    // 1000 × 1.00 µ + 100 × 9.00 µ
    { event_id: 'lost', charge: '0.0019', state: 'open' },
  ]);
  expect(await brokenLaws(database)).toEqual([]);
  await dropDump(database.pool);
});
