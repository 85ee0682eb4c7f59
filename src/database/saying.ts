import { Kysely, PostgresDialect } from 'kysely';
import type pg from 'pg';
import { beginSaying, type Database, inTransaction, type Saying } from './database.ts';
import type { Tables } from './tables.ts';

/**
 * The same database, in each of whose transactions something is said. It is never said to a session, which a
 * pooler lends to others: a statement by itself becomes a transaction of its own, but for those that need
 * nothing said.
 */
export function sayingInEach(
  { bare, heldAgainst }: Pick<Database, 'bare' | 'heldAgainst'>,
  saying: Saying,
  needsNothing: (statement: string) => boolean,
): Database {
  const query = (statement: string | pg.QueryConfig, values?: unknown[]) =>
    needsNothing(textOf(statement))
      ? bare.query(statement, values)
      : inTransaction(database, ({ client }) => client.query(statement, values));
  const connect = async () => new SayingClient(query, database);
  // It is the part of a pool that our stores use; whoever opened the pool below ends it.
  const pool = { connect, query, end: async () => {} } as unknown as pg.Pool;
  const kysely = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  const database: Database = {
    pool,
    bare,
    kysely,
    saying,
    ...(heldAgainst === undefined ? {} : { heldAgainst }),
  };
  return database;
}

type Query = (statement: string | pg.QueryConfig, values?: unknown[]) => Promise<pg.QueryResult>;

/** A connection as the query builder uses one: for a statement by itself, or for a transaction that it begins. */
class SayingClient {
  readonly #alone: Query;
  readonly #database: Database;
  /** It is taken when a transaction begins. */
  #client: pg.PoolClient | null = null;

  constructor(alone: Query, database: Database) {
    this.#alone = alone;
    this.#database = database;
  }

  async query(
    statement: string | pg.QueryConfig,
    values?: unknown[],
  ): Promise<Pick<pg.QueryResult, 'rows'>> {
    if (BEGINS.test(textOf(statement))) {
      this.#client ??= await this.#database.bare.connect();
      await beginSaying(this.#client, textOf(statement), this.#database);
      return { rows: [] };
    }
    return this.#client === null
      ? this.#alone(statement, values)
      : this.#client.query(statement, values);
  }

  release(broken?: Error | boolean): void {
    this.#client?.release(broken);
    this.#client = null;
  }
}

const BEGINS = /^\s*(?:begin|start transaction)\b/i;

function textOf(statement: string | pg.QueryConfig): string {
  return typeof statement === 'string' ? statement : statement.text;
}
