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
    price_book: tenant.books.find(({ effectiveFrom }) => effectiveFrom <= now)?.book ?? null,
    price_book_to_come: bookToCome(tenant, now),
    stripe_customer: tenant.stripeCustomer,
    name: tenant.name,
    address: tenant.address,
    contact: tenant.contact,
    registered: tenant.isRegistered,
    closed_until: formatInstantOrNull(tenant.closedUntil),
    ...tellLeave(tenant, now),
  };
}

/** Tells when a tenant left, or when it leaves where that is still to come. */
export function tellLeave(
  { leftAt }: Pick<Tenant, 'leftAt'>,
  now: InstantMs,
): Pick<TenantAnswer, 'left_at' | 'leaves_at'> {
  const [left, leaves] = leftAt !== null && leftAt > now ? [null, leftAt] : [leftAt, null];
  return { left_at: formatInstantOrNull(left), leaves_at: formatInstantOrNull(leaves) };
}

/** Books stand newest first, so that the last one that does not hold yet is the next. */
function bookToCome({ books }: Tenant, now: InstantMs): TenantAnswer['price_book_to_come'] {
  const next = books.findLast(({ effectiveFrom }) => effectiveFrom > now);
  if (next === undefined) return null;
  return { price_book: next.book, effective_from: formatInstant(next.effectiveFrom) };
}
