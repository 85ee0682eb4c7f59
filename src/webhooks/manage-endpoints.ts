import { randomBytes } from 'node:crypto';
import { formatInstant, formatInstantOrNull } from '../clock.ts';
import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';
import { readEndpointUrl } from './address.ts';
import { deliverOne } from './deliver-events.ts';
import {
  deleteEndpoint,
  disableEndpoint,
  type Endpoint,
  insertEndpoint,
  readEndpoint,
  readEndpoints,
} from './endpoint-store.ts';
import { addForEndpoint, replayDeliveries } from './outbox-store.ts';
import { writeSecret } from './signature.ts';
import type {
  AddEndpointRequest,
  AddedEndpointAnswer,
  EndpointRequest,
  EndpointsAnswer,
  EndpointTold,
  RemovedEndpointAnswer,
  ReplayEventsRequest,
  ReplayedEventsAnswer,
  TestedEndpointAnswer,
} from './webhook-answer.ts';
import type { WebhookParts } from './webhook-parts.ts';

/** Adds a receiver; it hears of what happens from now on. The answer has its secret, this one time. */
export async function addEndpoint(
  { database, clock, allowsPrivateWebhooks: allowsPrivate }: Omit<WebhookParts, 'log'>,
  request: AddEndpointRequest,
): Promise<AddedEndpointAnswer> {
  const url = readEndpointUrl(request.url, allowsPrivate);
  const endpoint: Endpoint = {
    endpointId: `whk_${randomBytes(6).toString('hex')}`,
    url: url.href,
    events: request.events,
    secret: randomBytes(32),
    createdAt: clock(),
    createdBy: request.actor,
    disabledAt: null,
    disabledBy: null,
  };
  await insertEndpoint(database, endpoint);
  return { ...tell(endpoint), secret: writeSecret(endpoint.secret) };
}

export async function listEndpoints({
  database,
}: Pick<WebhookParts, 'database'>): Promise<EndpointsAnswer> {
  return (await readEndpoints(database)).map((endpoint) => ({
    ...tell(endpoint),
    delivered: Number(endpoint.delivered),
    pending: Number(endpoint.pending),
    dead: Number(endpoint.dead),
    last_failure: endpoint.lastFailure,
  }));
}

/** Lets a receiver hear of nothing any more, and keeps what it was told. */
export async function endEndpoint(
  { database, clock }: Pick<WebhookParts, 'database' | 'clock'>,
  { endpoint_id: endpointId, actor }: EndpointRequest,
): Promise<EndpointTold> {
  await disableEndpoint(database, endpointId, { actor, at: clock() });
  return tell(await requireEndpoint({ database }, endpointId));
}

/** Takes a receiver away, with what it was told. */
export async function removeEndpoint(
  { database }: Pick<WebhookParts, 'database'>,
  { endpoint_id: endpointId }: EndpointRequest,
): Promise<RemovedEndpointAnswer> {
  await requireEndpoint({ database }, endpointId);
  await deleteEndpoint(database, endpointId);
  return { removed: true, endpoint_id: endpointId };
}

/** Sends a receiver an event that says nothing, at once. */
export async function testEndpoint(
  parts: WebhookParts,
  { endpoint_id: endpointId, actor }: EndpointRequest,
): Promise<TestedEndpointAnswer> {
  const { database, clock } = parts;
  await requireEndpoint(parts, endpointId);
  const at = clock();
  const key = `webhook.test ${endpointId} ${randomBytes(8).toString('hex')}`;
  const happened = {
    kind: 'webhook.test' as const,
    key,
    subject: key,
    occurredAt: at,
    data: { asked_by: actor },
  };
  const eventId = await addForEndpoint(database, happened, endpointId);
  const tried = await deliverOne(parts, { eventId, endpointId });
  const [state, answer] = tried === null ? (['pending', 'it is disabled'] as const) : tried;
  return { endpoint_id: endpointId, event_id: eventId.toString(), state, answer };
}

/** Lets one event, or every event since an instant, be delivered once more under the ids that they had. */
export async function replayEvents(
  { database, clock }: Pick<WebhookParts, 'database' | 'clock'>,
  request: ReplayEventsRequest,
): Promise<ReplayedEventsAnswer> {
  const { event_id: eventId, since, endpoint_id: endpointId } = request;
  if ((eventId === null) === (since === null)) {
    throw new Refusal(
      'bad_request',
      'nothing says what to replay',
      'give one event, or the instant since which all are to be',
    );
  }
  if (endpointId !== null) await requireEndpoint({ database }, endpointId);
  const of = { eventId: eventId === null ? null : BigInt(eventId), since, endpointId };
  return { deliveries: await replayDeliveries(database, { ...of, now: clock() }) };
}

async function requireEndpoint(
  { database }: Pick<WebhookParts, 'database'>,
  endpointId: string,
): Promise<Endpoint> {
  const endpoint = await readEndpoint(database, endpointId);
  if (endpoint !== null) return endpoint;
  throw new Refusal(
    'not_found',
    `there is no endpoint ${endpointId}`,
    advise`see ${{ operation: 'webhook list' }}`,
  );
}

function tell(endpoint: Endpoint): EndpointTold {
  return {
    endpoint_id: endpoint.endpointId,
    url: endpoint.url,
    events: endpoint.events === null ? null : [...endpoint.events],
    created_at: formatInstant(endpoint.createdAt),
    created_by: endpoint.createdBy,
    disabled_at: formatInstantOrNull(endpoint.disabledAt),
    disabled_by: endpoint.disabledBy,
  };
}
