import type { InstantMs } from '../../clock.ts';
import type { Transaction } from '../../database/database.ts';
import type { UsageEvent } from '../../events/event.ts';
import { isModelCall } from '../../events/event.ts';
import type { Placement } from '../../periods/placement.ts';
import { placeUsage } from '../../periods/placement.ts';
import { rateEvent, UNATTRIBUTED } from '../../rating/rate-event.ts';
import type { NewEntry } from '../entries/entry.ts';
import { usageEntry } from '../entries/entry.ts';
import { type EventKey, eventKeysOf, eventText, tenantsOf } from '../entries/event-keys.ts';
import { withFirstRequested } from './first-requested.ts';
import { eventsToPost } from './known-calls.ts';
import type { SecondReport } from './other-reports-store.ts';
import { insertSecondReports, readOfSameHash } from './other-reports-store.ts';
import type { BatchHead, StructureSpan } from './posting-store.ts';
import {
  copyEntries,
  insertBatch,
  insertPeriods,
  insertStructureSpans,
  lockForPosting,
  probeEvents,
} from './posting-store.ts';
import { readKnownReports } from './read-known-reports.ts';
import type { ReceivedEvent } from './received-event.ts';
import type { ReferenceCache } from './reference-cache.ts';
import type { ReportLookups } from './report-lookups.ts';
import type { CallReport } from './same-call.ts';
import { mayRepeatCalls, reportsOf } from './same-call.ts';
import type { Settlement } from './settlement-store.ts';
import { queueSettlements } from './settlement-store.ts';
import type { UnnamedSpan } from './unnamed-span-store.ts';
import { insertUnnamedSpans } from './unnamed-span-store.ts';

/** The answer to posting one event (R9). A conflict names what the ledger holds; it changes nothing. */
export type PostOutcome =
  | { readonly kind: 'posted' }
  | { readonly kind: 'duplicate' }
  | {
      readonly kind: 'conflict';
      readonly ledgerDigest: Buffer;
      /** The event that has the same provider response with other counts; null where it is this event. */
      readonly sameResponse: EventKey | null;
    };

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
    ...{ kind, recordedAt, entries },
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

interface Told<Received extends ReceivedEvent> {
  readonly judged: readonly PostedEvent<Received>[];
  readonly seconds: readonly SecondReport[];
  /** What is posted as a step between two other spans of its trace, since it repeats a report. */
  readonly steps: ReadonlyMap<ReceivedEvent, ReceivedEvent>;
  /** What is new has its response in common with another report, as `partText`. */
  readonly sharing: Set<string>;
  /** The holds that repeated reports name: their call is in the ledger already. */
  readonly ended: readonly Settlement[];
}

/**
 * The first report of an event id is new; one that is equal to any content that was taken for the event's, by
 * its first report or by a conflict that a person accepted, is a duplicate; another content is a conflict. So is
 * another report of one call, by what both measured (R8). What stands earlier in the same batch counts as
 * being in the ledger.
 */
async function tellNewFromRepeated<Received extends ReceivedEvent>(
  transaction: Transaction,
  lookups: ReportLookups,
  events: readonly Received[],
): Promise<Told<Received>> {
  const areCompared = lookups.areOfAll || mayRepeatCalls(events);
  const keyed = events.map((received) => {
    const keys = eventKeysOf(received.event);
    const reports = areCompared ? reportsOf(received.event, received.digest) : NO_REPORTS;
    return { received, keys, texts: keys.map(eventText), reports };
  });
  const held = await probeEvents(
    transaction,
    keyed.flatMap(({ keys }) => keys),
  );
  // The call of an event that is known is not asked for.
  const unknown = keyed.filter(({ texts }) => firstHeld(held, texts) === undefined);
  const asked = unknown.flatMap(({ reports }) => reports);
  const known = await readKnownReports(transaction, asked, lookups.dueOf(asked));
  const seconds: SecondReport[] = [];
  const steps = new Map<ReceivedEvent, ReceivedEvent>();
  const ofSameHash = lookups.areOfHashes ? await readOfSameHash(transaction, asked) : NO_REPORTS;
  const sharing = new Set(ofSameHash.map(partText));
  const ended: Settlement[] = [];
  const tell = ({ received, texts, reports }: (typeof keyed)[number]): PostOutcome => {
    const digests = firstHeld(held, texts);
    const [ledgerDigest] = digests ?? [];
    if (digests !== undefined && ledgerDigest !== undefined) {
      if (isAmong(digests, received)) {
        // Its first report may not have said under which hold the call was made.
        ended.push(...settlementsOf(received.event));
        return DUPLICATE;
      }
      return { kind: 'conflict', ledgerDigest, sameResponse: null };
    }
    let conflict: CallReport | null = null;
    const repeated = seconds.length;
    for (const report of reports) {
      const verdict = known.judge(report);
      if (verdict.kind === 'second') {
        const { repeats, tie } = verdict;
        seconds.push({ report, repeats, tie });
        const { holdId } = received.event;
        const { source, eventId } = repeats;
        if (holdId !== null) ended.push({ holdId, tenantId: report.tenantId, source, eventId });
      } else if (verdict.kind === 'conflict') conflict ??= verdict.with;
    }
    if (seconds.length > repeated) {
      if (!isStep(received)) return DUPLICATE;
      for (const text of texts) held.set(text, [received.digest]);
      steps.set(received, asSecondReport(received));
      return POSTED;
    }
    if (conflict !== null) {
      const { eventDigest: ledgerDigest, ...sameResponse } = conflict;
      return { kind: 'conflict', ledgerDigest, sameResponse };
    }
    for (const text of texts) held.set(text, [received.digest]);
    for (const report of reports) {
      if (known.sharesResponse(report)) sharing.add(partText(report));
      known.add(report);
    }
    return POSTED;
  };
  const judged = keyed.map((event) => ({ received: event.received, outcome: tell(event) }));
  lookups.found(seconds.length);
  return { judged, seconds, steps, sharing, ended };
}

/**
 * Without its entry, a second report between two others of its trace would keep the fold from seeing that they are
 * of one call, so that it is kept as structure, as it is where all come in one message.
 */
function isStep({ event: { traceId, spanId, parentSpanId } }: ReceivedEvent): boolean {
  return traceId !== null && spanId !== null && parentSpanId !== null;
}

function asSecondReport(received: ReceivedEvent): ReceivedEvent {
  return { ...received, event: { ...received.event, operation: 'duplicate_report' } };
}

const NO_REPORTS: readonly CallReport[] = [];
const NO_SETTLEMENTS: readonly Settlement[] = [];

/**
 * Returns the hold that a call names, for each tenant whom it concerns: only the one that it was
 * made for is settled.
 */
function settlementsOf(event: UsageEvent): readonly Settlement[] {
  const { holdId, source, eventId } = event;
  if (holdId === null || !isModelCall(event)) return NO_SETTLEMENTS;
  return tenantsOf(event).map((tenantId) => ({ holdId, tenantId, source, eventId }));
}

const NO_SPANS: readonly UnnamedSpan[] = [];

/** Returns what a call is known by whose operation nobody named, once calls within it come (R1). */
function unnamedSpansOf({ event, isOperationAssumed }: ReceivedEvent): readonly UnnamedSpan[] {
  if (isOperationAssumed === undefined || !isModelCall(event)) return NO_SPANS;
  const { source, eventId, traceId, spanId } = event;
  if (traceId === null || spanId === null) return NO_SPANS;
  return tenantsOf(event).map((tenantId) => ({ tenantId, source, eventId, traceId, spanId }));
}

/** NUL separates, as in an event's text. */
function partText(part: EventKey & { readonly memberId: string }): string {
  return `${eventText(part)}\u0000${part.memberId}`;
}

const POSTED: PostOutcome = { kind: 'posted' };
const DUPLICATE: PostOutcome = { kind: 'duplicate' };

/** Returns what the ledger holds under an event's id for any of its tenants. */
function firstHeld(
  held: ReadonlyMap<string, readonly Buffer[]>,
  texts: readonly string[],
): readonly Buffer[] | undefined {
  for (const text of texts) {
    const digests = held.get(text);
    if (digests !== undefined) return digests;
  }
  return undefined;
}

/** Whether the ledger took this content, as it was sent, without its addresses, or as the quarantine kept it. */
function isAmong(digests: readonly Buffer[], { digest, otherDigests }: ReceivedEvent): boolean {
  const has = (one: Buffer) => digests.some((held) => held.equals(one));
  return has(digest) || (otherDigests?.().some(has) ?? false);
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
