import type { Clock } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { inTransaction } from '../database/database.ts';
import { retryLostRace } from '../database/lost-race.ts';
import { formatPico } from '../money.ts';
import type { CorrectionNote } from './correction.ts';
import { priceOf, refuseUnfitNote } from './correction.ts';
import type { EntryFilter, StoredEntry } from './entry-store.ts';
import { readCurrentEntries } from './entry-store.ts';
import { correct, postOwnEntries } from './post-corrections.ts';
import { lockForPosting } from './posting-store.ts';
import { ReferenceCache } from './reference-cache.ts';

export interface RerateRequest {
  /** YYYY-MM of the periods' start. */
  readonly month: string;
  readonly tenantId: string | null;
  /** Shows the difference and posts nothing. */
  readonly dryRun: boolean;
  readonly note: CorrectionNote;
}

/** What re-rating changes for one tenant and model; decimal strings in the major unit. */
export interface RerateRow {
  readonly tenant_id: string;
  readonly requested_model: string;
  readonly entries: number;
  /** Entries that had no price and have one now (R10). */
  readonly released: number;
  readonly charge_before: string;
  readonly charge_after: string;
  readonly cost_before: string;
  readonly cost_after: string;
}

/** Entries read and corrected in one transaction. */
const ENTRIES_A_TRANSACTION = 1_000;

/**
 * Prices the entries of a month anew by the books as they are now (R15), and posts a reversal and a
 * replacement for each whose amounts differ. Doing it again finds nothing to do, so a crash in between
 * is mended by running it again.
 */
export async function rerate(
  database: Database,
  clock: Clock,
  request: RerateRequest,
): Promise<readonly RerateRow[]> {
  refuseUnfitNote(request.note);
  const totals = new RerateTotals();
  let after = 0n;
  for (;;) {
    const from = after;
    const some = await retryLostRace(() => rerateSome(database, clock, { request, after: from }));
    if (some === null) return totals.rows();
    for (const { entry, price } of some.changed) totals.add(entry, price);
    after = some.last;
  }
}

interface RerateStep {
  readonly changed: readonly { readonly entry: StoredEntry; readonly price: Price }[];
  /** The last entry that was looked at. */
  readonly last: bigint;
}

/** Re-rates a thousand entries from the given one on; null when there was none. */
function rerateSome(
  database: Database,
  clock: Clock,
  of: { readonly request: RerateRequest; readonly after: bigint },
): Promise<RerateStep | null> {
  const { request, after } = of;
  return inTransaction(database, async (transaction) => {
    await lockForPosting(transaction);
    const filter: EntryFilter = {
      month: request.month,
      ...(request.tenantId === null ? {} : { tenantId: request.tenantId }),
      after,
      limit: ENTRIES_A_TRANSACTION,
    };
    const entries = await readCurrentEntries(transaction, filter);
    const cache = new ReferenceCache();
    const now = clock();
    await cache.refresh(transaction, new Set(entries.map((entry) => entry.tenantId)), now);
    const pricing = cache.pricing();
    const changed = entries.flatMap((entry) => {
      const price = priceOf(entry, pricing);
      return isSamePrice(entry, price) ? [] : [{ entry, price }];
    });
    if (changed.length > 0 && !request.dryRun) {
      const note = { note: request.note, change: {} };
      const corrections = changed.map(({ entry }) => correct(cache, entry, note));
      const posted = corrections.flatMap(({ reversal, replacement }) =>
        [reversal, replacement ?? []].flat(),
      );
      await postOwnEntries(transaction, posted, {
        kind: 'correction',
        cache,
        recordedAt: now,
      });
    }
    const last = entries.at(-1);
    return last === undefined ? null : { changed, last: last.entryId };
  });
}

type Price = ReturnType<typeof priceOf>;

function isSamePrice(entry: StoredEntry, price: Price): boolean {
  return (
    entry.charge === price.charge &&
    entry.cost === price.cost &&
    // It is no amount of a bill, but the routing gain of a report comes from it (R4).
    entry.requestedCost === price.requestedCost &&
    entry.outcome === price.outcome &&
    entry.currency === price.currency
  );
}

class RerateTotals {
  readonly #byKey = new Map<
    string,
    { tenantId: string; model: string; entries: number; released: number; amounts: bigint[] }
  >();

  add(entry: StoredEntry, price: Price): void {
    const key = JSON.stringify([entry.tenantId, entry.requestedModel]);
    const total = this.#byKey.get(key) ?? {
      tenantId: entry.tenantId,
      model: entry.requestedModel,
      entries: 0,
      released: 0,
      amounts: [0n, 0n, 0n, 0n],
    };
    this.#byKey.set(key, total);
    total.entries += 1;
    total.released += entry.outcome === 'unrated' && price.outcome !== 'unrated' ? 1 : 0;
    const amounts = [entry.charge, price.charge, entry.cost, price.cost];
    total.amounts = total.amounts.map((amount, index) => amount + (amounts[index] ?? 0n));
  }

  rows(): readonly RerateRow[] {
    const sorted = [...this.#byKey].sort(([a], [b]) => (a < b ? -1 : 1));
    return sorted.map(([, { tenantId, model, entries, released, amounts }]) => ({
      tenant_id: tenantId,
      requested_model: model,
      entries,
      released,
      charge_before: formatPico(amounts[0] ?? 0n),
      charge_after: formatPico(amounts[1] ?? 0n),
      cost_before: formatPico(amounts[2] ?? 0n),
      cost_after: formatPico(amounts[3] ?? 0n),
    }));
  }
}
