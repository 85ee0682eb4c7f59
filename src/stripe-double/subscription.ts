import type Stripe from 'stripe';
import type { InstantMs } from '../clock.ts';
import type { Account } from './account.ts';
import { invalidRequest } from './api-failure.ts';
import { nextBoundary } from './billing-period.ts';
import { emitEvent } from './event-log.ts';
import { draftInvoice, finalizeInvoice, markUncollectible, voidInvoice } from './invoice.ts';
import type {
  DraftBasis,
  Invoice,
  MeteredCharge,
  Period,
  Subscription,
  SubscriptionItem,
} from './stripe-object.ts';
import { itemList } from './subscription-object.ts';

/** Returns the instant at which the current period ends; null when the subscription has ended. */
export function periodEndsAt(subscription: Subscription): InstantMs | null {
  if (subscription.shown.status === 'canceled') return null;
  return currentPeriod(subscription).end * 1000;
}

/** Returns the instant at which a pause of its collection ends by itself; null where none does. */
export function resumesAt({ shown }: Subscription): InstantMs | null {
  const at = shown.status === 'canceled' ? null : shown.pause_collection?.resumes_at;
  return at === null || at === undefined ? null : at * 1000;
}

/** Ends the pause. The drafts that were kept meanwhile stay drafts. */
export function resumeCollection(account: Account, subscription: Subscription): void {
  subscription.shown = { ...subscription.shown, pause_collection: null };
  emitEvent(account, 'customer.subscription.updated', subscription.shown);
}

/** The items of a subscription are all billed by the same anchor, so they share their period. */
function currentPeriod({ shown }: Subscription): Period {
  const [item] = shown.items.data;
  if (item === undefined) throw new Error(`subscription ${shown.id} has no item`);
  return { start: item.current_period_start, end: item.current_period_end };
}

/**
 * Ends a period: drafts an invoice for its usage, and begins the next period or ends the
 * subscription.
 */
export function endPeriod(account: Account, subscription: Subscription): void {
  const ended = currentPeriod(subscription);
  const periods = [...subscription.backdated, ended];
  subscription.backdated = [];
  if (subscription.shown.cancel_at_period_end) {
    endSubscription(account, subscription, 'customer.subscription.deleted');
  } else {
    startPeriod(subscription, ended.end);
    emitEvent(account, 'customer.subscription.updated', subscription.shown);
  }
  billPeriods(account, subscription, { periods, invoiced: ended, reason: 'subscription_cycle' });
}

/**
 * Cancels at once. What was used and not yet invoiced is billed only with `invoiceNow`; without it
 * never. Throws 400 when the subscription has ended already.
 */
export function cancelSubscription(
  account: Account,
  subscription: Subscription,
  invoiceNow: boolean,
): void {
  if (subscription.shown.status === 'canceled') {
    throw invalidRequest(`No such subscription: '${subscription.id}' (it is canceled)`, {
      code: 'resource_missing',
      param: 'id',
    });
  }
  const { start } = currentPeriod(subscription);
  const used = { start, end: account.clock.nowSeconds() };
  endSubscription(account, subscription, 'customer.subscription.deleted');
  if (!invoiceNow) return;
  const periods = [...subscription.backdated, used];
  billPeriods(account, subscription, { periods, invoiced: used, reason: 'subscription_update' });
}

/** The periods that an invoice has lines for, and what it says of itself. */
export interface PeriodBill {
  readonly periods: readonly Period[];
  readonly invoiced: Period;
  readonly reason: DraftBasis['billingReason'];
}

/**
 * Drafts an invoice with a line for each item and period. While collection is paused it stays a draft, or is
 * final and void or uncollectible at once.
 */
export function billPeriods(account: Account, subscription: Subscription, bill: PeriodBill) {
  const { shown } = subscription;
  const charges = bill.periods.flatMap((period) =>
    shown.items.data.map((item) => chargeOf(subscription, item, period)),
  );
  const invoice = draftInvoice(account, {
    customer: String(shown.customer),
    currency: shown.currency,
    billingReason: bill.reason,
    charges,
    subscription: { id: shown.id, metadata: shown.metadata },
    collectionMethod: shown.collection_method,
    period: bill.invoiced,
    autoAdvance: shown.pause_collection === null,
    takesPendingItems: true,
  });
  const behavior = shown.pause_collection?.behavior ?? 'keep_as_draft';
  if (behavior !== 'keep_as_draft') endUncollected(account, invoice, behavior);
  subscription.shown = { ...subscription.shown, latest_invoice: invoice.id };
  return invoice;
}

/** An invoice of nothing is paid as soon as it is final, and there is nothing to give up. */
function endUncollected(account: Account, invoice: Invoice, behavior: string): void {
  finalizeInvoice(account, invoice);
  if (invoice.shown.status !== 'open') return;
  if (behavior === 'void') voidInvoice(account, invoice);
  else markUncollectible(account, invoice);
}

/** Begins the period that starts at a boundary, in unix seconds. */
function startPeriod(subscription: Subscription, start: number): void {
  const { shown } = subscription;
  const end = nextBoundary(subscription.anchor, start);
  const items = shown.items.data.map((item) => ({
    ...item,
    current_period_start: start,
    current_period_end: end,
  }));
  subscription.shown = { ...shown, items: itemList(shown.id, items) };
}

function chargeOf(
  subscription: Subscription,
  item: SubscriptionItem,
  period: Period,
): MeteredCharge {
  return {
    subscription: subscription.id,
    subscriptionItem: item.id,
    customer: String(subscription.shown.customer),
    price: item.price,
    ...period,
    countedFrom: subscription.countedFrom,
  };
}

function endSubscription(
  account: Account,
  subscription: Subscription,
  type: Stripe.Event['type'],
): void {
  const now = account.clock.nowSeconds();
  const { shown } = subscription;
  subscription.shown = {
    ...shown,
    status: 'canceled',
    canceled_at: shown.canceled_at ?? now,
    ended_at: now,
  };
  emitEvent(account, type, subscription.shown);
}
