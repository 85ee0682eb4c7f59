import type { InstantMs } from '../../clock.ts';
import type { Transaction } from '../../database/database.ts';
import { isModelCall } from '../../events/event.ts';
import type { Placement } from '../../periods/placement.ts';
import { placeUsage } from '../../periods/placement.ts';
import { rateEvent, UNATTRIBUTED } from '../../rating/rate-event.ts';
import type { NewEntry } from '../entries/entry.ts';
import { usageEntry } from '../entries/entry.ts';
import { eventKeysOf, tenantsOf } from '../entries/event-keys.ts';
import { withFirstRequested } from './first-requested.ts';
import { eventsToPost } from './known-calls.ts';
import type { PostedEvent } from './new-or-repeated.ts';
import { partText, tellNewFromRepeated } from './new-or-repeated.ts';
import type { SecondReport } from './other-reports-store.ts';
import { insertSecondReports } from './other-reports-store.ts';
import type { BatchHead, StructureSpan } from './posting-store.ts';
import {
  copyEntries,
  insertBatch,
  insertPeriods,
  insertStructureSpans,
  lockForPosting,
} from './posting-store.ts';
import type { ReceivedEvent } from './received-event.ts';
import type { ReferenceCache } from './reference-cache.ts';
import { reportsOf } from './same-call.ts';
import { queueSettlements, settlementsOf } from './settlement-store.ts';
import type { UnnamedSpan } from './unnamed-span-store.ts';
import { insertUnnamedSpans } from './unnamed-span-store.ts';

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
  const tenantIds = new Set<string>();
  for (const { event } of batch.events) for (const id of tenantsOf(event)) tenantIds.add(id);
  await cache.refresh(transaction, tenantIds, batch.recordedAt);
  const { judged, seconds, steps, sharing, ended } = await tellNewFromRepeated(
    transaction,
    cache.reports,
    batch.events,
  );
  const { posted: received, apart } = eventsToPost(judged);
  const posted = received.map((one) => steps.get(one) ?? one);
  const fresh = await withFirstRequested(transaction, posted);
  const ofOneAnswer = [...apart].flatMap(({ event, digest }) => reportsOf(event, digest));
  for (const report of ofOneAnswer) if (report.responseId !== null) sharing.add(partText(report));
  const { entries, periods } = rateAndPlace(cache, fresh, sharing);
  await insertPeriods(transaction, periods);
  const settling = [...ended, ...fresh.flatMap(({ event }) => settlementsOf(event))];
  const structure = structureSpans(fresh);
  const { kind, recordedAt } = batch;
  const made = await insertBatch(transaction, {
    kind,
    recordedAt,
    entries,
    hasMoreToFold: settling.length + structure.length > 0,
  });
  cache.posted(made);
  await copyEntries(transaction, entries, made);
  await queueSettlements(transaction, settling, made.batchId);
  await insertStructureSpans(transaction, structure, made.batchId);
  await insertUnnamedSpans(transaction, fresh.flatMap(unnamedSpansOf));
  const within = posted.flatMap(repeatedWithinMessage);
  await insertSecondReports(transaction, [...seconds, ...within], recordedAt);
  return { batchId: made.batchId, events: judged };
}

const NO_REPEATS: readonly SecondReport[] = [];

/** Returns what was kept as structure, since another span of its message reports the same call. */
function repeatedWithinMessage({ event, repeats }: ReceivedEvent): readonly SecondReport[] {
  if (repeats === undefined) return NO_REPEATS;
  const { tenantId, because, ...kept } = repeats;
  const of = { ...kept, tenantId: tenantId ?? UNATTRIBUTED };
  return eventKeysOf(event).map((report) => ({ report, repeats: of, tie: because }));
}

const NO_SPANS: readonly UnnamedSpan[] = [];

/** Returns what a call is known by whose operation nobody named, once calls within it come (R1). */
function unnamedSpansOf({ event, isOperationAssumed }: ReceivedEvent): readonly UnnamedSpan[] {
  if (isOperationAssumed === undefined || !isModelCall(event)) return NO_SPANS;
  const { source, eventId, traceId, spanId } = event;
  if (traceId === null || spanId === null) return NO_SPANS;
  return tenantsOf(event).map((tenantId) => ({ tenantId, source, eventId, traceId, spanId }));
}

interface PlacedPeriod {
  readonly tenantId: string;
  readonly period: Placement['period'];
}

/** The entries of the calls among events, and the periods of theirs that have no row yet. */
function rateAndPlace(
  cache: ReferenceCache,
  events: readonly ReceivedEvent[],
  sharing: ReadonlySet<string>,
): { readonly entries: readonly NewEntry[]; readonly periods: readonly PlacedPeriod[] } {
  const pricing = cache.pricing();
  const entries: NewEntry[] = [];
  const periods: PlacedPeriod[] = [];
  for (const { event, digest } of events) {
    if (!isModelCall(event)) continue;
    for (const part of rateEvent(event, pricing)) {
      const placement = placeUsage(cache.tenant(part.tenantId), event.occurredAt);
      const entry = usageEntry({ event, digest, part, placement });
      const sharesResponse = sharing.size > 0 && sharing.has(partText(entry));
      entries.push(sharesResponse ? { ...entry, sharesResponse } : entry);
      const { tenantId, periodStart } = entry;
      if (!cache.mustMakePeriod(tenantId, periodStart)) continue;
      periods.push({ tenantId, period: placement.period });
    }
  }
  return { entries, periods };
}

function structureSpans(events: readonly ReceivedEvent[]): readonly StructureSpan[] {
  return events
    .filter(({ event }) => !isModelCall(event))
    .flatMap(({ event, digest }) =>
      tenantsOf(event).map((tenantId) => ({ tenantId, event, digest })),
    );
}
