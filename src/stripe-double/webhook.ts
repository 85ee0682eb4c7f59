import { createHmac, randomBytes } from 'node:crypto';
import type Stripe from 'stripe';
import { z } from 'zod';
import { HOUR_MS, systemClock } from '../clock.ts';
import { type Account, found } from './account.ts';
import { type Endpoint, endpoint, pathId } from './endpoint.ts';
import { listPage, newestFirst } from './list-page.ts';
import { metadata } from './metadata.ts';
import { newId } from './object-id.ts';
import { expandable, listOf, pageParams, text } from './params.ts';
import type { Delivery, WebhookEndpoint } from './stripe-object.ts';

const PATH = '/v1/webhook_endpoints';
/** Retries go on for about three days, at growing distances. The distances are an assumption. */
const RETRY_SPAN_MS = 72 * HOUR_MS;
const RETRY_DISTANCE_MAX_MS = 12 * HOUR_MS;
/** Real time, not the double's: an endpoint that takes longer counts as failing. */
const ANSWER_TIMEOUT_MS = 10_000;

export const webhookEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'POST',
    path: PATH,
    params: z.strictObject({
      ...expandable,
      url: text,
      enabled_events: listOf(text),
      description: z.string().optional(),
      metadata: metadata.optional(),
      api_version: text.optional(),
    }),
    run: ({ account }, params) =>
      addWebhookEndpoint(account, { url: params.url, enabledEvents: params.enabled_events }),
  }),
  endpoint({
    method: 'GET',
    path: PATH,
    params: z.strictObject(pageParams),
    run: ({ account }, params) => {
      const endpoints = newestFirst(account.webhookEndpoints.values());
      return listPage(endpoints.map(withoutSecret), params, PATH);
    },
  }),
  endpoint({
    method: 'DELETE',
    path: `${PATH}/:id`,
    params: z.strictObject({}),
    run: (call) => {
      const { id } = found(call.account.webhookEndpoints, 'webhook endpoint', pathId(call));
      call.account.webhookEndpoints.delete(id);
      return {
        id,
        object: 'webhook_endpoint',
        deleted: true,
      } satisfies Stripe.DeletedWebhookEndpoint;
    },
  }),
];

export interface WebhookEndpointSeed {
  readonly url: string;
  /** Event types, or `*` for all. Thin events go to the same endpoints. Default: all. */
  readonly enabledEvents?: readonly string[] | undefined;
  /** The signing secret; by default a new one. */
  readonly secret?: string | undefined;
}

export function addWebhookEndpoint(account: Account, seed: WebhookEndpointSeed): WebhookEndpoint {
  const webhookEndpoint = {
    id: newId('we'),
    object: 'webhook_endpoint',
    api_version: null,
    application: null,
    created: account.clock.nowSeconds(),
    description: null,
    enabled_events: [...(seed.enabledEvents ?? ['*'])],
    livemode: false,
    metadata: {},
    secret: seed.secret ?? `whsec_${randomBytes(16).toString('hex')}`,
    status: 'enabled',
    url: seed.url,
  } satisfies WebhookEndpoint;
  account.webhookEndpoints.set(webhookEndpoint.id, webhookEndpoint);
  return webhookEndpoint;
}

/** Returns the endpoints that want events of a type. */
function subscribers(account: Account, type: string): WebhookEndpoint[] {
  return [...account.webhookEndpoints.values()].filter(
    ({ enabled_events }) => enabled_events.includes('*') || enabled_events.includes(type),
  );
}

/** Puts an event on its way to every endpoint that wants it; due at once. */
export function scheduleDeliveries(
  account: Account,
  event: { readonly type: string; readonly data?: { readonly object: object } },
  body: object,
): void {
  const now = account.clock.now();
  for (const { id } of subscribers(account, event.type)) {
    account.deliveries.push({
      endpointId: id,
      type: event.type,
      objectId: idOf(event.data?.object),
      body: JSON.stringify(body),
      firstDueAt: now,
      dueAt: now,
      attempt: 1,
    });
  }
}

/**
 * Posts one delivery and says whether the endpoint answered 2xx. A failed one is scheduled again
 * until three days have passed. Never throws. Nothing is sent to an endpoint that was deleted.
 */
export async function deliver(account: Account, delivery: Delivery): Promise<boolean> {
  const webhookEndpoint = account.webhookEndpoints.get(delivery.endpointId);
  if (webhookEndpoint === undefined) return true;
  const delivered = await post(webhookEndpoint, delivery.body);
  const retry = retryOf(delivery);
  if (!delivered && retry !== null) account.deliveries.push(retry);
  return delivered;
}

async function post({ url, secret }: WebhookEndpoint, body: string): Promise<boolean> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'stripe-signature': signatureHeader(body, secret),
      },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

function retryOf(delivery: Delivery): Delivery | null {
  const distance = Math.min(2 ** (delivery.attempt - 1) * HOUR_MS, RETRY_DISTANCE_MAX_MS);
  const dueAt = delivery.dueAt + distance;
  if (dueAt - delivery.firstDueAt > RETRY_SPAN_MS) return null;
  return { ...delivery, dueAt, attempt: delivery.attempt + 1 };
}

/**
 * The signature is dated by the system clock, since the receiver checks its age against its own.
 */
function signatureHeader(body: string, secret: string): string {
  const sentAt = Math.floor(systemClock() / 1000);
  const signature = createHmac('sha256', secret).update(`${sentAt}.${body}`).digest('hex');
  return `t=${sentAt},v1=${signature}`;
}

function withoutSecret({ secret: _, ...shown }: WebhookEndpoint): Stripe.WebhookEndpoint {
  return shown;
}

function idOf(object: object | undefined): string | null {
  return object !== undefined && 'id' in object && typeof object.id === 'string' ? object.id : null;
}
