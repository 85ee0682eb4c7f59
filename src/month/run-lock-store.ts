import type { Database } from '../database/database.ts';
import { inTransaction } from '../database/database.ts';

/**
 * Runs the work while no other process runs the month; null when one does. The lock is of a transaction that does
 * nothing else, so that it holds through any pooler, and a process that dies gives it back. It idles as long as the run
 * takes, which is for no limit of the server to end.
 */
export async function whileRunIsAlone<Result>(
  database: Database,
  month: string,
  work: () => Promise<Result>,
): Promise<Result | null> {
  return inTransaction(database, async ({ client }) => {
    await client.query(UNLIMITED);
    const { rows } = await client.query<{ done: boolean }>(
      'select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as done',
      [keyOf(month)],
    );
    return rows[0]?.done === true ? work() : null;
  });
}

/** Not every server that is supported knows the second. */
const UNLIMITED = `select set_config(name, '0', true) from pg_settings
  where name in ('idle_in_transaction_session_timeout', 'transaction_timeout')`;

/** Tells whether some process runs the month now. */
export async function isMonthRun(database: Database, month: string): Promise<boolean> {
  const { rows } = await database.pool.query<{ held: boolean }>(
    `select exists (select from pg_locks
       where locktype = 'advisory' and granted and objsubid = 1
         and database = (select oid from pg_database where datname = current_database())
         and (classid::bigint << 32 | objid::bigint) = hashtextextended($1, 0)) as held`,
    [keyOf(month)],
  );
  return rows[0]?.held === true;
}

function keyOf(month: string): string {
  return `month-run:${month}`;
}
