import { readFile } from 'node:fs/promises';
import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';
import type { Database } from './database.ts';
import { isNotAllowed } from './database.ts';
import { retryLostRace } from './lost-race.ts';
import { MIGRATIONS } from './migrate.ts';
import { clearNodes, readOpenNodes } from './nodes-wall.ts';
import { makeWorkerLogin, type WorkerLogin } from './worker-login.ts';

/**
 * Makes the roles of the worker, the reader and the tenant where they are missing, and grants each what it
 * needs in this database, in one transaction; then the worker's login, where one is named. The schema must
 * be up to date; running it again changes nothing. Throws a `Refusal` where the database's user may not make them, and where
 * a node that keeps shards would show a tenant's login more than its views.
 */
export async function makeRoles(
  database: Database,
  workerLogin: WorkerLogin | null = null,
): Promise<void> {
  const text = await readFile(`${MIGRATIONS}roles.sql`, 'utf8');
  try {
    // Several statements without parameters are one transaction. Roles are the server's: whoever makes them for another
    // of its databases meanwhile may have taken in another order what both lock.
    await retryLostRace(() => database.pool.query(text));
    await clearNodes(database);
    if (workerLogin !== null) await makeWorkerLogin(database, workerLogin);
  } catch (error) {
    if (!isNotAllowed(error)) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new Refusal(
      'not_permitted',
      `the roles cannot be made by this user: ${why}`,
      advise`run ${{ operation: 'migrate', roles: true }} once as a superuser, or as the owner with CREATEROLE and BYPASSRLS`,
    );
  }
  const open = await readOpenNodes(database);
  if (open.length > 0) {
    throw new Refusal(
      'not_permitted',
      `a tenant's login could read the rows of others: ${open.join('; ')}`,
      advise`revoke on each of these nodes what spanledger_tenant, or everybody, may do with that, then run ${{ operation: 'migrate', roles: true }} again; let no tenant log in before`,
    );
  }
}
