import { findUnfitCustomer } from '../../stripe/customers/check-customer.ts';
import type { SetTenantParts } from '../../tenants/set-tenant.ts';
import type { ApiParts } from '../api-parts.ts';

/** A customer is looked up where a key of Stripe's is configured. */
export function customerCheck({ stripeParts }: ApiParts): Pick<SetTenantParts, 'checkCustomer'> {
  return stripeParts === null ? {} : { checkCustomer: (of) => findUnfitCustomer(stripeParts, of) };
}
