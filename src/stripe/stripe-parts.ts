import type { Parts } from '../parts.ts';
import type { StripeClient } from './stripe-client.ts';

/** What every part of the Stripe side works with. */
export interface StripeParts extends Parts {
  readonly stripe: StripeClient;
  readonly livemode: boolean;
}
