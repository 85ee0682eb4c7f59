import { expect, it } from 'vitest';
import { isMonthRun, whileRunIsAlone } from '../../src/month/run-lock-store.ts';
import { freshDatabase } from '../support/database.ts';

it('the lock of a run holds for as long as the run takes, whatever the server allows to a transaction that idles', async () => {
  const database = await freshDatabase({ connections: 2 });
  const setting = (value: string) =>
    database.keeper.pool.query(
      `alter database ${database.name} set idle_in_transaction_session_timeout = '${value}'`,
    );
  await setting('200ms');
  const { rows } = await database.pool.query<{ allowed: string }>(
    "select current_setting('idle_in_transaction_session_timeout') as allowed",
  );
  expect(rows).toEqual([{ allowed: '200ms' }]);
  const held = await whileRunIsAlone(database, '2026-10', async () => {
    await new Promise((resolve) => setTimeout(resolve, 600));
    return isMonthRun(database, '2026-10');
  }).finally(() => setting('0'));
  expect(held).toBe(true);
});
