import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../clock.ts';
import type { Database } from '../database/database.ts';

/** The row says how one step of a month's run ended, or that it has not. */
export interface StepRow extends StepEnd {
  readonly startedAt: InstantMs;
}

interface StepEnd {
  readonly step: string;
  readonly state: 'running' | 'done' | 'unfinished' | 'wrong';
  readonly detail: string | null;
}

export async function readSteps(database: Database, month: string): Promise<readonly StepRow[]> {
  const { rows } = await sql<StepRow>`
    select step, state, detail, started_at as "startedAt" from month_run_steps where month = ${month}`.execute(
    database.kysely,
  );
  return rows;
}

/**
 * The step is durable before it begins: a run that dies in it leaves `running`, and the next
 * repeats it.
 */
export async function beginStep(
  database: Database,
  of: { readonly month: string; readonly step: string },
  at: InstantMs,
): Promise<void> {
  await sql`
    insert into month_run_steps (month, step, state, started_at)
      values (${of.month}, ${of.step}, 'running', ${formatInstant(at)})
    on conflict (month, step) do update set state = 'running', started_at = excluded.started_at,
      finished_at = null`.execute(database.kysely);
}

export async function finishStep(
  database: Database,
  of: StepEnd & { readonly month: string },
  at: InstantMs,
): Promise<void> {
  await sql`
    update month_run_steps set state = ${of.state}, detail = ${of.detail}, finished_at = ${formatInstant(at)}
    where month = ${of.month} and step = ${of.step}`.execute(database.kysely);
}

/** Reads when the last of the month's periods was closed; null where none is. */
export async function readLastCloseOf(
  database: Database,
  month: string,
): Promise<InstantMs | null> {
  const { rows } = await sql<{ last: InstantMs | null }>`
    select max(closed_at) as last from closes where to_char(period_start, 'YYYY-MM') = ${month}`.execute(
    database.kysely,
  );
  return rows[0]?.last ?? null;
}
