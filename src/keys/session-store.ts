import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { ConsoleSession } from './session.ts';

interface SessionRow {
  readonly session_hash: Buffer;
  readonly key_id: string;
  readonly begun_at: InstantMs;
  readonly renewed_at: InstantMs;
  readonly ends_at: InstantMs;
}

/** Keeps a session, and forgets those that have ended. */
export async function insertSession(
  database: Database,
  session: ConsoleSession,
  now: InstantMs,
): Promise<void> {
  await sql`
    with ended as (delete from console_sessions where ends_at <= ${formatInstant(now)})
    insert into console_sessions (session_hash, key_id, begun_at, renewed_at, ends_at)
    values (${session.sessionHash}, ${session.keyId}, ${formatInstant(session.begunAt)},
      ${formatInstant(session.renewedAt)}, ${formatInstant(session.endsAt)})`.execute(
    database.kysely,
  );
}

/** Reads the session of a token that has not ended; null where there is none. */
export async function readSession(
  database: Database,
  sessionHash: Buffer,
  now: InstantMs,
): Promise<ConsoleSession | null> {
  const { rows } = await sql<SessionRow>`
    select session_hash, key_id, begun_at, renewed_at, ends_at from console_sessions
    where session_hash = ${sessionHash} and ends_at > ${formatInstant(now)}`.execute(
    database.kysely,
  );
  const [row] = rows;
  if (row === undefined) return null;
  return {
    sessionHash: row.session_hash,
    keyId: row.key_id,
    begunAt: row.begun_at,
    renewedAt: row.renewed_at,
    endsAt: row.ends_at,
  };
}

/** Ends a session at an instant, and never later than it would have ended; false where it ended already. */
export async function shortenSession(
  database: Database,
  sessionHash: Buffer,
  endsAt: InstantMs,
): Promise<boolean> {
  const { rows } = await sql`
    update console_sessions set ends_at = ${formatInstant(endsAt)}
    where session_hash = ${sessionHash} and ends_at > ${formatInstant(endsAt)}
    returning key_id`.execute(database.kysely);
  return rows.length > 0;
}
