import { Refusal } from '../../refusal.ts';
import { readAccount } from '../account.ts';
import type { StripeParts } from '../stripe-parts.ts';
import { findCustomerFault } from './check-customer.ts';
import { readLiveTenants } from './customer-store.ts';

/** Linked customers that are looked at: a key of the wrong mode or account fails with every one. */
const CUSTOMERS_TRIED = 5;

/** Refuses a key that does not know the customers of the live tenants, before anything is made. */
export async function refuseOtherMode(parts: StripeParts): Promise<void> {
  const linked = (await readLiveTenants(parts.database, parts.clock())).filter(
    (tenant) => tenant.stripeCustomer !== null,
  );
  const faults: string[] = [];
  const tried = linked.slice(0, CUSTOMERS_TRIED);
  for (const { tenantId, stripeCustomer } of tried) {
    if (stripeCustomer === null) continue;
    const { livemode } = parts;
    const account = await readAccount(parts.stripe);
    const of = { tenantId, stripeCustomer, livemode, account };
    const fault = await findCustomerFault(parts, of);
    if (fault !== null) faults.push(fault.fault);
  }
  if (faults.length === 0 || faults.length < tried.length) return;
  throw new Refusal(
    'misconfigured',
    `STRIPE_API_KEY knows none of the customers of the live tenants: ${faults.join('; ')}`,
    'use the key of the account and mode in which these customers are, or link other ones first',
  );
}
