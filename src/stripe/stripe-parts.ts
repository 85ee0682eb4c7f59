import type { Parts } from '../parts.ts';
import type { StripeClient } from './stripe-client.ts';

/** The parts that all of the Stripe side uses. */
export interface StripeParts extends Parts {
  readonly stripe: StripeClient;
  readonly livemode: boolean;
}
