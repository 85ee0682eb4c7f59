import type { Transaction } from '../../database/database.ts';
import { placeUsage } from '../../periods/placement.ts';
import type { NewEntry } from '../entries/entry.ts';
import { copyEntries, idsOfSorted, insertBatch, insertPeriods } from './posting-store.ts';
import type { ReferenceCache } from './reference-cache.ts';

interface PostedEntries {
  readonly batchId: bigint;
  readonly ids: ReadonlyMap<NewEntry, bigint>;
}

/**
 * Copies entries that no event brought, corrections, shares of a pool or adjustments, as a batch of their own. The
 * rollups fold it like any other.
 */
export async function postOwnEntries(
  transaction: Transaction,
  entries: readonly NewEntry[],
  of: {
    readonly kind: 'correction' | 'allocation' | 'adjustment';
    readonly cache: ReferenceCache;
    readonly recordedAt: number;
  },
): Promise<PostedEntries> {
  const { kind, cache, recordedAt } = of;
  await insertPeriods(transaction, newPeriods(cache, entries));
  const batch = await insertBatch(transaction, { kind, recordedAt, entries });
  const sorted = await copyEntries(transaction, entries, batch);
  const ids = idsOfSorted(batch.batchId, sorted);
  return { batchId: batch.batchId, ids };
}

function newPeriods(cache: ReferenceCache, entries: readonly NewEntry[]) {
  return entries.flatMap(({ tenantId, occurredAt }) => {
    const { period } = placeUsage(cache.tenant(tenantId), occurredAt);
    return cache.mustMakePeriod(tenantId, period.startDate) ? [{ tenantId, period }] : [];
  });
}
