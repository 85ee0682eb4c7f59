import { z } from 'zod';
import { found } from './account.ts';
import { type Call, type Endpoint, endpoint, pathId } from './endpoint.ts';
import { emitEvent } from './event-log.ts';
import { isWanted, listPage, newestFirst } from './list-page.ts';
import { mergeMetadata, metadata } from './metadata.ts';
import { checkSubscription, createSubscription, subscriptionParams } from './new-subscription.ts';
import { expandable, flag, pageParams, text, unixSeconds } from './params.ts';
import type { Subscription } from './stripe-object.ts';
import { cancelSubscription } from './subscription.ts';

const PATH = '/v1/subscriptions';

const updateParams = z.strictObject({
  ...expandable,
  cancel_at_period_end: flag.optional(),
  description: text.optional(),
  metadata: metadata.optional(),
  /** An empty text lets collection go on. */
  pause_collection: z
    .union([
      z.literal('').transform(() => null),
      z.strictObject({
        behavior: z.enum(['keep_as_draft', 'mark_uncollectible', 'void']),
        resumes_at: unixSeconds.optional(),
      }),
    ])
    .optional(),
  proration_behavior: text.optional(),
});

/** Subscriptions to metered prices. Items cannot be changed once it has begun. */
export const subscriptionEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'POST',
    path: PATH,
    params: subscriptionParams,
    check: ({ account }, params) => checkSubscription(account, params),
    run: ({ account }, params) => createSubscription(account, params).shown,
  }),
  endpoint({
    method: 'GET',
    path: PATH,
    params: z.strictObject({
      ...pageParams,
      customer: text.optional(),
      price: text.optional(),
      status: z.enum(['active', 'canceled', 'all']).optional(),
    }),
    run: ({ account }, params) => {
      const subscriptions = newestFirst(account.subscriptions.values())
        .map((subscription) => subscription.shown)
        .filter(
          (shown) =>
            isWanted(shown.customer, params.customer) &&
            (params.price === undefined ||
              shown.items.data.some((item) => item.price.id === params.price)) &&
            hasStatus(shown.status, params.status),
        );
      return listPage(subscriptions, params, PATH);
    },
  }),
  endpoint({
    method: 'GET',
    path: `${PATH}/:id`,
    params: z.strictObject(expandable),
    run: (call) => subscriptionIn(call).shown,
  }),
  endpoint({
    method: 'POST',
    path: `${PATH}/:id`,
    params: updateParams,
    run: (call, params) => updateSubscription(call, params),
  }),
  endpoint({
    method: 'DELETE',
    path: `${PATH}/:id`,
    params: z.strictObject({
      ...expandable,
      invoice_now: flag.optional(),
      prorate: flag.optional(),
    }),
    run: (call, params) => {
      const subscription = subscriptionIn(call);
      cancelSubscription(call.account, subscription, params.invoice_now ?? false);
      return subscription.shown;
    },
  }),
];

function updateSubscription(call: Call, params: z.infer<typeof updateParams>): object {
  const subscription = subscriptionIn(call);
  const { shown } = subscription;
  const atPeriodEnd = params.cancel_at_period_end ?? shown.cancel_at_period_end;
  subscription.shown = {
    ...shown,
    cancel_at_period_end: atPeriodEnd,
    canceled_at: atPeriodEnd ? (shown.canceled_at ?? call.account.clock.nowSeconds()) : null,
    description: params.description ?? shown.description,
    metadata: mergeMetadata(shown.metadata, params.metadata),
    pause_collection: pausedBy(params.pause_collection, shown.pause_collection),
  };
  emitEvent(call.account, 'customer.subscription.updated', subscription.shown);
  return subscription.shown;
}

function pausedBy(
  given: z.infer<typeof updateParams>['pause_collection'],
  known: Subscription['shown']['pause_collection'],
): Subscription['shown']['pause_collection'] {
  if (given === undefined) return known;
  return given === null ? null : { behavior: given.behavior, resumes_at: given.resumes_at ?? null };
}

/** Without a status, a list leaves the canceled ones out. */
function hasStatus(status: string, wanted: string | undefined): boolean {
  if (wanted === 'all') return true;
  return wanted === undefined ? status !== 'canceled' : status === wanted;
}

function subscriptionIn(call: Call): Subscription {
  return found(call.account.subscriptions, 'subscription', pathId(call));
}
