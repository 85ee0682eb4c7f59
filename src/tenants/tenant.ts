import type { InstantMs } from '../clock.ts';
import type { Calendar } from '../periods/calendar.ts';
import type { ClosedTime } from '../periods/placement.ts';
import type { PriceCatalog } from '../rating/books/price-catalog.ts';
import type { AssignedBook } from '../rating/rate-event.ts';

/** The party that is billed. `shadow` is metered, closed and stated, and never pushed (R19). */
export interface Tenant {
  readonly tenantId: string;
  readonly mode: 'shadow' | 'live';
  readonly calendar: Calendar;
  readonly stripeCustomer: string | null;
  /** What statements call it and whom they are for, as somebody set it. */
  readonly name: string | null;
  readonly address: string | null;
  readonly contact: string | null;
  /** Whether somebody named it; false where its first event made it (R11). */
  readonly isRegistered: boolean;
  /** Newest first. */
  readonly books: readonly BookAssignment[];
  /** The end of the tenant's last shut or closed period; null while none is. */
  readonly closedUntil: InstantMs | null;
  /** The modes in which its time was closed, the oldest first. */
  readonly closedTimes: readonly ClosedTime[];
  /** The instant at which the customer left; null while it has not. */
  readonly leftAt: InstantMs | null;
}

interface BookAssignment {
  readonly effectiveFrom: InstantMs;
  readonly book: string;
}

/**
 * Returns the book that charges a tenant at an instant: its own, or else the default one. A tenant
 * has one currency, so before its first own book a default of another currency does not stand in,
 * and that first book does. Null where there is neither.
 */
export function assignedBook(
  tenant: Pick<Tenant, 'books'>,
  catalog: PriceCatalog,
  at: InstantMs,
): AssignedBook | null {
  const own = bookAt(tenant.books, catalog, at);
  if (own !== null) return own;
  const byDefault = bookAt(catalog.defaults, catalog, at);
  const first = tenant.books.at(-1);
  const firstOwn = first === undefined ? null : namedBook(first.book, catalog);
  return byDefault !== null && firstOwn !== null && byDefault.currency !== firstOwn.currency
    ? firstOwn
    : byDefault;
}

function bookAt(
  dated: readonly BookAssignment[],
  catalog: PriceCatalog,
  at: InstantMs,
): AssignedBook | null {
  const inForce = dated.find((candidate) => candidate.effectiveFrom <= at);
  return inForce === undefined ? null : namedBook(inForce.book, catalog);
}

function namedBook(book: string, catalog: PriceCatalog): AssignedBook | null {
  const version = catalog.books.get(book)?.[0];
  return version === undefined ? null : { book, currency: version.currency };
}
