import { formatInstant, type InstantMs } from '../clock.ts';
import { nextTry, readRetryAfter } from './backoff.ts';
import { sendSigned, type Tried } from './delivery-client.ts';
import { disableEndpoint } from './endpoint-store.ts';
import { type DueDelivery, endTry, readDueEndpoints, takeDue } from './outbox-store.ts';
import { signedHeaders } from './signature.ts';
import type { WebhookParts } from './webhook-parts.ts';

interface DeliveredCounts {
  readonly delivered: number;
  readonly failed: number;
  readonly dead: number;
}

/** So many requests are on their way to one receiver at once. */
const AT_ONCE = 10;

/**
 * Delivers what is due; at least once, since a process may die between an answer and its note. Every receiver is
 * asked beside the others, and one that fails is left alone until the next look. Once the signal is aborted nothing more is begun.
 */
export async function deliverDue(
  parts: WebhookParts,
  stop: AbortSignal | null = null,
): Promise<DeliveredCounts> {
  const endpoints = await readDueEndpoints(parts.database, parts.clock());
  const ended = await Promise.all(
    endpoints.map((endpointId) => deliverTo(parts, endpointId, stop)),
  );
  const states = ended.flat();
  const count = (state: Ended) => states.filter((one) => one === state).length;
  return { delivered: count('delivered'), failed: count('pending'), dead: count('dead') };
}

async function deliverTo(
  parts: WebhookParts,
  endpointId: string,
  stop: AbortSignal | null,
): Promise<readonly Ended[]> {
  const states: Ended[] = [];
  while (stop?.aborted !== true) {
    const of = { now: parts.clock(), limit: AT_ONCE, endpointId, eventId: null };
    const due = await takeDue(parts.database, of);
    const ended = await Promise.all(due.map((delivery) => deliver(parts, delivery)));
    states.push(...ended.map(([state]) => state));
    if (due.length === 0 || ended.some(([state]) => state !== 'delivered')) break;
  }
  return states;
}

/** Delivers one event that is due, to the one endpoint that hears of it; null where it is not due. */
export async function deliverOne(
  parts: WebhookParts,
  of: { readonly eventId: bigint; readonly endpointId: string },
): Promise<readonly [Ended, answer: string] | null> {
  const [due] = await takeDue(parts.database, { now: parts.clock(), limit: 1, ...of });
  return due === undefined ? null : deliver(parts, due);
}

type Ended = 'delivered' | 'pending' | 'dead';

async function deliver(
  parts: WebhookParts,
  delivery: DueDelivery,
): Promise<readonly [Ended, answer: string]> {
  const { database, clock, allowsPrivateWebhooks: allowsPrivate } = parts;
  const tried = await sendSigned(requestOf(delivery, Math.floor(clock() / 1000)), {
    allowsPrivate,
  });
  const now = clock();
  const nextTryAt = tried.kind === 'failed' ? nextTryOf(delivery, tried, now) : null;
  const state = stateOf(tried, nextTryAt);
  const failure = tried.kind === 'taken' ? null : tried.answer;
  await endTry(database, delivery, { state, failure, nextTryAt });
  if (tried.kind === 'gone') {
    // Standard Webhooks: a receiver that answers 410 wants nothing any more.
    const by = { actor: 'its receiver, which answers 410', at: now };
    await disableEndpoint(database, delivery.endpoint_id, by);
  }
  return [state, tried.answer];
}

function nextTryOf(
  { attempts, first_tried_at: first }: DueDelivery,
  { retryAfter }: Tried,
  now: InstantMs,
) {
  return nextTry(attempts, { first, now, notBefore: readRetryAfter(retryAfter, now) });
}

function stateOf({ kind }: Tried, nextTryAt: number | null): Ended {
  if (kind === 'taken') return 'delivered';
  return kind === 'failed' && nextTryAt !== null ? 'pending' : 'dead';
}

/** Makes a request of the same bytes at every try. */
function requestOf(delivery: DueDelivery, atSeconds: number) {
  const { event_id, kind, occurred_at, data, url, secret } = delivery;
  const body = JSON.stringify({ type: kind, timestamp: formatInstant(occurred_at), data });
  return { url, body, headers: signedHeaders({ id: `evt_${event_id}`, body, secret }, atSeconds) };
}
