import type { Clock } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { Log } from '../log.ts';
import type { StripeClient } from './stripe-client.ts';

/** What every part of the Stripe side works with. */
export interface StripeParts {
  readonly database: Database;
  readonly stripe: StripeClient;
  readonly livemode: boolean;
  readonly clock: Clock;
  readonly log: Log;
}
