import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';
import { type Database, isNotAllowed, sqlState } from './database.ts';
import { sayingInEach } from './saying.ts';

/**
 * Returns the database as one tenant may see it. Every transaction of it, and so every statement,
 * works as `spanledger_tenant` under row-level security, with the views of the schema `wall` before
 * the tables of the same names. Throws a `Refusal` where that role was not made, or may not be
 * taken.
 */
export function behindWall(database: Database, tenantId: string): Database {
  // The tenant is named before the role is taken.
  const settings = {
    'spanledger.tenant': tenantId,
    search_path: 'wall, public',
    role: 'spanledger_tenant',
  };
  return sayingInEach(database, { settings, explain: explainWall }, () => false);
}

/** A role that is not there cannot be set (22023); one that was not granted may not be (42501). */
function explainWall(error: unknown): unknown {
  if (sqlState(error) !== '22023' && !isNotAllowed(error)) return error;
  return new Refusal(
    'misconfigured',
    "the database's user may not work as spanledger_tenant, which a tenant's key needs",
    advise`run ${{ operation: 'migrate', roles: true }}, and grant spanledger_tenant to the user of the server`,
  );
}
