import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { Refusal } from '../../refusal.ts';
import type { Fault, Operation } from '../../remedy.ts';
import { advise } from '../../remedy.ts';
import { readAccount } from '../account.ts';
import type { StripeClient } from '../stripe-client.ts';
import { askStripe, isMissing } from '../stripe-client.ts';
import type { StripeParts } from '../stripe-parts.ts';
import type { CustomerOfTenant } from './customer-store.ts';
import { readCustomerState, saveCustomerState } from './customer-store.ts';

interface CheckOptions {
  readonly database: Database;
  readonly stripe: StripeClient;
  readonly clock: Clock;
}

/**
 * Whether the tenant's customer is there under this key, before any usage is told: Stripe takes an
 * event of an unknown customer with 200 and drops it later. Null when all is well, else why nothing
 * may be told, naming the tenant. Stripe is asked once an hour for each customer at the most.
 */
export async function findCustomerFault(
  options: CheckOptions,
  of: CustomerOfTenant,
): Promise<Fault | null> {
  const known = await readCustomerState(options.database, of, options.clock());
  if (known === 'present') return null;
  const { fault, isDeleted } = await askCustomer(options, of);
  if (fault === null || isDeleted) {
    const state = isDeleted ? 'deleted' : 'present';
    await saveCustomerState(options.database, { ...of, state, at: options.clock() });
  }
  return fault;
}

/**
 * Looks at a customer that a tenant is about to be given. Where Stripe does not answer, nothing is said
 * against it: a push looks again.
 */
export async function findUnfitCustomer(
  { stripe, livemode, log }: StripeParts,
  { tenantId, customer: stripeCustomer }: { readonly tenantId: string; readonly customer: string },
): Promise<string | null> {
  try {
    const account = await readAccount(stripe);
    const { fault } = await askCustomer(
      { stripe },
      { tenantId, stripeCustomer, livemode, account },
    );
    return fault?.fault ?? null;
  } catch (error) {
    if (!(error instanceof Refusal && error.kind === 'unavailable')) throw error;
    log.warn({ tenantId, stripeCustomer }, 'customer not looked at, since Stripe does not answer');
    return null;
  }
}

async function askCustomer(
  { stripe }: Pick<CheckOptions, 'stripe'>,
  of: CustomerOfTenant,
): Promise<{ readonly fault: Fault | null; readonly isDeleted: boolean }> {
  const whose = `Stripe customer ${of.stripeCustomer} of tenant "${of.tenantId}"`;
  const mode = of.livemode ? 'live' : 'test';
  const link = linkOperation(of.tenantId);
  const remedy = advise`link the tenant to the right one with ${link}`;
  try {
    const customer = await askStripe(whose, () => stripe.customers.retrieve(of.stripeCustomer));
    if (customer.deleted === true) {
      return { fault: { fault: `${whose} is deleted`, remedy }, isDeleted: true };
    }
    if (customer.livemode === of.livemode) return { fault: null, isDeleted: false };
    const other = customer.livemode ? 'live' : 'test';
    return {
      fault: {
        fault: `${whose} is of ${other} mode and STRIPE_API_KEY of ${mode} mode`,
        remedy: advise`use a key of ${other} mode, or link the tenant to the right one with ${link}`,
      },
      isDeleted: false,
    };
  } catch (error) {
    if (!isMissing(error)) throw error;
    return {
      fault: {
        fault: `${whose} does not exist in ${mode} mode, to which STRIPE_API_KEY belongs`,
        remedy,
      },
      isDeleted: false,
    };
  }
}

/** Returns the operation by which a tenant is given another customer. */
export function linkOperation(tenantId: string): Operation {
  return { operation: 'tenant set', tenant_id: tenantId, give: 'stripe_customer', from: null };
}
