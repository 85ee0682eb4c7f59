import type pg from 'pg';
import type { Database } from '../database/database.ts';
import { present } from '../present.ts';
import { Refusal } from '../refusal.ts';

/**
 * These locks decide who may push for a customer and meter: one process at a time, on this machine
 * or another (R18).
 */
export interface PushLocks {
  /** Runs the work while nobody else holds the key; null when somebody else does. */
  whileAlone<Result>(key: string, work: () => Promise<Result>): Promise<Result | null>;
  /**
   * Answers true once the connection is gone and with it every lock: no further request may go out.
   */
  areLost(): boolean;
  close(): Promise<void>;
}

/**
 * Takes session-level advisory locks, all on one connection of their own. It is taken from the pool
 * once, before any work, and held to the end: whoever holds a lock never waits for another
 * connection while holding its own, so that a pool of two is enough for any number of tenants and
 * nothing can deadlock. A process that dies drops the connection, and Postgres frees its locks. A
 * pooler in transaction mode gives each statement another session, so that a lock is nobody's: it is refused.
 */
export async function openPushLocks(database: Database): Promise<PushLocks> {
  const client = await database.bare.connect();
  const session = await ownSession(database, client).catch((error: unknown) => {
    client.release();
    throw error;
  });
  const held = new Set<string>();
  let lost = false;
  const onLost = () => {
    lost = true;
  };
  client.on('error', onLost);
  client.on('end', onLost);
  let last: Promise<unknown> = Promise.resolve();
  // One statement at a time on one connection, in the order asked for.
  const ask = (text: string, key: string): Promise<boolean> => {
    const answer = last.then(async () => {
      const { rows } = await client.query<{ done: boolean; pid: number }>(text, [`push:${key}`]);
      // Another session answers: whatever is locked is no longer ours to rely on.
      if (rows[0]?.pid !== session) refuseSharedSession();
      return rows[0]?.done === true;
    });
    last = answer.catch(onLost);
    return answer;
  };
  return {
    async whileAlone(key, work) {
      // A session may take its own lock twice, so what this process holds is looked up here.
      if (held.has(key)) return null;
      held.add(key);
      try {
        if (!(await ask(LOCK, key))) {
          return null;
        }
        try {
          return await work();
        } finally {
          // A lock that cannot be given back goes with its connection, at the end of the run.
          await ask(UNLOCK, key).catch(onLost);
        }
      } finally {
        held.delete(key);
      }
    },
    areLost: () => lost,
    async close() {
      await last;
      client.off('error', onLost);
      client.off('end', onLost);
      client.release(lost);
    },
  };
}

const LOCK =
  'select pg_try_advisory_lock(hashtextextended($1, 0)) as done, pg_backend_pid() as pid';
const UNLOCK =
  'select pg_advisory_unlock(hashtextextended($1, 0)) as done, pg_backend_pid() as pid';

/** However a pooler chooses among the sessions that are free, two rounds show it; a third is for others at the same time. */
const ROUNDS = 3;

/**
 * Returns the server's process behind a connection. Where it is the one that greeted the
 * connection, nothing stands in between. Else a pooler does; one in transaction mode lends this
 * session to another connection's transaction, or gives this connection another session.
 */
async function ownSession(database: Database, client: pg.PoolClient): Promise<number> {
  const session = await processOf(client);
  if (session === Reflect.get(client, 'processID')) return session;
  const other = await database.bare.connect();
  try {
    for (let round = 1; round <= ROUNDS; round += 1) {
      await other.query('begin');
      const isLent = (await processOf(other)) === session || (await processOf(client)) !== session;
      await other.query('rollback');
      if (isLent) refuseSharedSession();
    }
  } finally {
    other.release();
  }
  return session;
}

function refuseSharedSession(): never {
  throw new Refusal(
    'misconfigured',
    'DATABASE_URL leads through a pooler in transaction mode, where the locks that keep two processes from telling the same period hold nothing; nothing was sent',
    'give the push a DATABASE_URL of Postgres itself, or of the pooler in session mode',
  );
}

async function processOf(client: pg.PoolClient): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return present(rows[0], 'the process of a session').pid;
}
