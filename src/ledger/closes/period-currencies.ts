import type { Transaction } from '../../database/database.ts';
import { periodKey } from '../../periods/period-key.ts';
import type { PriceCatalog } from '../../rating/books/price-catalog.ts';
import { DEFAULT_CURRENCY } from '../../rating/rate-event.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { assignedBook } from '../../tenants/tenant.ts';
import { readLastCloses } from './period-currencies-store.ts';
import type { PeriodGroups } from './period-groups-store.ts';
import type { PeriodRow } from './period-store.ts';

/** A period with what it holds, and the mode in which it was shut or would be. */
interface MeteredPeriod extends PeriodGroups<PeriodRow> {
  readonly mode: 'shadow' | 'live';
}

type Tenants = ReadonlyMap<string, Tenant>;

/**
 * Reads the currency of each period (R15): that of what was charged in it; of a period without
 * charges, that of what is still owed from the last close, or else that of the tenant's book, or
 * else that of its last close.
 */
export async function readCurrencies(
  transaction: Transaction,
  { catalog, tenants }: { readonly catalog: PriceCatalog; readonly tenants: Tenants },
  periods: readonly MeteredPeriod[],
): Promise<(period: MeteredPeriod) => string> {
  for (const { period, currencies } of periods) {
    if (currencies.length < 2) continue;
    throw new Error(
      `period ${period.periodStart} of "${period.tenantId}" was shut with charges in ${currencies.join(' and ')}; verify the ledger`,
    );
  }
  const idle = periods.filter(({ currencies }) => currencies.length === 0);
  const rows = idle.map(({ period, mode }) => ({ ...period, mode }));
  const last = await readLastCloses(transaction, rows);
  return ({ period, currencies: [charged] }) => {
    if (charged !== undefined) return charged;
    const before = last.get(periodKey(period));
    const tenant = tenants.get(period.tenantId);
    const owedIn = before?.owedIn ?? null;
    if (owedIn !== null) return owedIn;
    const book = tenant === undefined ? null : assignedBook(tenant, catalog, period.endsAt - 1);
    return book?.currency ?? before?.currency ?? DEFAULT_CURRENCY;
  };
}
