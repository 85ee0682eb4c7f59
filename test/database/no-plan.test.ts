import { expect, it } from 'vitest';
import { explainFault } from '../../src/database/explain-fault.ts';
import { Patience } from '../../src/ingest/worker/patience.ts';
import { openLog } from '../../src/log.ts';
import { Refusal } from '../../src/refusal.ts';
import { freshDatabase } from '../support/database.ts';

/** What a planner of a distributed database says of a question that it cannot divide. */
const NO_PLAN = `do $$ begin raise exception 'cannot push down this subquery'
  using errcode = 'feature_not_supported', detail = 'a lateral subquery has a limit'; end $$`;

it('a question without a plan is refused at once by a worker, and named with its part and a remedy', async () => {
  const database = await freshDatabase();
  let tries = 0;
  const patience = new Patience(openLog('silent'), { tries: 9, pauseMs: () => 60_000 });
  const refused = await patience
    .until(() => {
      tries += 1;
      return database.pool.query(NO_PLAN);
    })
    .catch((error: unknown) => error);
  expect(tries).toBe(1);
  expect(refused).toBeInstanceOf(Refusal);
  expect(refused).toMatchObject({ kind: 'unavailable' });
  expect(String(refused)).toContain(
    'cannot push down this subquery (a lateral subquery has a limit)',
  );
});

it('a command says the same of it', async () => {
  const database = await freshDatabase();
  const error: unknown = await database.pool.query(NO_PLAN).catch((thrown: unknown) => thrown);
  expect(explainFault(error)?.message).toContain('no plan');
});
