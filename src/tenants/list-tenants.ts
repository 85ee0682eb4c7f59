import { formatInstant, formatInstantOrNull, type InstantMs } from '../clock.ts';
import type { Parts } from '../parts.ts';
import type { Tenant } from './tenant.ts';
import type { TenantAnswer, TenantsAnswer } from './tenant-answer.ts';
import { readTenants } from './tenant-store.ts';

/** Lists all tenants, in the order of their ids. */
export async function listTenants({
  database,
  clock,
}: Pick<Parts, 'database' | 'clock'>): Promise<TenantsAnswer> {
  const now = clock();
  const tenants = await readTenants(database.kysely, 'all');
  return tenants.map((tenant) => tellTenant(tenant, now));
}

/** Returns a tenant as answers show it. */
export function tellTenant(tenant: Tenant, now: InstantMs): TenantAnswer {
  const newest = tenant.calendar.at(-1);
  const inForce = tenant.calendar.findLast(
    ({ effectiveFrom }) => effectiveFrom === null || effectiveFrom <= now,
  );
  return {
    tenant_id: tenant.tenantId,
    mode: tenant.mode,
    time_zone: newest?.timeZone ?? 'UTC',
    anchor_day: newest?.anchorDay ?? 1,
    calendar_from: newest?.effectiveFrom == null ? null : formatInstant(newest.effectiveFrom),
    calendar_now: {
      time_zone: inForce?.timeZone ?? 'UTC',
      anchor_day: inForce?.anchorDay ?? 1,
    },
    price_book: tenant.books[0]?.book ?? null,
    stripe_customer: tenant.stripeCustomer,
    ...{ name: tenant.name, address: tenant.address, contact: tenant.contact },
    registered: tenant.isRegistered,
    closed_until: formatInstantOrNull(tenant.closedUntil),
    left_at: formatInstantOrNull(tenant.leftAt),
  };
}
