import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../clock.ts';
import type { Database } from '../database/database.ts';

interface Action {
  readonly keyId: string;
  readonly idempotencyKey: string;
  readonly requestHash: Buffer;
}

interface BegunAction {
  readonly requestHash: Buffer;
  readonly begunAt: InstantMs;
  /** It is null while it is under way. */
  readonly answered: { readonly status: number; readonly answer: string } | null;
}

interface ActionRow {
  readonly request_hash: Buffer;
  readonly begun_at: InstantMs;
  readonly status: number | null;
  readonly answer: string | null;
}

/** Begins an action, and answers null; or what is known of the one that was begun before. */
export async function beginAction(
  database: Database,
  { keyId, idempotencyKey, requestHash }: Action,
  now: InstantMs,
): Promise<BegunAction | null> {
  const inserted = await sql`
    insert into http_actions (key_id, idempotency_key, request_hash, begun_at)
    values (${keyId}, ${idempotencyKey}, ${requestHash}, ${formatInstant(now)})
    on conflict do nothing returning key_id`.execute(database.kysely);
  if (inserted.rows.length > 0) return null;
  const { rows } = await sql<ActionRow>`
    select request_hash, begun_at, status, answer from http_actions
    where key_id = ${keyId} and idempotency_key = ${idempotencyKey}`.execute(database.kysely);
  const [row] = rows;
  // It failed and was forgotten between the two: whoever asks again begins it.
  if (row === undefined) return { requestHash, begunAt: now, answered: null };
  const { status, answer } = row;
  const answered = status === null || answer === null ? null : { status, answer };
  return { requestHash: row.request_hash, begunAt: row.begun_at, answered };
}

/** Keeps what an action was answered. */
export async function endAction(
  database: Database,
  { keyId, idempotencyKey }: Action,
  { status, answer }: { readonly status: number; readonly answer: string },
): Promise<void> {
  await sql`update http_actions set status = ${status}, answer = ${answer}
    where key_id = ${keyId} and idempotency_key = ${idempotencyKey}`.execute(database.kysely);
}

/** Forgets an action that was not done. */
export async function forgetAction(
  database: Database,
  { keyId, idempotencyKey }: Action,
): Promise<void> {
  await sql`delete from http_actions
    where key_id = ${keyId} and idempotency_key = ${idempotencyKey} and status is null`.execute(
    database.kysely,
  );
}

/** Takes over an action that a process left; false where another one took it first. */
export async function takeOverAction(
  database: Database,
  { keyId, idempotencyKey }: Action,
  of: { readonly now: InstantMs; readonly before: InstantMs },
): Promise<boolean> {
  const { rows } = await sql`update http_actions set begun_at = ${formatInstant(of.now)}
    where key_id = ${keyId} and idempotency_key = ${idempotencyKey} and status is null
      and begun_at = ${formatInstant(of.before)} returning key_id`.execute(database.kysely);
  return rows.length > 0;
}
