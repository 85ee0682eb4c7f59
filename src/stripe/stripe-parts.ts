import type { Parts } from '../parts.ts';
import type { StripeClient } from './stripe-client.ts';

/** What every part of the Stripe side works with. */
export interface StripeParts extends Parts {
  readonly stripe: StripeClient;
  readonly livemode: boolean;
}

/** The function by which a door hears how far a long piece of work is. */
export interface ProgressPart {
  readonly onProgress?: (done: number, all: number) => void;
}
