import type Stripe from 'stripe';
import type { Obstacle } from '../../push/destination.ts';
import { advise } from '../../remedy.ts';
import type { StripeMeter } from '../meters/meter-store.ts';
import type { StripeClient } from '../stripe-client.ts';
import { askStripe } from '../stripe-client.ts';
import { linkOperation } from './check-customer.ts';

/**
 * Finds why usage of a customer that is dated at an instant is billed by no subscription: each that it has or had on
 * the meter began after it or ended before it, or Stripe bills the customer in another currency. Null where one
 * bills it. Also null where there never was one: usage on the meter waits for a subscription that is made for it.
 */
export async function findUnbilled(
  stripe: StripeClient,
  meter: StripeMeter,
  of: DatedUsage & { readonly tenantId: string },
): Promise<Obstacle | null> {
  const onMeter = await subscriptionsOn(stripe, meter, of.customer);
  if (onMeter.some((each) => isBilledBy(each, of.eventTimestamp))) return null;
  if (onMeter.length === 0) return findOtherCurrency(stripe, meter, of);
  const ids = onMeter.map(({ id }) => id).join(' and ');
  const fault = `no subscription of customer ${of.customer} bills the end of this period: ${ids} began after it or ended before it`;
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
  return onMeter.filter((each) => isBilledBy(each, of.eventTimestamp)).length;
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

function isBilledBy(subscription: Stripe.Subscription, eventTimestamp: number): boolean {
  const { start_date: startedAt, ended_at: endedAt, status } = subscription;
  if (status === 'incomplete_expired') return false;
  return startedAt <= eventTimestamp && (endedAt === null || endedAt > eventTimestamp);
}
