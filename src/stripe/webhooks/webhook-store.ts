import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../../clock.ts';
import type { Database } from '../../database/database.ts';

/**
 * Notes that an event came. True when it is to be handled: it is new, or an earlier delivery broke
 * off before its end. Stripe delivers an event more than once, and in any order.
 */
export async function beginEvent(
  database: Database,
  event: { readonly eventId: string; readonly type: string },
  at: InstantMs,
): Promise<boolean> {
  const { rows } = await sql<{ handled_at: InstantMs | null }>`
    insert into stripe_events (event_id, type, received_at)
      values (${event.eventId}, ${event.type}, ${formatInstant(at)})
    on conflict (event_id) do update set type = excluded.type
    returning handled_at`.execute(database.kysely);
  return (rows[0]?.handled_at ?? null) === null;
}

export async function finishEvent(
  database: Database,
  event: { readonly eventId: string; readonly outcome: string },
  at: InstantMs,
): Promise<void> {
  await sql`update stripe_events set handled_at = ${formatInstant(at)}, outcome = ${event.outcome}
    where event_id = ${event.eventId}`.execute(database.kysely);
}
