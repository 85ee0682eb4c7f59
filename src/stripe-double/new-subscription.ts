import { z } from 'zod';
import { type Account, found } from './account.ts';
import { invalidRequest } from './api-failure.ts';
import {
  type Anchor,
  configuredAnchor,
  dayOfMonth,
  type Interval,
  nextBoundary,
} from './billing-period.ts';
import { bindCurrency } from './customer.ts';
import { emitEvent } from './event-log.ts';
import { finalizeInvoice } from './invoice.ts';
import { type MetadataChange, mergeMetadata, metadata } from './metadata.ts';
import { newId } from './object-id.ts';
import { expandable, flag, listOf, text, unixSeconds, wholeNumber } from './params.ts';
import type {
  Period,
  Price,
  Subscription,
  SubscriptionItem,
  SubscriptionObject,
} from './stripe-object.ts';
import { billPeriods } from './subscription.ts';
import { itemList, unusedFields } from './subscription-object.ts';

/** Stripe's docs: at most 20 items. */
const ITEMS_MAX = 20;

export const subscriptionParams = z.strictObject({
  ...expandable,
  customer: text,
  items: listOf(z.strictObject({ price: text, metadata: metadata.optional() })),
  backdate_start_date: unixSeconds.optional(),
  billing_cycle_anchor: unixSeconds.optional(),
  billing_cycle_anchor_config: z
    .strictObject({
      day_of_month: wholeNumber.pipe(z.number().min(1).max(31)),
      hour: wholeNumber.pipe(z.number().min(0).max(23)).optional(),
      minute: wholeNumber.pipe(z.number().min(0).max(59)).optional(),
      second: wholeNumber.pipe(z.number().min(0).max(59)).optional(),
      month: wholeNumber.pipe(z.number().min(1).max(12)).optional(),
    })
    .optional(),
  billing_mode: z.strictObject({ type: z.enum(['classic', 'flexible']) }).optional(),
  cancel_at_period_end: flag.optional(),
  collection_method: z.enum(['charge_automatically', 'send_invoice']).optional(),
  currency: text.length(3).optional(),
  days_until_due: wholeNumber.optional(),
  description: text.optional(),
  metadata: metadata.optional(),
  off_session: flag.optional(),
  payment_behavior: text.optional(),
  proration_behavior: z.enum(['always_invoice', 'create_prorations', 'none']).optional(),
});

export type SubscriptionParams = z.infer<typeof subscriptionParams>;

/** Refuses what is wrong with the parameters alone. */
export function checkSubscription(account: Account, params: SubscriptionParams): void {
  if (params.items.length < 1 || params.items.length > ITEMS_MAX) {
    throw invalidRequest(`A subscription has 1 to ${ITEMS_MAX} items.`, { param: 'items' });
  }
  const now = account.clock.nowSeconds();
  const { billing_cycle_anchor: anchor, backdate_start_date: backdate } = params;
  if (anchor !== undefined && params.billing_cycle_anchor_config !== undefined) {
    throw invalidRequest(
      'billing_cycle_anchor and billing_cycle_anchor_config exclude each other.',
      {
        code: 'parameters_exclusive',
      },
    );
  }
  if (anchor !== undefined && anchor < now) {
    throw invalidRequest('billing_cycle_anchor must be in the future.', {
      param: 'billing_cycle_anchor',
    });
  }
  if (backdate !== undefined && backdate > now) {
    throw invalidRequest('backdate_start_date must be in the past.', {
      param: 'backdate_start_date',
    });
  }
}

/**
 * Starts a subscription. In the flexible mode, the default, there is no first invoice unless the
 * start is backdated; in the classic mode there is an empty one, and backdated usage waits for the
 * next. Both finalize at once.
 */
export function createSubscription(account: Account, params: SubscriptionParams): Subscription {
  found(account.customers, 'customer', { id: params.customer, param: 'customer' });
  const prices = params.items.map(({ price }, index) => meteredPrice(account, price, index));
  bindCurrency(account, params.customer, prices[0]?.currency ?? 'usd');
  const now = account.clock.nowSeconds();
  const start = params.backdate_start_date ?? now;
  const anchor = anchorOf(prices, params, start);
  const { past, current } = periodsUntil(anchor, start, now);
  const shown = shownSubscription(account, params, { prices, current, start, anchor });
  const isFlexible = shown.billing_mode.type === 'flexible';
  const subscription: Subscription = {
    id: shown.id,
    shown,
    anchor,
    countedFrom: params.proration_behavior === 'none' ? firstAnchor(anchor, start) : start,
    backdated: isFlexible ? [] : past,
  };
  account.subscriptions.set(subscription.id, subscription);
  emitEvent(account, 'customer.subscription.created', shown);
  const firstPeriods = isFlexible ? past : [{ start: current.start, end: current.start }];
  if (firstPeriods.length > 0) {
    const bill = {
      periods: firstPeriods,
      invoiced: current,
      reason: 'subscription_create',
    } as const;
    finalizeInvoice(account, billPeriods(account, subscription, bill));
  }
  return subscription;
}

/** The stub before the first anchor is free when nothing is prorated. */
function firstAnchor(anchor: Anchor, start: number): number {
  return anchor.at === start ? start : nextBoundary(anchor, start);
}

/** Returns the periods that have ended, and the one that has not. */
function periodsUntil(anchor: Anchor, start: number, now: number) {
  const past: Period[] = [];
  let current = { start, end: nextBoundary(anchor, start) };
  while (current.end <= now) {
    past.push(current);
    current = { start: current.end, end: nextBoundary(anchor, current.end) };
  }
  return { past, current };
}

function anchorOf(prices: readonly Price[], params: SubscriptionParams, start: number): Anchor {
  const [first] = prices;
  const { interval = 'month', interval_count: intervalCount = 1 } = first?.recurring ?? {};
  const others = prices.filter(
    ({ recurring }) =>
      recurring?.interval !== interval || recurring.interval_count !== intervalCount,
  );
  if (others.length > 0) {
    throw invalidRequest('The Stripe double bills all items of a subscription by one interval.');
  }
  const config = params.billing_cycle_anchor_config;
  const at =
    config === undefined ? (params.billing_cycle_anchor ?? start) : configuredAnchor(config, start);
  return {
    at,
    dayOfMonth: config?.day_of_month ?? dayOfMonth(at),
    interval: interval as Interval,
    intervalCount,
  };
}

function meteredPrice(account: Account, id: string, index: number): Price {
  const param = `items[${index}][price]`;
  const price = found(account.prices, 'price', { id, param });
  if (price.recurring?.usage_type === 'metered') return price;
  throw invalidRequest(`The Stripe double bills metered prices only, and ${id} is not.`, { param });
}

interface Start {
  readonly prices: readonly Price[];
  readonly current: Period;
  readonly start: number;
  readonly anchor: Anchor;
}

function shownSubscription(
  account: Account,
  params: SubscriptionParams,
  { prices, current, start, anchor }: Start,
): SubscriptionObject {
  const id = newId('sub');
  const created = account.clock.nowSeconds();
  const config = params.billing_cycle_anchor_config;
  const isFlexible = params.billing_mode?.type !== 'classic';
  const items = prices.map((price, index) =>
    newItem(price, { subscription: id, created, current, metadata: params.items[index]?.metadata }),
  );
  return {
    ...unusedFields,
    id,
    object: 'subscription',
    billing_cycle_anchor: anchor.at,
    billing_cycle_anchor_config:
      config === undefined
        ? null
        : {
            day_of_month: config.day_of_month,
            hour: config.hour ?? null,
            minute: config.minute ?? null,
            month: config.month ?? null,
            second: config.second ?? null,
          },
    billing_mode: {
      flexible: isFlexible ? { proration_discounts: 'included' } : null,
      type: isFlexible ? 'flexible' : 'classic',
    },
    cancel_at_period_end: params.cancel_at_period_end ?? false,
    canceled_at: null,
    collection_method: params.collection_method ?? 'charge_automatically',
    created,
    currency: prices[0]?.currency ?? 'usd',
    customer: params.customer,
    days_until_due: params.days_until_due ?? null,
    description: params.description ?? null,
    ended_at: null,
    items: itemList(id, items),
    latest_invoice: null,
    metadata: mergeMetadata(null, params.metadata),
    start_date: start,
    status: 'active',
  } satisfies SubscriptionObject;
}

interface ItemBasis {
  readonly subscription: string;
  readonly created: number;
  readonly current: Period;
  readonly metadata: MetadataChange | undefined;
}

function newItem(price: Price, basis: ItemBasis): SubscriptionItem {
  return {
    id: newId('si'),
    object: 'subscription_item',
    billing_thresholds: null,
    created: basis.created,
    current_period_end: basis.current.end,
    current_period_start: basis.current.start,
    current_trial: null,
    discounts: [],
    metadata: mergeMetadata(null, basis.metadata),
    price,
    subscription: basis.subscription,
    tax_rates: [],
  } satisfies SubscriptionItem;
}
