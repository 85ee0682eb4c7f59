import Stripe from 'stripe';
import type { Fault } from '../remedy.ts';
import type { StripeClient } from './stripe-client.ts';
import { askStripe } from './stripe-client.ts';

const known = new WeakMap<StripeClient, string | null>();

/**
 * Reads the account behind the key, asked for once a client. Null where a restricted key may not
 * ask, so that its account cannot be told from another of the same mode.
 */
export async function readAccount(stripe: StripeClient): Promise<string | null> {
  const before = known.get(stripe);
  if (before !== undefined) return before;
  const account = await askStripe('the account', () =>
    stripe.accounts.retrieveCurrent().then(({ id }) => id, asUnknown),
  );
  known.set(stripe, account);
  return account;
}

function asUnknown(error: unknown): null {
  if (error instanceof Stripe.errors.StripePermissionError) return null;
  throw error;
}

/** Says which two accounts were mixed up, with the remedy; null where they are one, or one is not known. */
export function otherAccountFault(
  what: string,
  { was, is }: { readonly was: string | null; readonly is: string | null },
): Fault | null {
  if (was === null || is === null || was === is) return null;
  return {
    fault: `${what} belongs to Stripe account ${was} and STRIPE_API_KEY to ${is}`,
    remedy: [`use a key of ${was}, or bill the tenants of ${is} from a database of their own`],
  };
}
