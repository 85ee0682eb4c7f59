import type { Database } from '../../database/database.ts';
import { periodKey } from '../../periods/period-key.ts';
import { confirmedSum } from '../../push/intent.ts';
import type { PushTarget } from '../../push/push-target.ts';
import { readLiveTenants } from '../../stripe/customers/customer-store.ts';
import { readToldPeriods } from '../../stripe/invoices/unbilled-usage.ts';
import { readMeters } from '../../stripe/meters/meter-store.ts';
import { counted } from '../../text/counted.ts';
import type { MonthRequest } from '../month-answer.ts';
import type { MonthParts, StepOutcome } from '../month-step.ts';
import { done, named } from '../month-step.ts';

/**
 * What would surely go wrong later, found before anything is closed. A tenant without a customer of which a person has
 * billed the month elsewhere is none of it, nor is one who left.
 */
export async function checkSetup(
  { database, clock, livemode, unlinked: said }: MonthParts,
  { month }: MonthRequest,
): Promise<StepOutcome> {
  const tenants = await readLiveTenants(database, clock());
  const told = await readToldTenants(database, month);
  const unlinked = tenants.filter(
    (tenant) => tenant.stripeCustomer === null && !told.has(tenant.tenantId),
  );
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

/** The tenants of which all that was due in a month is told or settled. */
async function readToldTenants(database: Database, month: string): Promise<ReadonlySet<string>> {
  const { targets, intents } = await readToldPeriods(database, { month, tenantId: null });
  const isTold = (target: PushTarget) => {
    const own = intents.get(periodKey(target)) ?? [];
    return own.length > 0 && confirmedSum(own) === target.billableMicro;
  };
  const byTenant = Map.groupBy(targets, ({ tenantId }) => tenantId);
  return new Set([...byTenant].filter(([, own]) => own.every(isTold)).map(([name]) => name));
}
