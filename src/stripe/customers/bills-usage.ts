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
  of: { readonly customer: string; readonly eventTimestamp: number },
): Promise<string | null> {
  const { customer, eventTimestamp } = of;
  const page = await askStripe(`the subscriptions of customer ${customer}`, () =>
    stripe.subscriptions.list({ customer, status: 'all', limit: 100 }),
  );
  const onMeter = page.data.filter(({ items }) =>
    items.data.some((item) => item.price.recurring?.meter === meter.meterId),
  );
  if (onMeter.length === 0 || onMeter.some((each) => isBilledBy(each, eventTimestamp))) return null;
  const ids = onMeter.map(({ id }) => id).join(' and ');
  return `no subscription of customer ${customer} bills the end of this period: ${ids} began after it or ended before it`;
}

function isBilledBy(subscription: Stripe.Subscription, eventTimestamp: number): boolean {
  const { start_date: startedAt, ended_at: endedAt, status } = subscription;
  if (status === 'incomplete_expired') return false;
  return startedAt <= eventTimestamp && (endedAt === null || endedAt > eventTimestamp);
}
