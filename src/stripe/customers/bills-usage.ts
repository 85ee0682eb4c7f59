import type Stripe from 'stripe';
import type { Obstacle } from '../../push/destination.ts';
import { advise } from '../../remedy.ts';
import { readBilledUsage } from '../invoices/billed-period.ts';
import type { StripeMeter } from '../meters/meter-store.ts';
import type { StripeClient } from '../stripe-client.ts';
import { askStripe } from '../stripe-client.ts';
import { linkOperation } from './check-customer.ts';

/**
 * Finds why usage of a customer that is dated at an instant is billed by no subscription: each that it has or had on
 * the meter began after it, or ended before it or without an invoice for it, or Stripe bills the customer in another
 * currency. Null where one bills it. Also null where there never was one: usage on the meter waits for a subscription that is made for it.
 */
export async function findUnbilled(
  stripe: StripeClient,
  meter: StripeMeter,
  of: DatedUsage & { readonly tenantId: string },
): Promise<Obstacle | null> {
  const onMeter = await subscriptionsOn(stripe, meter, of.customer);
  if ((await billing(stripe, meter, { ...of, onMeter })).length > 0) return null;
  if (onMeter.length === 0) return findOtherCurrency(stripe, meter, of);
  const ids = onMeter.map(({ id }) => id).join(' and ');
  const fault = `no subscription of customer ${of.customer} bills the end of this period: ${ids} began after it, or ended before it or without an invoice for it`;
  return { fault, remedy: null, isOnlyHere: true };
}

/**
 * Finds that a customer is not billed in the meter's currency: Stripe bills it in another one, and has no
 * subscription of it on the meter. Where it has one, Stripe lets it have both, and bills both. Null where nothing
 * speaks against it. What is billed in another currency is billed so by every destination.
 */
export async function findOtherCurrency(
  stripe: StripeClient,
  meter: StripeMeter,
  of: { readonly tenantId: string; readonly customer: string },
): Promise<Obstacle | null> {
  const { tenantId, customer } = of;
  const whose = `customer ${customer}`;
  const found = await askStripe(whose, () => stripe.customers.retrieve(customer));
  const currency = found.deleted === true ? null : (found.currency?.toUpperCase() ?? null);
  if (currency === null || currency === meter.currency) return null;
  if ((await subscriptionsOn(stripe, meter, customer)).length > 0) return null;
  return {
    fault: `Stripe bills ${whose} of tenant "${tenantId}" in ${currency} and has no subscription of it in ${meter.currency}, in which the tenant is charged`,
    remedy: advise`link the tenant to a customer that is billed in ${meter.currency} with ${linkOperation(tenantId)}, or subscribe ${whose} to price ${meter.priceId} in Stripe`,
    isOnlyHere: false,
  };
}

interface DatedUsage {
  readonly customer: string;
  readonly eventTimestamp: number;
}

/** Counts the subscriptions that bill usage of a customer that is dated at an instant. */
export async function countBilling(
  stripe: StripeClient,
  meter: StripeMeter,
  of: DatedUsage,
): Promise<number> {
  const onMeter = await subscriptionsOn(stripe, meter, of.customer);
  return (await billing(stripe, meter, { ...of, onMeter })).length;
}

/**
 * Returns the subscriptions that bill usage dated at an instant. One that has ended since makes no invoice any more,
 * and as Stripe cancels by default it made none at its end: it bills what an invoice that it has is for.
 */
async function billing(
  stripe: StripeClient,
  meter: StripeMeter,
  of: DatedUsage & { readonly onMeter: readonly Stripe.Subscription[] },
): Promise<readonly Stripe.Subscription[]> {
  const bill: Stripe.Subscription[] = [];
  for (const subscription of of.onMeter.filter((each) => spans(each, of.eventTimestamp))) {
    const isOver = subscription.ended_at !== null;
    if (!isOver || (await hasInvoice(stripe, meter, { ...of, subscription }))) {
      bill.push(subscription);
    }
  }
  return bill;
}

/** Whether a subscription has an invoice, and no void one, whose lines on the meter are for an instant. */
async function hasInvoice(
  stripe: StripeClient,
  meter: StripeMeter,
  of: DatedUsage & { readonly subscription: Stripe.Subscription },
): Promise<boolean> {
  const { customer, eventTimestamp, subscription } = of;
  const { id } = subscription;
  const page = await askStripe(`the invoices of subscription ${id}`, () =>
    stripe.invoices.list({ customer, subscription: id, limit: 100 }),
  );
  const meters = new Map([[meter.currency, meter]]);
  for (const invoice of page.data.filter(({ status }) => status !== 'void')) {
    const billed = await readBilledUsage(stripe, invoice, meters);
    if (billed !== null && billed.start <= eventTimestamp && eventTimestamp < billed.end) {
      return true;
    }
  }
  return false;
}

async function subscriptionsOn(
  stripe: StripeClient,
  meter: StripeMeter,
  customer: string,
): Promise<readonly Stripe.Subscription[]> {
  const page = await askStripe(`the subscriptions of customer ${customer}`, () =>
    stripe.subscriptions.list({ customer, status: 'all', limit: 100 }),
  );
  return page.data.filter(({ items }) =>
    items.data.some((item) => item.price.recurring?.meter === meter.meterId),
  );
}

function spans(subscription: Stripe.Subscription, eventTimestamp: number): boolean {
  const { start_date: startedAt, ended_at: endedAt, status } = subscription;
  if (status === 'incomplete_expired') return false;
  return startedAt <= eventTimestamp && (endedAt === null || endedAt > eventTimestamp);
}
