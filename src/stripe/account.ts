import Stripe from 'stripe';
import type { Fault } from '../remedy.ts';
import type { StripeClient } from './stripe-client.ts';
import { askStripe } from './stripe-client.ts';

/** The account of each client, which is kept because a key never changes its account. */
const accounts = new WeakMap<StripeClient, Promise<string | null>>();

/**
 * Reads the account behind the key, asked for once a client. Null where a restricted key may not
 * ask: whether it is another account is told by what it knows then.
 */
export function readAccount(stripe: StripeClient): Promise<string | null> {
  const before = accounts.get(stripe);
  if (before !== undefined) return before;
  const account = askStripe('the account', () =>
    stripe.accounts.retrieveCurrent().then(({ id }) => id, asUnknown),
  );
  accounts.set(stripe, account);
  // Whoever asked is told of the failure, and the next one asks again.
  account.catch(() => accounts.delete(stripe));
  return account;
}

function asUnknown(error: unknown): null {
  if (error instanceof Stripe.errors.StripePermissionError) return null;
  throw error;
}

/** Says which two accounts were mixed up, with the remedy; null where they are one, or one is not known. */
export function otherAccountFault(what: string, accounts: Accounts): Fault | null {
  const { was, is } = accounts;
  return was === null || is === null || was === is ? null : mixedUp(what, accounts);
}

/** The account of a thing and that of the key; null where it is not known. */
interface Accounts {
  readonly was: string | null;
  readonly is: string | null;
}

/** Says that a thing is of another account than the key, whichever of the two can be named. */
export function mixedUp(what: string, { was, is }: Accounts): Fault {
  const owner = was === null ? 'another Stripe account' : `Stripe account ${was}`;
  return {
    fault: `${what} belongs to ${owner} and STRIPE_API_KEY to ${is ?? 'one that does not know it'}`,
    remedy: [
      `use a key of ${was ?? `the account of ${what}`}, or bill the tenants of ${is ?? 'the other account'} from a database of their own`,
    ],
  };
}
