import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { WebhookKind } from './webhook-answer.ts';

/** A receiver of webhooks, with what its deliveries are signed by. */
export interface Endpoint {
  readonly endpointId: string;
  readonly url: string;
  /** The kinds that it hears of; null is all. */
  readonly events: readonly WebhookKind[] | null;
  readonly secret: Buffer;
  readonly createdAt: InstantMs;
  readonly createdBy: string;
  readonly disabledAt: InstantMs | null;
  readonly disabledBy: string | null;
}

interface EndpointRow {
  readonly endpoint_id: string;
  readonly url: string;
  readonly events: readonly WebhookKind[] | null;
  readonly secret: Buffer;
  readonly created_at: InstantMs;
  readonly created_by: string;
  readonly disabled_at: InstantMs | null;
  readonly disabled_by: string | null;
}

const COLUMNS = sql`endpoint_id, url, events, secret, created_at, created_by, disabled_at, disabled_by`;

export async function insertEndpoint(database: Database, endpoint: Endpoint): Promise<void> {
  const { endpointId, url, events, secret, createdAt, createdBy } = endpoint;
  await sql`
    insert into webhook_endpoints (${COLUMNS})
    values (${endpointId}, ${url}, ${events}::text[], ${secret}, ${formatInstant(createdAt)}, ${createdBy}, null, null)
  `.execute(database.kysely);
}

/** Reads one endpoint by its id; null where there is none. */
export async function readEndpoint(
  database: Database,
  endpointId: string,
): Promise<Endpoint | null> {
  const { rows } = await sql<EndpointRow>`
    select ${COLUMNS} from webhook_endpoints where endpoint_id = ${endpointId}`.execute(
    database.kysely,
  );
  return rows[0] === undefined ? null : toEndpoint(rows[0]);
}

export interface EndpointStanding extends Endpoint {
  readonly delivered: bigint;
  readonly pending: bigint;
  readonly dead: bigint;
  readonly lastFailure: string | null;
}

/** Reads all endpoints, the oldest first, with what became of their deliveries. */
export async function readEndpoints(database: Database): Promise<readonly EndpointStanding[]> {
  const { rows } = await sql<
    EndpointRow & Pick<EndpointStanding, 'delivered' | 'pending' | 'dead' | 'lastFailure'>
  >`
    select ${COLUMNS}, d.* from webhook_endpoints w cross join lateral (
      select count(*) filter (where state = 'delivered') as delivered,
        count(*) filter (where state = 'pending') as pending, count(*) filter (where state = 'dead') as dead,
        (array_agg(last_failure order by tried_at desc) filter (where last_failure is not null))[1] as "lastFailure"
      from webhook_deliveries o where o.endpoint_id = w.endpoint_id
    ) d order by created_at, endpoint_id`.execute(database.kysely);
  return rows.map(({ delivered, pending, dead, lastFailure, ...row }) => ({
    ...toEndpoint(row),
    delivered,
    pending,
    dead,
    lastFailure,
  }));
}

/** Lets an endpoint hear of nothing any more; one that is disabled already stays as it was. */
export async function disableEndpoint(
  database: Database,
  endpointId: string,
  by: { readonly actor: string; readonly at: InstantMs },
): Promise<void> {
  await sql`
    update webhook_endpoints set disabled_at = ${formatInstant(by.at)}, disabled_by = ${by.actor}
    where endpoint_id = ${endpointId} and disabled_at is null`.execute(database.kysely);
}

/** Takes an endpoint away with its deliveries; answers whether there was one. */
export async function deleteEndpoint(database: Database, endpointId: string): Promise<boolean> {
  const { rows } = await sql`
    delete from webhook_endpoints where endpoint_id = ${endpointId} returning endpoint_id`.execute(
    database.kysely,
  );
  return rows.length > 0;
}

function toEndpoint(row: EndpointRow): Endpoint {
  return {
    endpointId: row.endpoint_id,
    url: row.url,
    events: row.events,
    secret: row.secret,
    createdAt: row.created_at,
    createdBy: row.created_by,
    disabledAt: row.disabled_at,
    disabledBy: row.disabled_by,
  };
}
