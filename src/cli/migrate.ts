import type { Command } from 'commander';
import { migrate } from '../database/migrate.ts';
import { perform } from './command.ts';

export function addMigrate(program: Command): void {
  const command = program
    .command('migrate')
    .description('bring the schema up to date; safe to run from many processes at once');
  perform(command, async (session) => {
    const applied = await migrate(session.database());
    const text = applied.length === 0 ? 'schema is up to date' : `applied ${applied.join(', ')}`;
    session.out.answer({ applied }, text);
  });
}
