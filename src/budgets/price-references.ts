import type { Database } from '../database/database.ts';
import { readCatalogRevisions } from '../ledger/posting/posting-store.ts';
import { loadPriceCatalog } from '../rating/books/price-book-store.ts';
import type { PriceCatalog } from '../rating/books/price-catalog.ts';
import { Refusal } from '../refusal.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { readTenant } from '../tenants/tenant-store.ts';

interface Kept {
  readonly prices: { readonly revision: bigint; readonly catalog: Promise<PriceCatalog> };
  readonly tenants: { readonly revision: bigint; readonly of: Map<string, Promise<Tenant>> };
}

const keptByDatabase = new WeakMap<Database, Kept>();

/**
 * The tenant and the prices by which a call is estimated. Reading all prices for each call would cost more than
 * the call's admission, so they are kept until the database says that they changed.
 */
export async function readReferences(
  database: Database,
  tenantId: string,
): Promise<{ readonly tenant: Tenant; readonly catalog: PriceCatalog }> {
  const revisions = await readCatalogRevisions(database.pool, null);
  const before = keptByDatabase.get(database);
  const prices =
    before?.prices.revision === revisions.prices
      ? before.prices
      : { revision: revisions.prices, catalog: loadPriceCatalog(database.kysely) };
  const tenants =
    before?.tenants.revision === revisions.tenants
      ? before.tenants
      : { revision: revisions.tenants, of: new Map<string, Promise<Tenant>>() };
  keptByDatabase.set(database, { prices, tenants });
  const tenant = tenants.of.get(tenantId) ?? readTenant(database.kysely, tenantId);
  tenants.of.set(tenantId, tenant);
  try {
    // Waited for together: of two that fail, one that nobody waits for would end the process.
    const [known, catalog] = await Promise.all([tenant, prices.catalog]);
    return { tenant: known, catalog };
  } catch (error) {
    // What could not be read is read again by the next call; a tenant that is not there leaves the prices.
    if (error instanceof Refusal) tenants.of.delete(tenantId);
    else keptByDatabase.delete(database);
    throw error;
  }
}
