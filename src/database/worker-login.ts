import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { Refusal } from '../refusal.ts';
import type { Database } from './database.ts';
import { scramVerifier } from './scram-verifier.ts';

/** The user as whom workers connect, which is a member of spanledger_worker and of nothing else. */
export interface WorkerLogin {
  readonly user: string;
  readonly password: string;
}

/**
 * Makes the worker's login, or gives the one that is there this password. Throws a `Refusal` where the user is more
 * than a worker's: its role would be no wall around it.
 */
export async function makeWorkerLogin(database: Database, login: WorkerLogin): Promise<void> {
  const { user, password } = login;
  const [known] = (await database.pool.query<{ is_more: boolean }>(IS_MORE, [user])).rows;
  if (known?.is_more === true) {
    throw new Refusal(
      'not_permitted',
      `the database's user "${user}" may do more than a worker, so it is not made the worker's login`,
      'name a user of the worker alone in SPANLEDGER_WORKER_USER; it is made where it is not there',
    );
  }
  const name = pg.escapeIdentifier(user);
  const verifier = pg.escapeLiteral(scramVerifier(password, randomBytes(16)));
  const verb = known === undefined ? 'create' : 'alter';
  await database.pool.query(
    `${verb} role ${name} login bypassrls password ${verifier}; grant spanledger_worker to ${name}`,
  );
}

const IS_MORE = `
  select r.rolsuper or r.rolcreaterole or r.rolcreatedb or r.rolreplication or r.rolname in (current_user, session_user)
    or exists (select from pg_auth_members m where m.member = r.oid and m.roleid <> 'spanledger_worker'::regrole)
    or exists (select from pg_class c where c.relowner = r.oid)
    or exists (select from pg_database d where d.datdba = r.oid) as is_more
  from pg_roles r where r.rolname = $1`;
