import type { Command } from 'commander';
import type { Distribution } from '../database/distribute.ts';
import { distribute } from '../database/distribute.ts';
import { migrate } from '../database/migrate.ts';
import { perform } from './command.ts';

export function addMigrate(program: Command): void {
  const command = program
    .command('migrate')
    .description('bring the schema up to date; safe to run from many processes at once')
    .option('--citus', 'then distribute by tenant what grows with usage, where Citus is present');
  perform<{ citus?: boolean }>(command, async (session, { options }) => {
    const applied = await migrate(session.database());
    const text = applied.length === 0 ? 'schema is up to date' : `applied ${applied.join(', ')}`;
    if (options.citus !== true) return session.out.answer({ applied }, text);
    const citus = await distribute(session.database());
    session.out.answer({ applied, citus }, `${text}\n${DISTRIBUTION_SAID[citus]}`);
  });
}

const DISTRIBUTION_SAID: Readonly<Record<Distribution, string>> = {
  absent: 'nothing is distributed: this database has no Citus ("create extension citus" adds it)',
  distributed: 'entries, structure spans and rollups are distributed by tenant',
  already_distributed: 'distributed already',
};
