import type { Database } from '../database/database.ts';
import { readCatalogRevisions } from '../ledger/posting/posting-store.ts';
import { loadPriceCatalog } from '../rating/books/price-book-store.ts';
import type { PriceCatalog } from '../rating/books/price-catalog.ts';
import { Refusal } from '../refusal.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { readTenant } from '../tenants/tenant-store.ts';

/** How often prices and tenants were changed; whoever reads them anew finds other numbers. */
export interface CatalogRevisions {
  readonly prices: bigint;
  readonly tenants: bigint;
}

/** The tenant and the prices by which a call is estimated. */
interface References {
  readonly tenant: Tenant;
  readonly catalog: PriceCatalog;
  readonly revisions: CatalogRevisions;
}

interface Kept {
  readonly revisions: CatalogRevisions;
  readonly prices: Promise<PriceCatalog>;
  readonly tenants: Map<string, Promise<Tenant>>;
}

const keptByPool = new WeakMap<Database['bare'], Kept>();

/**
 * Returns what was read before, since reading all prices for each call would cost more than the call's admission.
 * Whether it still holds is asked with the admission: whoever hears that it does not renews it.
 */
export async function readReferences(database: Database, tenantId: string): Promise<References> {
  const { bare } = database;
  const kept = keptByPool.get(bare) ?? (await renewReferences(database));
  const { revisions, prices, tenants } = kept;
  const reading = tenants.get(tenantId) ?? readTenant(database.kysely, tenantId);
  tenants.set(tenantId, reading);
  try {
    // Waited for together: of two that fail, one that nobody waits for would end the process.
    const [tenant, catalog] = await Promise.all([reading, prices]);
    return { tenant, catalog, revisions };
  } catch (error) {
    // What could not be read is read again by the next call; a tenant that is not there leaves the prices.
    if (error instanceof Refusal) tenants.delete(tenantId);
    else keptByPool.delete(bare);
    throw error;
  }
}

/** Reads anew what has changed since it was read. */
export async function renewReferences(database: Database): Promise<Kept> {
  const { bare } = database;
  const revisions = await readCatalogRevisions(database.pool, null);
  const before = keptByPool.get(bare);
  const kept = {
    revisions,
    prices:
      before?.revisions.prices === revisions.prices
        ? before.prices
        : loadPriceCatalog(database.kysely),
    tenants:
      before?.revisions.tenants === revisions.tenants
        ? before.tenants
        : new Map<string, Promise<Tenant>>(),
  };
  keptByPool.set(bare, kept);
  return kept;
}
