import { formatInstant, formatInstantOrNull } from '../clock.ts';
import type { Parts } from '../parts.ts';
import { loadPriceCatalog } from '../rating/books/price-book-store.ts';
import { tellTenant } from './list-tenants.ts';
import { assignedBook } from './tenant.ts';
import type { ShownTenantAnswer, ShowTenantRequest } from './tenant-answer.ts';
import { readTenantHistory } from './tenant-history-store.ts';
import { readTenant } from './tenant-store.ts';

/**
 * Shows everything of one tenant with its history: its settings and their dates, its last periods
 * and pushes.
 */
export async function showTenant(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  { tenant_id: tenantId, most }: ShowTenantRequest,
): Promise<ShownTenantAnswer> {
  const now = clock();
  const { kysely } = database;
  const tenant = await readTenant(kysely, tenantId);
  const catalog = await loadPriceCatalog(kysely);
  const book = assignedBook(tenant, catalog, now);
  const isOwn = tenant.books.some((own) => own.effectiveFrom <= now && own.book === book?.book);
  const history = await readTenantHistory(kysely, tenantId, most);
  return {
    ...tellTenant(tenant, now),
    created_at: formatInstant(history.created_at),
    registered_at: formatInstantOrNull(history.registered_at),
    price_book_now: book === null ? null : { ...book, by_default: !isOwn },
    price_books: tenant.books.map(({ effectiveFrom, book: name }) => ({
      effective_from: Number.isFinite(effectiveFrom) ? formatInstant(effectiveFrom) : null,
      price_book: name,
    })),
    calendars: tenant.calendar.map(({ effectiveFrom, timeZone, anchorDay }) => ({
      effective_from: formatInstantOrNull(effectiveFrom),
      time_zone: timeZone,
      anchor_day: anchorDay,
    })),
    changes: history.changes.map(({ changed_at, ...change }) => ({
      at: formatInstant(changed_at),
      ...change,
    })),
    periods: history.periods.map((period) => ({
      ...period,
      starts_at: formatInstant(period.starts_at),
      ends_at: formatInstant(period.ends_at),
      closed_at: formatInstantOrNull(period.closed_at),
      entries: Number(period.entries),
    })),
    pushes: history.pushes.map((push) => ({
      ...push,
      first_attempt_at: formatInstantOrNull(push.first_attempt_at),
      confirmed_at: formatInstantOrNull(push.confirmed_at),
    })),
  };
}
