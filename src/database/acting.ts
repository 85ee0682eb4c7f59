import { Kysely, PostgresDialect } from 'kysely';
import type pg from 'pg';
import { type Acting, type Database, inTransaction } from './database.ts';
import type { Tables } from './tables.ts';

/**
 * The same database for one act, of which the journal says who, what and why. A single statement that
 * changes rows becomes a transaction of its own, since what is said of an act holds for a transaction.
 */
export function actingAs({ pool }: Database, acting: Acting): Database {
  const query = (text: string, values: readonly unknown[]): Promise<pg.QueryResult> =>
    CHANGES_ROWS.test(text)
      ? inTransaction(acted, ({ client }) => client.query(text, [...values]))
      : pool.query(text, [...values]);
  const connect = async () => ({ query, release: () => {} });
  const asPool = { connect, end: async () => {} } as unknown as pg.Pool;
  const acted: Database = {
    pool,
    kysely: new Kysely<Tables>({ dialect: new PostgresDialect({ pool: asPool }) }),
    acting,
  };
  return acted;
}

const CHANGES_ROWS = /^\s*(insert|update|delete|with)\b/i;
