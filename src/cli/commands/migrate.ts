import type { Command } from 'commander';
import type { Distribution } from '../../database/distribute.ts';
import { distribute } from '../../database/distribute.ts';
import { migrate } from '../../database/migrate.ts';
import { makeRoles } from '../../database/roles.ts';
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
    const database = session.database();
    const applied = await migrate(database);
    const lines = [applied.length === 0 ? 'schema is up to date' : `applied ${applied.join(', ')}`];
    const citus = options.citus === true ? await distribute(database) : null;
    if (citus !== null) lines.push(DISTRIBUTION_SAID[citus]);
    if (options.roles === true) {
      await makeRoles(database);
      lines.push('spanledger_worker, spanledger_reader and spanledger_tenant have what they need');
    }
    const document = { applied, ...(citus === null ? {} : { citus }) };
    session.out.answer(document, lines.join('\n'));
  });
}

const DISTRIBUTION_SAID: Readonly<Record<Distribution, string>> = {
  absent: 'nothing is distributed: this database has no Citus ("create extension citus" adds it)',
  distributed: 'entries, structure spans and rollups are distributed by tenant',
  already_distributed: 'distributed already',
};
