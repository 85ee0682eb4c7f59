import type Stripe from 'stripe';
import { z } from 'zod';
import { formatInstant } from '../clock.ts';
import { type Account, found } from './account.ts';
import { type Endpoint, endpoint, pathId } from './endpoint.ts';
import { listPage, newestFirst } from './list-page.ts';
import { newId } from './object-id.ts';
import { expandable, listOf, pageParams, text, wholeNumber } from './params.ts';
import type { ThinEvent } from './stripe-object.ts';
import { scheduleDeliveries } from './webhook.ts';

/** The API version that the double speaks, that of the `stripe` package it is typed against. */
export const API_VERSION = '2026-10-28.endive';

const V2_PATH = '/v2/core/events';

export const eventEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'GET',
    path: '/v1/events',
    params: z.strictObject({
      ...pageParams,
      type: text.optional(),
      types: listOf(text).optional(),
    }),
    run: ({ account }, params) => {
      const types = params.types ?? (params.type === undefined ? null : [params.type]);
      const events = newestFirst(account.events.values());
      const wanted = events.filter((event) => types === null || types.includes(event.type));
      return listPage(wanted, params, '/v1/events');
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/events/:id',
    params: z.strictObject(expandable),
    run: (call) => found(call.account.events, 'event', pathId(call)),
  }),
  endpoint({
    method: 'GET',
    path: V2_PATH,
    params: z.strictObject({
      limit: wholeNumber.optional(),
      object_id: text.optional(),
      types: listOf(text).optional(),
    }),
    run: ({ account }, params) => {
      const wanted = newestFirst(account.thinEvents.values()).filter(
        (event) =>
          (params.object_id === undefined || event.related_object?.id === params.object_id) &&
          (params.types === undefined || params.types.includes(event.type)),
      );
      return { data: wanted, next_page_url: null, previous_page_url: null };
    },
  }),
  endpoint({
    method: 'GET',
    path: `${V2_PATH}/:id`,
    params: z.strictObject({}),
    run: (call) => found(call.account.thinEvents, 'event', pathId(call)),
  }),
];

/** Logs a v1 event with a snapshot of its object, and has it delivered. */
export function emitEvent(account: Account, type: Stripe.Event['type'], object: object): void {
  const event = {
    id: newId('evt'),
    object: 'event',
    api_version: API_VERSION,
    created: account.clock.nowSeconds(),
    data: { object: structuredClone(object) },
    livemode: false,
    pending_webhooks: 0,
    request: null,
    type,
  } satisfies Stripe.EventBase;
  account.events.set(event.id, event);
  scheduleDeliveries(account, event, event);
}

/** Logs a v2 event, and has its notification delivered, which leaves the data out. */
export function emitThinEvent(
  account: Account,
  event: Pick<ThinEvent, 'type' | 'related_object' | 'data'>,
): void {
  const { data, ...rest } = event;
  const notification = {
    id: newId('evt_test'),
    object: 'v2.core.event',
    created: formatInstant(account.clock.now()),
    livemode: false,
    ...rest,
  } satisfies Stripe.V2.Core.EventBase;
  account.thinEvents.set(notification.id, { ...notification, data });
  scheduleDeliveries(account, notification, notification);
}
