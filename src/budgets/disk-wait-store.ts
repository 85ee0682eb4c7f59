import type pg from 'pg';
import type { Database } from '../database/database.ts';

interface Waits {
  /** It ends when the disk has what was committed before it began. */
  underWay: Promise<void> | null;
  /** It begins when the one that is under way ends. */
  next: Promise<void> | null;
}

const waitsByPool = new WeakMap<pg.Pool, Waits>();

/**
 * Waits until the disk has every commit of before, by a commit of its own of nothing. All callers that come while one
 * such commit is under way share the next one: that one may have begun before theirs.
 */
export function waitForDisk({ bare, pool }: Pick<Database, 'bare' | 'pool'>): Promise<void> {
  const waits = waitsByPool.get(bare) ?? { underWay: null, next: null };
  waitsByPool.set(bare, waits);
  if (waits.underWay === null) return begin(pool, waits);
  const beginNext = () => {
    waits.next = null;
    return begin(pool, waits);
  };
  waits.next ??= waits.underWay.then(beginNext, beginNext);
  return waits.next;
}

function begin(pool: pg.Pool, waits: Waits): Promise<void> {
  const underWay = commitNothing(pool).finally(() => {
    waits.underWay = waits.next;
  });
  waits.underWay = underWay;
  return underWay;
}

async function commitNothing(pool: pg.Pool): Promise<void> {
  await pool.query({
    name: 'wait-for-disk',
    text: `select pg_logical_emit_message(true, 'spanledger', '')`,
  });
}
