import type { Command } from 'commander';
import { migrateDatabase } from '../../database/migrate-database.ts';
import type { MigrationAnswer } from '../../database/migration-answer.ts';
import { migrationRequest } from '../../database/migration-answer.ts';
import { readRequest } from '../../request.ts';
import { perform } from '../terminal/command.ts';

export function addMigrate(program: Command): void {
  const command = program
    .command('migrate')
    .description('bring the schema up to date; safe to run from many processes at once')
    .option('--citus', 'then distribute by tenant what grows with usage, where Citus is present')
    .option(
      '--roles',
      'then make the roles of worker, reader and tenant, and grant what each needs',
    );
  perform<{ citus?: boolean; roles?: boolean }>(command, async (session, { options }) => {
    const { citus = false, roles = false } = options;
    const request = readRequest(migrationRequest, { citus, roles });
    const answer = await migrateDatabase(session.parts(), request);
    session.out.answer(answer, render);
  });
}

function render({ applied, citus, roles }: MigrationAnswer): string {
  return [
    applied.length === 0 ? 'schema is up to date' : `applied ${applied.join(', ')}`,
    ...(citus === null ? [] : [DISTRIBUTION_SAID[citus]]),
    ...(roles
      ? ['spanledger_worker, spanledger_reader and spanledger_tenant have what they need']
      : []),
  ].join('\n');
}

const DISTRIBUTION_SAID: Readonly<Record<NonNullable<MigrationAnswer['citus']>, string>> = {
  absent: 'nothing is distributed: this database has no Citus ("create extension citus" adds it)',
  distributed: 'entries, structure spans and rollups are distributed by tenant',
  already_distributed: 'distributed already',
};
