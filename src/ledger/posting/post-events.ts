import type { InstantMs } from '../../clock.ts';
import type { Transaction } from '../../database/database.ts';
import { isModelCall } from '../../events/event.ts';
import type { Placement } from '../../periods/placement.ts';
import { placeUsage } from '../../periods/placement.ts';
import { rateEvent } from '../../rating/rate-event.ts';
import type { NewEntry } from '../entries/entry.ts';
import { usageEntry } from '../entries/entry.ts';
import {
  eventKeysOf,
  eventText,
  responseKeysOf,
  responseText,
  tenantsOf,
} from '../entries/event-keys.ts';
import { type ReceivedEvent, withFirstRequested } from './join-attempts.ts';
import type { BatchHead, StructureSpan } from './posting-store.ts';
import {
  copyEntries,
  insertBatch,
  insertPeriods,
  insertStructureSpans,
  lockForPosting,
  probeEvents,
  probeResponses,
} from './posting-store.ts';
import type { ReferenceCache } from './reference-cache.ts';
import type { ResponseLookups } from './response-lookups.ts';

/** What posting one event answers (R9). A conflict names what the ledger holds; it changes nothing. */
export type PostOutcome =
  | { readonly kind: 'posted' }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'conflict'; readonly ledgerDigest: Buffer };

interface PostedEvent<Received extends ReceivedEvent> {
  readonly received: Received;
  readonly outcome: PostOutcome;
}

export interface Posting<Received extends ReceivedEvent> {
  readonly batchId: bigint;
  readonly events: readonly PostedEvent<Received>[];
}

/**
 * Posts a batch of events inside the caller's transaction: reads what decides prices and periods
 * under the posting lock, tells new events from repeated ones, rates the new ones and copies their
 * entries. Raises SQLSTATE 23505 where another transaction posted one of them in the meantime, or where
 * a provider response is repeated that was not looked up; the caller rolls back, forgets the cache and
 * calls again.
 */
export async function postEvents<Received extends ReceivedEvent>(
  transaction: Transaction,
  cache: ReferenceCache,
  batch: {
    readonly kind: BatchHead['kind'];
    readonly events: readonly Received[];
    readonly recordedAt: InstantMs;
  },
): Promise<Posting<Received>> {
  await lockForPosting(transaction);
  const tenantIds = new Set(batch.events.flatMap(({ event }) => tenantsOf(event)));
  await cache.refresh(transaction, tenantIds, batch.recordedAt);
  const judged = await tellNewFromRepeated(transaction, cache.responses, batch.events);
  const isNew = ({ outcome }: PostedEvent<Received>) => outcome.kind === 'posted';
  const posted = judged.filter(isNew).map(({ received }) => received);
  const fresh = await withFirstRequested(transaction, posted);
  const entries = rateAndPlace(cache, fresh);
  await insertPeriods(transaction, newPeriods(cache, entries));
  const rows = entries.map(({ entry }) => entry);
  const head = { kind: batch.kind, recordedAt: batch.recordedAt, entries: rows };
  const made = await insertBatch(transaction, head);
  await copyEntries(transaction, rows, made);
  await insertStructureSpans(transaction, structureSpans(fresh), made.batchId);
  return { batchId: made.batchId, events: judged };
}

/**
 * The first report of an event id is new; an equal one is a duplicate, another content a conflict;
 * and so is a second report of one provider response (R8). What stands earlier in the same batch
 * counts as being in the ledger.
 */
async function tellNewFromRepeated<Received extends ReceivedEvent>(
  transaction: Transaction,
  lookups: ResponseLookups,
  events: readonly Received[],
): Promise<readonly PostedEvent<Received>[]> {
  const keyed = events.map((received) => {
    const keys = eventKeysOf(received.event);
    return { received, keys, texts: keys.map(eventText) };
  });
  const held = await probeEvents(
    transaction,
    keyed.flatMap(({ keys }) => keys),
  );
  // The response of an event that is known is not asked for.
  const unknown = keyed.filter(({ texts }) => firstHeld(held, texts) === undefined);
  const answered = await findResponses(
    transaction,
    lookups,
    unknown.map(({ received }) => received),
  );
  const tell = ({ received, texts }: (typeof keyed)[number]): PostOutcome => {
    const known = firstHeld(held, texts);
    if (known !== undefined) {
      return known.equals(received.digest) ? DUPLICATE : { kind: 'conflict', ledgerDigest: known };
    }
    const responses = responseKeysOf(received.event).map(responseText);
    if (responses.some((text) => answered.has(text))) return DUPLICATE;
    for (const text of texts) held.set(text, received.digest);
    for (const text of responses) answered.add(text);
    return POSTED;
  };
  return keyed.map((event) => ({ received: event.received, outcome: tell(event) }));
}

async function findResponses(
  transaction: Transaction,
  lookups: ResponseLookups,
  events: readonly ReceivedEvent[],
): Promise<Set<string>> {
  if (!lookups.areDue) return new Set();
  const found = await probeResponses(
    transaction,
    events.flatMap(({ event }) => responseKeysOf(event)),
  );
  lookups.found(found.size);
  return found;
}

const POSTED: PostOutcome = { kind: 'posted' };
const DUPLICATE: PostOutcome = { kind: 'duplicate' };

/** What the ledger holds under an event's id for any of its tenants. */
function firstHeld(
  held: ReadonlyMap<string, Buffer>,
  texts: readonly string[],
): Buffer | undefined {
  for (const text of texts) {
    const digest = held.get(text);
    if (digest !== undefined) return digest;
  }
  return undefined;
}

interface PlacedEntry {
  readonly entry: NewEntry;
  readonly placement: Placement;
}

function rateAndPlace(
  cache: ReferenceCache,
  events: readonly ReceivedEvent[],
): readonly PlacedEntry[] {
  const pricing = cache.pricing();
  return events
    .filter(({ event }) => isModelCall(event))
    .flatMap(({ event, digest }) =>
      rateEvent(event, pricing).map((part) => {
        const placement = placeUsage(cache.tenant(part.tenantId), event.occurredAt);
        return { entry: usageEntry({ event, digest, part, placement }), placement };
      }),
    );
}

function newPeriods(cache: ReferenceCache, entries: readonly PlacedEntry[]) {
  const unknown = new Map<string, { tenantId: string; period: Placement['period'] }>();
  for (const { entry, placement } of entries) {
    const key = `${entry.tenantId}\u0000${entry.periodStart}`;
    if (cache.knownPeriods.has(key)) continue;
    cache.knownPeriods.add(key);
    unknown.set(key, { tenantId: entry.tenantId, period: placement.period });
  }
  return [...unknown.values()];
}

function structureSpans(events: readonly ReceivedEvent[]): readonly StructureSpan[] {
  return events
    .filter(({ event }) => !isModelCall(event))
    .flatMap(({ event, digest }) =>
      tenantsOf(event).map((tenantId) => ({ tenantId, event, digest })),
    );
}
