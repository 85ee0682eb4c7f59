import { readFile } from 'node:fs/promises';
import type { Database } from './database.ts';
import { MIGRATIONS } from './migrate.ts';

/** `absent`: this database has no Citus, and stays as it is. */
export type Distribution = 'absent' | 'distributed' | 'already_distributed';

/**
 * Distributes by tenant the tables that grow with usage, where the database has the Citus extension.
 * Once, in one transaction; the schema must be up to date.
 */
export async function distribute(database: Database): Promise<Distribution> {
  if (!(await hasCitus(database))) return 'absent';
  if (await isDistributed(database)) return 'already_distributed';
  const text = await readFile(`${MIGRATIONS}citus.sql`, 'utf8');
  // Several statements without parameters are one transaction.
  await database.pool.query(text);
  return 'distributed';
}

async function hasCitus(database: Database): Promise<boolean> {
  const { rows } = await database.pool.query("select 1 from pg_extension where extname = 'citus'");
  return rows.length > 0;
}

async function isDistributed(database: Database): Promise<boolean> {
  const { rows } = await database.pool.query(
    "select 1 from pg_dist_partition where logicalrelid = 'entries'::regclass",
  );
  return rows.length > 0;
}
