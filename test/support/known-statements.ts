import type pg from 'pg';

/**
 * Gives each statement that was asked before a name, so that a session which outlives its test parses and plans it
 * once: for a small ledger that costs more than all that is asked. A test cannot tell one from the other.
 */
export function knowStatements(client: pg.PoolClient): void {
  const ask = client.query.bind(client) as (...given: readonly unknown[]) => unknown;
  const known = (...given: readonly unknown[]) => {
    const [text, values, ...others] = given;
    if (typeof text !== 'string' || !Array.isArray(values) || !ASKS.test(text))
      return ask(...given);
    const name = nameOf(text);
    return name === null ? ask(...given) : ask({ name, text, values }, ...others);
  };
  client.query = known as typeof client.query;
}

/** The declaration of a cursor is none: it stands for itself. */
const ASKS = /^\s*(?:with|select|insert|update|delete)\b/i;

const asked = new Map<string, string>();

/** Null for what this worker never asked, and so may never ask again. */
function nameOf(text: string): string | null {
  const name = asked.get(text) ?? null;
  if (name === null) asked.set(text, `known-${asked.size}`);
  return name;
}
