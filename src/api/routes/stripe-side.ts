import { Refusal } from '../../refusal.ts';
import type { StripeParts } from '../../stripe/stripe-parts.ts';
import type { ApiParts } from '../api-parts.ts';

/** Returns the parts of Stripe's side; refused where the server has no key of Stripe's. */
export function stripeOf({ stripeParts }: ApiParts): StripeParts {
  if (stripeParts !== null) return stripeParts;
  throw new Refusal(
    'misconfigured',
    'this server has no key of Stripe',
    'start it with STRIPE_API_KEY set',
  );
}
