import { expect } from 'vitest';
import type { Database } from '../../src/database/database.ts';

/** Does what nobody can do by accident: writes past the triggers that refuse it, as a superuser can. */
export async function tamper(database: Database, statements: string): Promise<void> {
  const client = await database.pool.connect();
  try {
    await client.query('set session_replication_role = replica');
    const results = await client.query(statements);
    const last = Array.isArray(results) ? results.at(-1) : results;
    expect(last.rowCount, 'rows tampered with').toBeGreaterThan(0);
    await client.query('set session_replication_role = default');
  } finally {
    client.release();
  }
}

/** Sets intents back as no command and no hand may, and leaves every other promise of the database as it is. */
export async function setIntentsBack(database: Database, statement: string): Promise<void> {
  const guard = 'trigger push_intents_keep_their_body';
  await database.pool.query(`begin; alter table push_intents disable ${guard};
    ${statement}; alter table push_intents enable ${guard}; commit`);
}
