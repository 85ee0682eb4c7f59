import type { Database } from './database.ts';
import { distribute, isDistributed } from './distribute.ts';
import { migrate } from './migrate.ts';
import type { MigrationAnswer, MigrationRequest } from './migration-answer.ts';
import { makeRoles } from './roles.ts';
import type { WorkerLogin } from './worker-login.ts';

/**
 * Brings the schema up to date, and then distributes it and grants its roles where that is asked for. What is distributed
 * already follows each migration, asked for or not.
 */
export async function migrateDatabase(
  {
    database,
    workerLogin = null,
  }: { readonly database: Database; readonly workerLogin?: WorkerLogin | null },
  request: MigrationRequest,
): Promise<MigrationAnswer> {
  const worker = request.roles ? workerLogin : null;
  const applied = await migrate(database);
  const isToFollow = request.citus || (await isDistributed(database));
  const citus = isToFollow ? await distribute(database) : null;
  if (request.roles) await makeRoles(database, worker);
  return { applied, citus, roles: request.roles, worker_login: worker?.user ?? null };
}
