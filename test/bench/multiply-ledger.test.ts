import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { importPriceBook } from '../../src/rating/books/price-book-store.ts';
import { createPlainDatabase } from '../support/database.ts';
import { nativeEvent, receiveEvents } from '../support/ledger.ts';
import { brokenLaws } from '../support/worker.ts';
import { benchPriceBooks } from './bench-events.ts';
import { multiplyLedger } from './multiply-ledger.ts';

it.each([true, false])('a ledger is multiplied with its rollups, sealed: %s', async (sealed) => {
  // It takes keys away and makes a schema, which no other test may meet.
  const { database, drop } = await createPlainDatabase();
  onTestFinished(drop);
  for (const book of benchPriceBooks()) await importPriceBook(database, book, systemClock());
  const calls = Array.from({ length: 20 }, (_, n) =>
    nativeEvent({ event_id: `event-${n}`, agent_run_id: `run-${n % 5}` }),
  );
  await receiveEvents(database, calls);
  await foldAll(database, systemClock);
  const to = { tenants: 3, months: ['2025-01', '2025-02'], sealed, onProgress: () => {} };
  await multiplyLedger(database.url, { entries: 100, ...to });
  const { rows } = await database.pool.query<{ entries: number; folded: number }>(
    `select (select count(*)::int from entries) as entries,
       (select sum(entries)::int from usage_rollups) as folded`,
  );
  expect(rows).toEqual([{ entries: 100, folded: 100 }]);
  if (sealed) expect(await brokenLaws(database)).toEqual([]);
});
