import type { Database } from './database.ts';
import { sayingInEach } from './saying.ts';

/** An act: who does it, what it is, and why. */
export interface Acting {
  /** A person, or the key of a program; null where the service acts by itself. */
  readonly actor: string | null;
  /** What is done, in the words of the command that does it. */
  readonly act: string;
  readonly reason: string | null;
}

/** Begins a statement of the hot path that writes, and of which the journal keeps nothing. */
export const UNSAID = '/* outside the journal */';

/**
 * Returns the same database for one act, of which the journal says who, what and why. All that goes
 * without it are statements that begin so, and those that begin with "select": no function that one
 * could call writes, which a test asks the schema.
 */
export function actingAs(database: Database, acting: Acting): Database {
  const said = Object.entries(acting).flatMap(([name, value]) =>
    value === null ? [] : [[`spanledger.${name}`, value]],
  );
  const settings = Object.fromEntries(said);
  return sayingInEach(
    database,
    { settings },
    (statement) => statement.startsWith(UNSAID) || ONLY_READS.test(statement),
  );
}

const ONLY_READS = /^\s*select\b/i;
