import { expect, it } from 'vitest';
import { count, freshDatabase } from '../../support/database.ts';
import {
  deliverAtOnce,
  deliverInOrder,
  entriesButForIds,
  orderlessEvents,
} from '../../support/delivery.ts';
import { importBooks } from '../../support/ledger.ts';
import { brokenLaws } from '../../support/worker.ts';

it('eight workers with shuffled duplicates post the ledger that one worker posts in order', async () => {
  const events = orderlessEvents(1500, 5);
  const [many, one] = [await freshDatabase(), await freshDatabase()];
  for (const database of [many, one]) await importBooks(database, 'standard', 'cost');

  const outcomes = await deliverAtOnce(many, events, { workers: 8, copies: 3, batch: 60, seed: 9 });
  await deliverInOrder(one, events, 500);

  expect(outcomes.filter((outcome) => outcome === 'posted')).toHaveLength(1500);
  expect(outcomes.filter((outcome) => outcome === 'duplicate')).toHaveLength(3000);
  expect(await entriesButForIds(many)).toEqual(await entriesButForIds(one));
  expect(await count(many, 'structure_spans')).toBe(await count(one, 'structure_spans'));
  expect(await brokenLaws(many)).toEqual([]);
});
