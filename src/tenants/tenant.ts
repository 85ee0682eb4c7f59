import type { InstantMs } from '../clock.ts';
import type { Calendar } from '../periods/calendar.ts';
import type { PriceCatalog } from '../rating/books/price-catalog.ts';
import type { AssignedBook } from '../rating/rate-event.ts';

/** The party that is billed. `shadow` is metered, closed and stated, and never pushed (R19). */
export interface Tenant {
  readonly tenantId: string;
  readonly mode: 'shadow' | 'live';
  readonly calendar: Calendar;
  readonly stripeCustomer: string | null;
  /** Whether somebody named it; false where its first event made it (R11). */
  readonly isRegistered: boolean;
  /** Newest first. */
  readonly books: readonly BookAssignment[];
  /** The end of the tenant's last shut or closed period; null while none is. */
  readonly closedUntil: InstantMs | null;
}

interface BookAssignment {
  readonly effectiveFrom: InstantMs;
  readonly book: string;
}

/** The book of a tenant that was given none: this one, or the only charge book there is. */
const DEFAULT_BOOK = 'standard';

/** The book that charges a tenant at an instant; null where none is assigned and none is obvious. */
export function assignedBook(
  tenant: Pick<Tenant, 'books'>,
  catalog: PriceCatalog,
  at: InstantMs,
): AssignedBook | null {
  const assignment = tenant.books.find((candidate) => candidate.effectiveFrom <= at);
  const book = assignment?.book ?? defaultBook(catalog);
  const version = book === null ? undefined : catalog.books.get(book)?.[0];
  return book === null || version === undefined ? null : { book, currency: version.currency };
}

function defaultBook(catalog: PriceCatalog): string | null {
  if (catalog.books.get(DEFAULT_BOOK)?.[0]?.kind === 'charge') return DEFAULT_BOOK;
  const charge = [...catalog.books].filter(([, versions]) => versions[0]?.kind === 'charge');
  return charge.length === 1 ? (charge[0]?.[0] ?? null) : null;
}
