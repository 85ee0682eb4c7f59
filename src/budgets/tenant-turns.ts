import type { Database } from '../database/database.ts';

/** More would wait for one another's locks in the database, each with a connection that other tenants need. */
const AT_ONCE = 2;

interface Turns {
  underWay: number;
  readonly waiting: (() => void)[];
}

const turnsByPool = new WeakMap<Database['bare'], Map<string, Turns>>();

/** Does a work of a tenant when it is its turn: in the order in which they came, and few of one tenant at once. */
export async function inTurnOfTenant<Result>(
  { bare }: Pick<Database, 'bare'>,
  tenantId: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const byTenant = turnsByPool.get(bare) ?? new Map<string, Turns>();
  turnsByPool.set(bare, byTenant);
  const turns = byTenant.get(tenantId) ?? { underWay: 0, waiting: [] };
  byTenant.set(tenantId, turns);
  if (turns.underWay < AT_ONCE) turns.underWay += 1;
  else await new Promise<void>((begin) => turns.waiting.push(begin));
  try {
    return await work();
  } finally {
    const next = turns.waiting.shift();
    if (next === undefined) turns.underWay -= 1;
    else next();
    if (turns.underWay === 0) byTenant.delete(tenantId);
  }
}
