import type { Database } from '../database/database.ts';
import { faultOf } from '../database/database-fault.ts';
import type { ReadItem, RefusedItem } from '../events/item.ts';
import type { ReferenceCache } from '../ledger/posting/reference-cache.ts';
import type { Parts } from '../parts.ts';
import type { ItemOutcome, ReadBatch } from './record-batch.ts';
import { recordBatch } from './record-batch.ts';

/** What became of an item; `left`: it could not even be quarantined, and stays in its queue. */
export interface IsolatedItem {
  readonly item: ReadItem;
  readonly outcome: ItemOutcome | 'left';
}

/**
 * Records a batch. One bad event never stops it: where the database refuses a value, the batch is recorded
 * by halves, until the event that it refuses stands alone and is quarantined with the database's own words.
 * The other events post. What cannot be quarantined either is left: its message comes again, and ends in
 * the dead-letter queue. Rethrows every fault that is not one of the values: no event is blamed for those.
 */
export async function recordOrIsolate(
  { database, log }: Pick<Parts, 'database' | 'log'>,
  cache: ReferenceCache,
  batch: ReadBatch,
): Promise<readonly IsolatedItem[]> {
  return recordOr({ database, cache, batch }, (error) => {
    log.error({ error: String(error), events: batch.items.length }, 'batch refused; isolating');
    return isolate({ database, cache, batch }, error);
  });
}

interface Recording {
  readonly database: Database;
  readonly cache: ReferenceCache;
  readonly batch: ReadBatch;
}

/** Records a batch, or answers as `refused` does where the database refuses one of its values. */
async function recordOr<Refused>(
  { database, cache, batch }: Recording,
  refused: (error: unknown) => Refused | Promise<Refused>,
): Promise<Awaited<ReturnType<typeof recordBatch>> | Refused> {
  try {
    return await recordBatch(database, cache, batch);
  } catch (error) {
    if (faultOf(error) !== 'values') throw error;
    return await refused(error);
  }
}

/** Returns what a batch becomes that was refused for the values of one of its events. */
async function isolate(recording: Recording, error: unknown): Promise<readonly IsolatedItem[]> {
  const { items } = recording.batch;
  const of = (some: readonly ReadItem[]) => ({
    ...recording,
    batch: { ...recording.batch, items: some },
  });
  const [only] = items;
  if (only === undefined) throw error;
  if (items.length === 1) {
    const quarantined = await recordOr(of([refusedBecause(only, error)]), () => null);
    return [{ item: only, outcome: quarantined === null ? 'left' : 'quarantined' }];
  }
  const middle = Math.ceil(items.length / 2);
  const isolated: IsolatedItem[] = [];
  for (const half of [items.slice(0, middle), items.slice(middle)]) {
    const part = of(half);
    isolated.push(...(await recordOr(part, (fault) => isolate(part, fault))));
  }
  return isolated;
}

function refusedBecause(item: ReadItem, error: unknown): RefusedItem {
  const detail = detailOfFault(error);
  if (item.kind === 'refused') return { ...item, detail: `${item.detail}; ${detail}` };
  if (item.kind === 'empty') {
    return { ...item, kind: 'refused', reason: 'invalid_field', detail, eventId: null };
  }
  const { source, eventId } = item.event;
  return { kind: 'refused', reason: 'invalid_field', detail, source, eventId, body: item.body };
}

/** Says why the ledger took none of the values of an event. */
export function detailOfFault(error: unknown): string {
  return `the ledger refused the event: ${String(error)}; replay it when the cause is gone`;
}
