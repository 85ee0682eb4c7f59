import type { InstantMs } from '../../clock.ts';
import type { Transaction } from '../../database/database.ts';
import { loadPriceCatalog } from '../../rating/books/price-book-store.ts';
import type { PriceCatalog } from '../../rating/books/price-catalog.ts';
import type { AssignedBook, Pricing } from '../../rating/rate-event.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { assignedBook } from '../../tenants/tenant.ts';
import { createShadowTenants, readTenants } from '../../tenants/tenant-store.ts';
import type { Batch } from './posting-store.ts';
import { readCatalogRevisions } from './posting-store.ts';
import { ReportLookups } from './report-lookups.ts';

/** Prices that do not hold yet, under which a look is made that posts nothing. */
export interface ForeseenPrices {
  readonly catalog: PriceCatalog;
  /** The book by which every tenant pays; null where each pays by its own. */
  readonly paysBy: AssignedBook | null;
}

/**
 * Prices and tenants as one posting transaction may rely on them. They are kept between batches and
 * read again when the database says that they changed; the posting lock keeps them true until commit.
 */
export class ReferenceCache {
  readonly #foreseen: ForeseenPrices | null;
  #prices: { readonly revision: bigint; readonly catalog: PriceCatalog } | null = null;
  #tenantsRevision = 0n;
  #lastBatch: Batch | null = null;
  readonly #tenants = new Map<string, Tenant>();
  /** The periods that are known to have their row, of each tenant by their first days. */
  readonly #knownPeriods = new Map<string, Set<string>>();
  /** It is no reference, but like them it is kept between batches and put back by a rollback. */
  readonly reports = new ReportLookups();

  /** A look may be under other prices than those that hold. */
  constructor(foreseen: ForeseenPrices | null = null) {
    this.#foreseen = foreseen;
  }

  /**
   * Brings the cache up to date inside the transaction, after it took the posting lock. A database that was restored
   * counts its revisions anew and lacks periods that were made since: it is known by the last batch, which is gone.
   */
  async refresh(
    transaction: Transaction,
    tenantIds: ReadonlySet<string>,
    at: InstantMs,
  ): Promise<void> {
    const revisions = await readCatalogRevisions(transaction.client, this.#lastBatch);
    if (!revisions.holds) {
      this.forget();
      this.#prices = null;
    }
    if (this.#prices?.revision !== revisions.prices) {
      const catalog = this.#foreseen?.catalog ?? (await loadPriceCatalog(transaction.kysely));
      this.#prices = { revision: revisions.prices, catalog };
    }
    if (this.#tenantsRevision !== revisions.tenants) {
      this.#tenants.clear();
      this.#tenantsRevision = revisions.tenants;
    }
    await this.#readMissing(transaction, tenantIds, at);
  }

  async #readMissing(
    transaction: Transaction,
    tenantIds: ReadonlySet<string>,
    at: InstantMs,
  ): Promise<void> {
    const missing = [...tenantIds].filter((id) => !this.#tenants.has(id));
    if (missing.length === 0) return;
    const known = await readTenants(transaction.kysely, missing);
    for (const tenant of known) this.#tenants.set(tenant.tenantId, tenant);
    const unknown = missing.filter((id) => !this.#tenants.has(id));
    if (unknown.length === 0) return;
    await createShadowTenants(transaction, unknown, at);
    const created = await readTenants(transaction.kysely, unknown);
    for (const tenant of created) this.#tenants.set(tenant.tenantId, tenant);
  }

  /** Told of the batch that a transaction posted with what stands here. */
  posted(batch: Batch): void {
    this.#lastBatch = batch;
  }

  tenant(tenantId: string): Tenant {
    const tenant = this.#tenants.get(tenantId);
    if (tenant === undefined) throw new Error(`tenant ${tenantId} was not read before posting`);
    return tenant;
  }

  pricing(): Pricing {
    const catalog = this.#prices?.catalog;
    if (catalog === undefined) throw new Error('prices were not read before rating');
    return {
      catalog,
      bookOf: (tenantId, at) =>
        this.#foreseen?.paysBy ?? assignedBook(this.tenant(tenantId), catalog, at),
    };
  }

  /** Answers true for a period that is not known to have its row, and that once: whoever asks makes it. */
  mustMakePeriod(tenantId: string, startDate: string): boolean {
    const known = this.#knownPeriods.get(tenantId);
    if (known?.has(startDate) === true) return false;
    if (known === undefined) this.#knownPeriods.set(tenantId, new Set([startDate]));
    else known.add(startDate);
    return true;
  }

  /**
   * After a rollback no tenant and no period that this transaction made may be relied on. Prices stay:
   * posting makes none, and reading them again would lose the next race too.
   */
  forget(): void {
    this.#tenantsRevision = 0n;
    this.#lastBatch = null;
    this.#tenants.clear();
    this.#knownPeriods.clear();
    this.reports.refused();
  }
}
