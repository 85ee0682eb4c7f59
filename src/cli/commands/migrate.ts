import type { Command } from 'commander';
import { type Config, required } from '../../config.ts';
import { migrateDatabase } from '../../database/migrate-database.ts';
import type { MigrationAnswer } from '../../database/migration-answer.ts';
import { migrationRequest } from '../../database/migration-answer.ts';
import type { WorkerLogin } from '../../database/worker-login.ts';
import { readRequest } from '../../request.ts';
import { perform } from '../terminal/command.ts';

export function addMigrate(program: Command): void {
  const command = program
    .command('migrate')
    .description('bring the schema up to date; safe to run from many processes at once')
    .option('--citus', 'then distribute by tenant what grows with usage, where Citus is present')
    .option(
      '--roles',
      'then make the roles of worker, reader and tenant, and the login that SPANLEDGER_WORKER_USER names, and grant what each needs',
    );
  perform<{ citus?: boolean; roles?: boolean }>(command, async (session, { options }) => {
    const { citus = false, roles = false } = options;
    const request = readRequest(migrationRequest, { citus, roles });
    const workerLogin = roles ? workerLoginOf(session.config) : null;
    const answer = await migrateDatabase({ ...session.parts(), workerLogin }, request);
    session.out.answer(answer, render);
  });
}

function workerLoginOf(config: Config): WorkerLogin | null {
  const { SPANLEDGER_WORKER_USER: user } = config;
  return user === undefined
    ? null
    : { user, password: required(config, 'SPANLEDGER_WORKER_PASSWORD') };
}

function render({ applied, citus, roles, worker_login }: MigrationAnswer): string {
  return [
    applied.length === 0 ? 'schema is up to date' : `applied ${applied.join(', ')}`,
    ...(citus === null ? [] : [DISTRIBUTION_SAID[citus]]),
    ...(roles
      ? ['spanledger_worker, spanledger_reader and spanledger_tenant have what they need']
      : []),
    ...(worker_login === null
      ? []
      : [`${worker_login} logs in as the worker, and as nothing else`]),
  ].join('\n');
}

const DISTRIBUTION_SAID: Readonly<Record<NonNullable<MigrationAnswer['citus']>, string>> = {
  absent: 'nothing is distributed: this database has no Citus ("create extension citus" adds it)',
  distributed: 'entries, spans, second reports and the usage of runs are distributed by tenant',
  already_distributed: 'distributed already; what looks entries up was rebuilt',
};
