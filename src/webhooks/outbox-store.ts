import { sql } from 'kysely';
import { formatInstant, formatInstantOrNull, type InstantMs } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { WebhookKind } from './webhook-answer.ts';

/** Something that happened, before it is in the outbox. */
export interface Happened {
  readonly kind: WebhookKind;
  /** Two things with the same key are one, and are only ever told once. */
  readonly key: string;
  /** Events about one subject are delivered in order. */
  readonly subject: string;
  readonly occurredAt: InstantMs;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Puts into the outbox what is not there yet, for every endpoint that hears of it; answers how many were new. */
export async function addToOutbox(
  database: Pick<Database, 'kysely'>,
  happened: readonly Happened[],
): Promise<number> {
  if (happened.length === 0) return 0;
  const { rows } = await sql<{ added: bigint }>`
    with added as (
      insert into webhook_events (kind, event_key, subject, occurred_at, data)
      select kind, key, subject, occurred_at, data
      from jsonb_to_recordset(${JSON.stringify(happened.map(toRow))}::jsonb)
        h(kind text, key text, subject text, occurred_at timestamptz, data jsonb)
      on conflict (event_key) do nothing
      returning event_id, kind, subject, occurred_at
    ), addressed as (
      insert into webhook_deliveries (event_id, endpoint_id, subject, next_try_at)
      select a.event_id, w.endpoint_id, a.subject, a.occurred_at from added a
      join webhook_endpoints w on w.disabled_at is null and (w.events is null or a.kind = any(w.events))
    )
    select count(*) as added from added`.execute(database.kysely);
  return Number(rows[0]?.added ?? 0);
}

/** Puts a thing into the outbox for one endpoint alone, whatever it hears of; answers the event's number. */
export async function addForEndpoint(
  database: Database,
  happened: Happened,
  endpointId: string,
): Promise<bigint> {
  const { kind, key, subject, occurredAt, data } = happened;
  const { rows } = await sql<{ event_id: bigint }>`
    with added as (
      insert into webhook_events (kind, event_key, subject, occurred_at, data)
      values (${kind}, ${key}, ${subject}, ${formatInstant(occurredAt)}, ${JSON.stringify(data)}::jsonb)
      returning event_id
    ), addressed as (
      insert into webhook_deliveries (event_id, endpoint_id, subject, next_try_at)
      select event_id, ${endpointId}, ${subject}, ${formatInstant(occurredAt)} from added
    )
    select event_id from added`.execute(database.kysely);
  const [row] = rows;
  if (row === undefined) throw new Error('an event that was added has a number');
  return row.event_id;
}

function toRow({ kind, key, subject, occurredAt, data }: Happened) {
  return { kind, key, subject, occurred_at: formatInstant(occurredAt), data };
}

/** Reads the endpoints that something is due for. */
export async function readDueEndpoints(
  database: Database,
  now: InstantMs,
): Promise<readonly string[]> {
  const { rows } = await sql<{ endpoint_id: string }>`
    select endpoint_id from webhook_endpoints w where disabled_at is null and exists (
      select from webhook_deliveries d where d.endpoint_id = w.endpoint_id and d.state = 'pending'
        and d.next_try_at <= ${formatInstant(now)})
    order by endpoint_id`.execute(database.kysely);
  return rows.map(({ endpoint_id }) => endpoint_id);
}

/** A delivery that is due, taken by whoever reads it for as long as a try may last. */
export interface DueDelivery {
  readonly event_id: bigint;
  readonly endpoint_id: string;
  readonly attempts: number;
  readonly first_tried_at: InstantMs;
  readonly kind: WebhookKind;
  readonly occurred_at: InstantMs;
  readonly data: Readonly<Record<string, unknown>>;
  readonly url: string;
  readonly secret: Buffer;
}

/** What was taken is not due again before this; a process that was killed meanwhile lets it be taken then. */
const TAKEN_MS = 60_000;

/**
 * Takes deliveries that are due, of each endpoint and subject the first alone: whoever hears of a subject hears in order.
 * Others take other ones at the same time.
 */
export async function takeDue(
  database: Database,
  of: {
    readonly now: InstantMs;
    readonly limit: number;
    readonly endpointId: string;
    /** It is null for every event. */
    readonly eventId: bigint | null;
  },
): Promise<readonly DueDelivery[]> {
  const now = formatInstant(of.now);
  const { rows } = await sql<DueDelivery>`
    with due as (
      select d.event_id, d.endpoint_id from webhook_deliveries d
      join webhook_endpoints w on w.endpoint_id = d.endpoint_id and w.disabled_at is null
      where d.endpoint_id = ${of.endpointId} and d.state = 'pending' and d.next_try_at <= ${now}
        and (${of.eventId}::bigint is null or d.event_id = ${of.eventId})
        and not exists (select from webhook_deliveries f where f.endpoint_id = d.endpoint_id
          and f.subject = d.subject and f.state = 'pending' and f.event_id < d.event_id)
      order by d.next_try_at, d.event_id limit ${of.limit}
      for update of d skip locked
    ), taken as (
      update webhook_deliveries d set attempts = d.attempts + 1, tried_at = ${now},
        first_tried_at = coalesce(d.first_tried_at, ${now}), next_try_at = ${formatInstant(of.now + TAKEN_MS)}
      from due where d.event_id = due.event_id and d.endpoint_id = due.endpoint_id
      returning d.event_id, d.endpoint_id, d.attempts, d.first_tried_at
    )
    select t.*, e.kind, e.occurred_at, e.data, w.url, w.secret from taken t
    join webhook_events e using (event_id) join webhook_endpoints w using (endpoint_id)
    order by t.event_id`.execute(database.kysely);
  return rows;
}

export type DeliveryKey = Pick<DueDelivery, 'event_id' | 'endpoint_id'>;

/** Writes down what became of a try. */
export async function endTry(
  database: Database,
  key: DeliveryKey,
  ended: {
    readonly state: 'delivered' | 'pending' | 'dead';
    readonly failure: string | null;
    readonly nextTryAt: InstantMs | null;
  },
): Promise<void> {
  const { state, failure, nextTryAt } = ended;
  await sql`
    update webhook_deliveries set state = ${state}, last_failure = coalesce(${failure}::text, last_failure),
      next_try_at = coalesce(${formatInstantOrNull(nextTryAt)}::timestamptz, next_try_at)
    where event_id = ${key.event_id} and endpoint_id = ${key.endpoint_id}`.execute(database.kysely);
}

/** Lets events be delivered once more, to endpoints that hear of them; answers how many deliveries there are. */
export async function replayDeliveries(
  database: Database,
  of: {
    readonly eventId: bigint | null;
    readonly since: InstantMs | null;
    readonly endpointId: string | null;
    readonly now: InstantMs;
  },
): Promise<number> {
  const since = formatInstantOrNull(of.since);
  const { rows } = await sql<{ deliveries: bigint }>`
    with replayed as (
      insert into webhook_deliveries as d (event_id, endpoint_id, subject, next_try_at)
      select e.event_id, w.endpoint_id, e.subject, ${formatInstant(of.now)}
      from webhook_events e join webhook_endpoints w on w.disabled_at is null
        and (w.events is null or e.kind = any(w.events)) and e.kind <> 'webhook.test'
      where (${of.eventId}::bigint is null or e.event_id = ${of.eventId})
        and (${since}::timestamptz is null or e.occurred_at >= ${since})
        and (${of.endpointId}::text is null or w.endpoint_id = ${of.endpointId})
      on conflict (event_id, endpoint_id) do update set state = 'pending', attempts = 0, first_tried_at = null,
        next_try_at = excluded.next_try_at
      returning 1
    ) select count(*) as deliveries from replayed`.execute(database.kysely);
  return Number(rows[0]?.deliveries ?? 0);
}

/** Counts how many deliveries wait for their next try. */
export async function countPending(database: Database): Promise<number> {
  const { rows } = await sql<{ pending: bigint }>`
    select count(*) as pending from webhook_deliveries d join webhook_endpoints w using (endpoint_id)
    where d.state = 'pending' and w.disabled_at is null`.execute(database.kysely);
  return Number(rows[0]?.pending ?? 0);
}
