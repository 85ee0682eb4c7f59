import { setTenant } from '../../tenants/set-tenant.ts';
import type { LinkedCustomer } from '../set-up-answer.ts';
import { askStripe } from '../stripe-client.ts';
import type { StripeParts } from '../stripe-parts.ts';
import { readLiveTenants } from './customer-store.ts';

/** The metadata key by which a customer says whose it is. */
const TENANT_KEY = 'spanledger_tenant';

/**
 * Links live tenants to the customers whose metadata names them. Customers are listed, not searched:
 * Stripe's search lags. A link that exists is kept; a different one is reported and left alone.
 */
export async function linkCustomers(parts: StripeParts): Promise<readonly LinkedCustomer[]> {
  const { database, stripe, clock } = parts;
  const byTenant = new Map<string, string[]>();
  let after: string | undefined;
  do {
    const from = after === undefined ? {} : { starting_after: after };
    const page = await askStripe('the customers', () =>
      stripe.customers.list({ limit: 100, ...from }),
    );
    for (const customer of page.data) {
      const tenantId = customer.metadata[TENANT_KEY];
      if (tenantId === undefined) continue;
      byTenant.set(tenantId, [...(byTenant.get(tenantId) ?? []), customer.id]);
    }
    after = page.has_more ? page.data.at(-1)?.id : undefined;
  } while (after !== undefined);
  const results: LinkedCustomer[] = [];
  for (const { tenantId, stripeCustomer } of await readLiveTenants(database, clock())) {
    const found = byTenant.get(tenantId) ?? [];
    const state = stateOf(stripeCustomer, found);
    const [only = null] = found;
    if (state === 'linked' && only !== null) {
      await setTenant({ database, clock }, { tenant_id: tenantId, stripe_customer: only });
    }
    const shown = stripeCustomer ?? (state === 'linked' ? only : null);
    results.push({ tenant_id: tenantId, stripe_customer: shown, state });
  }
  return results;
}

function stateOf(linked: string | null, found: readonly string[]): LinkedCustomer['state'] {
  if (found.length > 1) return 'ambiguous';
  const [only] = found;
  if (only === undefined) return linked === null ? 'not_found' : 'kept';
  if (linked === null) return 'linked';
  return linked === only ? 'kept' : 'differs';
}
