import { expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import type { Database } from '../../../src/database/database.ts';
import { foldAll, foldWaiting } from '../../../src/ledger/rollups/fold-batches.ts';
import { count, freshDatabase } from '../../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../../support/ledger.ts';

const waiting = (database: Database) => count(database, 'fold_queue');
const post = (database: Database, eventId: string) =>
  receiveEvents(database, [nativeEvent({ event_id: eventId })]);

/** The same database, in which another event is posted before the second transaction. */
function busy(database: Database): Database {
  let transactions = 0;
  const bare = Object.assign(Object.create(database.bare), {
    async connect() {
      transactions += 1;
      if (transactions === 2) await post(database, 'meanwhile');
      return database.bare.connect();
    },
  });
  return { ...database, bare };
}

it('the worker leaves what is posted while it folds to its next fold, and who asks waits for all', async () => {
  const database = await freshDatabase({ connections: 4 });
  await importBooks(database, 'standard', 'cost');
  await post(database, 'first');
  expect(await foldWaiting(busy(database), systemClock)).toBe(1);
  await post(database, 'second');
  expect(await foldAll(busy(database), systemClock)).toBe(2);
  expect(await waiting(database)).toBe(0);
});
