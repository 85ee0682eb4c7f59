import { Kysely, PostgresDialect } from 'kysely';
import type pg from 'pg';
import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';
import { type Database, isNotAllowed, sqlState } from './database.ts';
import type { Tables } from './tables.ts';

/**
 * The database as one tenant may see it. Every connection that is taken from it works as
 * `spanledger_tenant` under row-level security, with the views of the schema `wall` before the tables of the
 * same names, until it is given back. Throws a `Refusal` where that role was not made, or may not be taken.
 */
export function behindWall({ pool }: Database, tenantId: string): Database {
  const walled = new WalledPool(pool, tenantId);
  const asPool = walled as unknown as pg.Pool;
  return {
    pool: asPool,
    kysely: new Kysely<Tables>({ dialect: new PostgresDialect({ pool: asPool }) }),
  };
}

/** The part of a pool that our stores use. */
class WalledPool {
  readonly #pool: pg.Pool;
  readonly #tenantId: string;

  constructor(pool: pg.Pool, tenantId: string) {
    this.#pool = pool;
    this.#tenantId = tenantId;
  }

  async connect(): Promise<pg.PoolClient> {
    const client = await this.#pool.connect();
    const giveBack = client.release;
    try {
      await enter(client, this.#tenantId);
    } catch (error) {
      // What was half set must serve nobody else.
      giveBack.call(client, true);
      throw explainWall(error);
    }
    client.release = (broken?: Error | boolean) => {
      if (broken) return giveBack.call(client, broken);
      leave(client).then(
        () => giveBack.call(client),
        () => giveBack.call(client, true),
      );
    };
    return client;
  }

  async query(text: string, values: unknown[] = []): Promise<pg.QueryResult> {
    const client = await this.connect();
    try {
      return await client.query(text, values);
    } finally {
      client.release();
    }
  }

  /** The pool below is another's to end. */
  async end(): Promise<void> {}
}

/** The tenant is named before the role is taken, and both hold for the session until it is left. */
async function enter(client: pg.PoolClient, tenantId: string): Promise<void> {
  await client.query(
    `select set_config('spanledger.tenant', $1, false), set_config('search_path', 'wall, public', false),
       set_config('role', 'spanledger_tenant', false)`,
    [tenantId],
  );
}

async function leave(client: pg.PoolClient): Promise<void> {
  await client.query('reset role; reset search_path; reset spanledger.tenant');
}

/** A role that is not there cannot be set (22023); one that was not granted may not be (42501). */
function explainWall(error: unknown): unknown {
  if (sqlState(error) !== '22023' && !isNotAllowed(error)) return error;
  return new Refusal(
    'misconfigured',
    "the database's user may not work as spanledger_tenant, which a tenant's key needs",
    advise`run ${{ operation: 'migrate', roles: true }}, and grant spanledger_tenant to the user of the server`,
  );
}
