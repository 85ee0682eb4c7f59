import { expect, it } from 'vitest';
import { count, freshDatabase } from '../support/database.ts';
import {
  deliverAtOnce,
  deliverInOrder,
  entriesButForIds,
  orderlessEvents,
} from '../support/delivery.ts';
import { importBooks } from '../support/ledger.ts';
import { brokenLaws } from '../support/worker.ts';

/** The same as test/ledger/posting/concurrency.test.ts at full size: SPANLEDGER_LONG=1 npx vitest run test/long */
it.runIf(process.env['SPANLEDGER_LONG'] !== undefined)(
  'eight workers with 50,000 events, each three times and shuffled, post the ledger of one worker',
  { timeout: 3_600_000 },
  async () => {
    const events = orderlessEvents(50_000, 7);
    const [many, one] = [await freshDatabase({ connections: 16 }), await freshDatabase()];
    for (const database of [many, one]) await importBooks(database, 'standard', 'cost');

    const how = { workers: 8, copies: 3, batch: 250, seed: 3 };
    const outcomes = await deliverAtOnce(many, events, how);
    await deliverInOrder(one, events, 1000);

    expect(outcomes.filter((outcome) => outcome === 'posted')).toHaveLength(50_000);
    expect(outcomes.filter((outcome) => outcome === 'duplicate')).toHaveLength(100_000);
    expect(await entriesButForIds(many)).toEqual(await entriesButForIds(one));
    expect(await count(many, 'structure_spans')).toBe(await count(one, 'structure_spans'));
    expect(await brokenLaws(many)).toEqual([]);
  },
);
