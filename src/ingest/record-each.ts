import type { InstantMs } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { isDatabaseAway } from '../database/database.ts';
import type { ReadItem, RefusedItem } from '../events/read-body.ts';
import type { ReferenceCache } from '../ledger/reference-cache.ts';
import type { ItemOutcome } from './record-batch.ts';
import { recordBatch } from './record-batch.ts';

/**
 * Records a batch that the database refused as a whole: by halves, until the event that it refuses
 * stands alone and is quarantined with the database's own words. The other events post.
 */
export async function recordEach(
  database: Database,
  cache: ReferenceCache,
  batch: { readonly items: readonly ReadItem[]; readonly recordedAt: InstantMs },
): Promise<readonly ItemOutcome[]> {
  const { items, recordedAt } = batch;
  try {
    return (await recordBatch(database, cache, batch)).outcomes;
  } catch (error) {
    if (isDatabaseAway(error)) throw error;
    const [only] = items;
    if (only === undefined) return [];
    if (items.length === 1) {
      const refused = { items: [refusedBecause(only, error)], recordedAt };
      return (await recordBatch(database, cache, refused)).outcomes;
    }
    const middle = Math.ceil(items.length / 2);
    const first = { items: items.slice(0, middle), recordedAt };
    const second = { items: items.slice(middle), recordedAt };
    return [
      ...(await recordEach(database, cache, first)),
      ...(await recordEach(database, cache, second)),
    ];
  }
}

function refusedBecause(item: ReadItem, error: unknown): RefusedItem {
  const detail = `the ledger refused the event: ${String(error)}; replay it when the cause is gone`;
  if (item.kind === 'refused') return { ...item, detail: `${item.detail}; ${detail}` };
  const { source, eventId } = item.event;
  return { kind: 'refused', reason: 'invalid_field', detail, source, eventId, body: item.body };
}
