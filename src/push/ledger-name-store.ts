import { sql } from 'kysely';
import type { Database } from '../database/database.ts';

/**
 * Reads the name that a migration gave this ledger once; a restored copy keeps it, another ledger
 * has another.
 */
export async function readLedgerName(database: Database): Promise<string> {
  const { rows } = await sql<{ name: string }>`select name from ledger_name`.execute(
    database.kysely,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the ledger has no name, which a migration gives it');
  return row.name;
}
