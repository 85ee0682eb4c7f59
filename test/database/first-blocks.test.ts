import { expect, it, onTestFinished } from 'vitest';
import { createPlainDatabase } from '../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../support/ledger.ts';

it('what an index of blocks knows of the first ones is not written anew for each entry of a new ledger', async () => {
  const { database, drop } = await createPlainDatabase();
  onTestFinished(drop);
  await importBooks(database, 'standard', 'cost');
  await receiveEvents(database, [nativeEvent()]);
  // It answers how many ranges of blocks it had to sum up, since nobody had.
  const { rows } = await database.pool.query(
    "select brin_summarize_range('entries_by_run', 0) as summed",
  );
  expect(rows).toEqual([{ summed: 1 }]);
});
