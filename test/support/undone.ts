import { Kysely, PostgresDialect } from 'kysely';
import type pg from 'pg';
import type { Database } from '../../src/database/database.ts';
import type { Tables } from '../../src/database/tables.ts';

/** What a transaction is where another one is around it. */
const WITHIN: Readonly<Record<string, string>> = {
  begin: 'savepoint within',
  'begin isolation level read committed': 'savepoint within',
  commit: 'release savepoint within',
  rollback: 'rollback to savepoint within',
};

/**
 * Does the work on one connection, in a transaction that is rolled back in the end: whatever the work tampers
 * with, the next test finds the ledger as it was.
 */
export async function undone<Result>(
  database: Database,
  work: (inside: Database) => Promise<Result>,
): Promise<Result> {
  const client = await database.pool.connect();
  try {
    await client.query('begin');
    return await work(inside(database.pool, client));
  } finally {
    await client.query('rollback');
    client.release();
  }
}

function inside(outer: pg.Pool, client: pg.PoolClient): Database {
  const query = (statement: unknown, ...rest: readonly unknown[]) => {
    const said = typeof statement === 'string' ? (WITHIN[statement] ?? statement) : statement;
    return Reflect.apply(client.query, client, [said, ...rest]);
  };
  const lent = standIn(client, { query, release: () => {} });
  const pool = standIn(outer, { query, connect: async () => lent });
  return {
    pool,
    bare: pool,
    kysely: new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }),
  };
}

function standIn<Real extends object>(
  real: Real,
  instead: Readonly<Record<string, unknown>>,
): Real {
  return new Proxy(real, {
    get(_real, name) {
      if (typeof name === 'string' && name in instead) return instead[name];
      const value: unknown = Reflect.get(real, name, real);
      return typeof value === 'function' ? value.bind(real) : value;
    },
  });
}
