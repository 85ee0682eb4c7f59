import { expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { ClocksApart } from '../../src/database/clocks-apart.ts';
import { inSnapshot, inTransaction } from '../../src/database/database.ts';
import { faultOf } from '../../src/database/database-fault.ts';
import { explainFault } from '../../src/database/explain-fault.ts';
import { freshDatabase } from '../support/database.ts';
import { importBooks, nativeEvent } from '../support/ledger.ts';
import { freshQueue } from '../support/queue.ts';
import { brokenLaws, rememberedLog, work } from '../support/worker.ts';

const HOUR_MS = 3_600_000;

test('nothing is written by a clock that disagrees with that of the database, and reading goes on', async () => {
  let shiftMs = 0;
  const fresh = await freshDatabase();
  const database = { ...fresh, heldAgainst: () => systemClock() + shiftMs };
  const now = () => inTransaction(database, async ({ client }) => client.query('select 1'));
  for (const apart of [HOUR_MS, -HOUR_MS]) {
    shiftMs = apart;
    const error = await now().catch((failed: unknown) => failed);
    expect(error).toBeInstanceOf(ClocksApart);
    expect(faultOf(error)).toBe('away');
    expect(explainFault(error)).toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(/^a clock is wrong.* 60 minutes apart$/),
    });
    await inSnapshot(database, async ({ client }) => client.query('select 1'));
  }
  shiftMs = 60_000;
  await now();
});

test('a worker whose clock jumps receives nothing, says why, and goes on when the clock is right again', async () => {
  let shiftMs = 40 * 24 * HOUR_MS;
  const fresh = await freshDatabase();
  await importBooks(fresh, 'standard', 'cost');
  const clock = () => systemClock() + shiftMs;
  const queue = await freshQueue();
  await queue.sendAll([JSON.stringify(nativeEvent({ event_id: 'e-1' }))]);
  const { log, messages } = rememberedLog();
  const patience = { tries: 3, pauseMs: () => 20 };
  let asked = 0;
  const heldAgainst = () => {
    asked += 1;
    // It is set right once it was found wrong for the fifth time.
    if (asked === 5) shiftMs = 0;
    return clock();
  };
  const working = work({ ...fresh, heldAgainst }, queue.client, { log, patience, clock });
  expect(await working).toMatchObject({ messages: 1, posted: 1, duplicate: 0 });
  expect(messages().filter((message) => message.includes('receiving stopped'))).toHaveLength(1);
  expect(messages()).toContain('database back');
  expect(await brokenLaws(fresh)).toEqual([]);
});
