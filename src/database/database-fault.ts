import { ClocksApart } from './clocks-apart.ts';
import { isDatabaseAway, sqlState } from './database.ts';

/**
 * What a failed transaction blames.
 *
 * - `values`: the rows that it was given, or our own code while it worked on them. Without one of them the
 *   rest would pass.
 * - `away`: nobody; the server is away, restarting, out of room or busy, or a clock is wrong, and the same is right
 *   later.
 * - `refusing`: the database itself, which answers and refuses, whatever rows it is given: a missing grant,
 *   table or column, a statement that was timed out, a server that only reads, a plan that cannot be made.
 */
export type DatabaseFault = 'values' | 'away' | 'refusing';

/** Classes of SQLSTATE: data exceptions, broken constraints, and values beyond a limit of the server. */
const OF_VALUES = /^(22|23|54)/;
const READ_ONLY = '25006';

/**
 * Keys whose numbers the database gives by itself. They meet where a sequence was set back, or a copy was restored without it, and then no
 * event is to blame.
 */
const GIVEN_NUMBERS: ReadonlySet<unknown> = new Set([
  'batches_pkey',
  'changes_pkey',
  'quarantine_pkey',
]);

export function faultOf(error: unknown): DatabaseFault {
  if (error instanceof ClocksApart) return 'away';
  const state = sqlState(error);
  if (state === null) return isDatabaseAway(error) ? 'away' : 'values';
  if (GIVEN_NUMBERS.has(constraintOf(error))) return 'refusing';
  if (OF_VALUES.test(state)) return 'values';
  return isDatabaseAway(error) && state !== READ_ONLY ? 'away' : 'refusing';
}

/** The constraint that Postgres says was broken. */
function constraintOf(error: unknown): unknown {
  return error instanceof Error && 'constraint' in error ? error.constraint : null;
}
