import { counted } from '../../counted.ts';
import { readLiveTenants } from '../../stripe/customers/customer-store.ts';
import { readMeters } from '../../stripe/meters/meter-store.ts';
import type { MonthParts, StepOutcome } from '../month-step.ts';
import { done, named } from '../month-step.ts';

/** What would surely go wrong later, found before anything is closed. */
export async function checkSetup({
  database,
  livemode,
  unlinked: said,
}: MonthParts): Promise<StepOutcome> {
  const tenants = await readLiveTenants(database);
  const unlinked = tenants.filter((tenant) => tenant.stripeCustomer === null);
  for (const { tenantId } of unlinked) said.add(tenantId);
  const meters = await readMeters(database, livemode);
  const faults = [
    ...(tenants.length > 0 && meters.size === 0 ? ['no meter is set up in Stripe'] : []),
    ...unlinked.map((tenant) => `live tenant "${tenant.tenantId}" has no Stripe customer`),
  ];
  if (faults.length > 0) return { state: 'wrong', detail: named(faults) };
  return done(
    `${counted(tenants.length, 'live tenant')}, meters for ${[...meters.keys()].join(' ')}`,
  );
}
