import { inject } from 'vitest';

import { createDatabase, createPlainDatabase, type TestDatabase } from './database.ts';

/** Whoever sets SPANLEDGER_CITUS_URL has a cluster; else there is nothing to compare with one Postgres. */
export const hasCluster = inject('cluster') !== null;

/** Three servers of one small machine fill a month. */
export const CLUSTER_IS_SLOW_MS = 300_000;

/** One of two ledgers that are to be the same. */
export interface Side {
  readonly database: TestDatabase;
  readonly url: string;
  readonly drop: () => Promise<void>;
}

/** Opens an empty ledger on one Postgres, and one that is distributed. */
export async function openSides(): Promise<readonly [Side, Side]> {
  return [await openSide(createPlainDatabase), await openSide(createDatabase)];
}

async function openSide(create: () => Promise<Omit<Side, 'url'>>): Promise<Side> {
  const { database, drop } = await create();
  // A batch's salt is random, and part of every hash.
  await database.pool.query("alter table batches alter column salt set default '\\x5a17'::bytea");
  return { database, url: database.url, drop };
}
