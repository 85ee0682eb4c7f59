import type { InstantMs } from '../clock.ts';
import type { Transaction } from '../database/database.ts';
import { isModelCall } from '../events/event.ts';
import type { Placement } from '../periods/placement.ts';
import { placeUsage } from '../periods/placement.ts';
import { rateEvent } from '../rating/rate-event.ts';
import type { NewEntry } from './entry.ts';
import { usageEntry } from './entry.ts';
import { eventKey, responseKey, responseKeysOf, tenantsOf } from './event-keys.ts';
import { type ReceivedEvent, withFirstRequested } from './join-attempts.ts';
import type { BatchHead, EventKey, ResponseKey, StructureSpan } from './posting-store.ts';
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

/** What posting one event answers (R9). A conflict names what the ledger holds; it changes nothing. */
export type PostOutcome =
  | { readonly kind: 'posted' }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'conflict'; readonly ledgerDigest: Buffer };

export interface Posting {
  readonly batchId: bigint;
  /** In the order of the events. */
  readonly outcomes: readonly PostOutcome[];
}

/**
 * Posts a batch of events inside the caller's transaction: reads what decides prices and periods
 * under the posting lock, tells new events from repeated ones, rates the new ones and copies their
 * entries. Raises SQLSTATE 23505 where another transaction posted one of them in the meantime; the
 * caller rolls back, forgets the cache and calls again.
 */
export async function postEvents(
  transaction: Transaction,
  cache: ReferenceCache,
  batch: {
    readonly kind: BatchHead['kind'];
    readonly events: readonly ReceivedEvent[];
    readonly recordedAt: InstantMs;
  },
): Promise<Posting> {
  await lockForPosting(transaction);
  const tenantIds = new Set(batch.events.flatMap(({ event }) => tenantsOf(event)));
  await cache.refresh(transaction, tenantIds, batch.recordedAt);
  const told = await tellNewFromRepeated(transaction, batch.events);
  const fresh = await withFirstRequested(transaction, told.fresh);
  const entries = rateAndPlace(cache, fresh);
  await insertPeriods(transaction, newPeriods(cache, entries));
  const posted = entries.map(({ entry }) => entry);
  const head = { kind: batch.kind, recordedAt: batch.recordedAt, entries: posted };
  const made = await insertBatch(transaction, head);
  await copyEntries(transaction, posted, made);
  await insertStructureSpans(transaction, structureSpans(fresh), made.batchId);
  return { batchId: made.batchId, outcomes: told.outcomes };
}

interface Told {
  readonly outcomes: readonly PostOutcome[];
  readonly fresh: readonly ReceivedEvent[];
}

/**
 * The first report of an event id is new; an equal one is a duplicate, another content a conflict;
 * and so is a second report of one provider response (R8). What stands earlier in the same batch
 * counts as being in the ledger.
 */
async function tellNewFromRepeated(
  transaction: Transaction,
  events: readonly ReceivedEvent[],
): Promise<Told> {
  const known = await knownDigests(transaction, events);
  const responses = await knownResponses(transaction, events, known);
  const fresh: ReceivedEvent[] = [];
  const inBatch = new Map<string, Buffer>();
  const answered = new Set<string>();
  const outcomes = events.map((received, place): PostOutcome => {
    const { event, digest } = received;
    const keys = tenantsOf(event).map((tenantId) => eventKey(tenantId, event));
    const held = known[place] ?? firstHeld(inBatch, keys);
    if (held !== undefined) {
      return held.equals(digest) ? DUPLICATE : { kind: 'conflict', ledgerDigest: held };
    }
    const responseKeys = responseKeysOf(event).map(responseKey);
    if (responses.has(place) || responseKeys.some((key) => answered.has(key))) return DUPLICATE;
    for (const key of keys) inBatch.set(key, digest);
    for (const key of responseKeys) answered.add(key);
    fresh.push(received);
    return POSTED;
  });
  return { outcomes, fresh };
}

const POSTED: PostOutcome = { kind: 'posted' };
const DUPLICATE: PostOutcome = { kind: 'duplicate' };

function firstHeld(
  known: ReadonlyMap<string, Buffer>,
  keys: readonly string[],
): Buffer | undefined {
  for (const key of keys) {
    const held = known.get(key);
    if (held !== undefined) return held;
  }
  return undefined;
}

/** Of each event, by its place, what the ledger holds under its id for any of its tenants. */
async function knownDigests(
  transaction: Transaction,
  events: readonly ReceivedEvent[],
): Promise<readonly (Buffer | undefined)[]> {
  const keys: EventKey[] = [];
  const places: number[] = [];
  for (const [place, { event }] of events.entries()) {
    for (const tenantId of tenantsOf(event)) {
      keys.push({ tenantId, source: event.source, eventId: event.eventId });
      places.push(place);
    }
  }
  const known: (Buffer | undefined)[] = Array.from({ length: events.length });
  for (const { index, digest } of await probeEvents(transaction, keys)) {
    known[places[index] ?? 0] ??= digest;
  }
  return known;
}

/** The places of events whose provider response is in the ledger; one that is known is not asked for. */
async function knownResponses(
  transaction: Transaction,
  events: readonly ReceivedEvent[],
  known: readonly (Buffer | undefined)[],
): Promise<ReadonlySet<number>> {
  const keys: ResponseKey[] = [];
  const places: number[] = [];
  for (const [place, { event }] of events.entries()) {
    if (known[place] !== undefined) continue;
    for (const key of responseKeysOf(event)) {
      keys.push(key);
      places.push(place);
    }
  }
  const found = await probeResponses(transaction, keys);
  return new Set(found.map((index) => places[index] ?? 0));
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
