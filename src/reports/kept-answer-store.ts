import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../clock.ts';
import type { Database } from '../database/database.ts';

/** An answer that was made, when it was asked for, and how long it took. */
export interface MadeAnswer {
  readonly answer: unknown;
  readonly at: InstantMs;
  readonly tookMs: number;
}

/** Reads the last answer that a server kept; null where there is none. */
export async function readKeptAnswer(
  database: Database,
  question: string,
): Promise<MadeAnswer | null> {
  const { rows } = await sql<{ answer: unknown; asked_at: InstantMs; took_ms: number }>`
    select answer, asked_at, took_ms from kept_answers where question = ${question}`.execute(
    database.kysely,
  );
  const [row] = rows;
  return row === undefined ? null : { answer: row.answer, at: row.asked_at, tookMs: row.took_ms };
}

/** Keeps an answer in the place of an older one, and forgets those that nobody asked for since long. */
export async function keepAnswer(
  database: Database,
  question: string,
  { answer, at, tookMs }: MadeAnswer,
): Promise<void> {
  const asked = formatInstant(at);
  await sql`
    with forgotten as (
      delete from kept_answers
      where asked_at < ${asked}::timestamptz - interval '62 days' and question <> ${question})
    insert into kept_answers (question, answer, asked_at, took_ms)
    values (${question}, ${JSON.stringify(answer)}, ${asked}, ${tookMs})
    on conflict (question) do update
      set answer = excluded.answer, asked_at = excluded.asked_at, took_ms = excluded.took_ms
      where kept_answers.asked_at < excluded.asked_at`.execute(database.kysely);
}
