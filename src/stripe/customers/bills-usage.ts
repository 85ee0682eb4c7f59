import type Stripe from 'stripe';
import type { StripeMeter } from '../meters/meter-store.ts';
import type { StripeClient } from '../stripe-client.ts';
import { askStripe } from '../stripe-client.ts';

/**
 * Says why no subscription bills usage of a customer that is dated at an instant, where it has or had
 * subscriptions on the meter: each began after it or ended before it. Null where one does. Also null where
 * there never was one: usage on the meter waits for a subscription that is made for it.
 */
export async function findUnbilled(
  stripe: StripeClient,
  meter: StripeMeter,
  of: DatedUsage,
): Promise<string | null> {
  const onMeter = await subscriptionsOn(stripe, meter, of.customer);
  if (onMeter.length === 0 || onMeter.some((each) => isBilledBy(each, of.eventTimestamp)))
    return null;
  const ids = onMeter.map(({ id }) => id).join(' and ');
  return `no subscription of customer ${of.customer} bills the end of this period: ${ids} began after it or ended before it`;
}

interface DatedUsage {
  readonly customer: string;
  readonly eventTimestamp: number;
}

/** Tells whether a subscription bills usage of a customer that is dated at an instant. */
export async function isBilledBySubscription(
  stripe: StripeClient,
  meter: StripeMeter,
  of: DatedUsage,
): Promise<boolean> {
  const onMeter = await subscriptionsOn(stripe, meter, of.customer);
  return onMeter.some((each) => isBilledBy(each, of.eventTimestamp));
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
