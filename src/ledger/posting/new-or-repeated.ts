import type { Transaction } from '../../database/database.ts';
import { type EventKey, eventKeysOf, eventText } from '../entries/event-keys.ts';
import type { KnownReports } from './known-reports.ts';
import type { SecondReport } from './other-reports-store.ts';
import { readOfSameHash } from './other-reports-store.ts';
import { probeEvents } from './posting-store.ts';
import { readKnownReports } from './read-known-reports.ts';
import type { ReceivedEvent } from './received-event.ts';
import type { ReportLookups } from './report-lookups.ts';
import type { CallReport } from './same-call.ts';
import { mayRepeatCalls, reportsOf } from './same-call.ts';
import type { Settlement } from './settlement-store.ts';
import { settlementsOf } from './settlement-store.ts';

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

export interface PostedEvent<Received extends ReceivedEvent> {
  readonly received: Received;
  readonly outcome: PostOutcome;
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
export async function tellNewFromRepeated<Received extends ReceivedEvent>(
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
  const ofSameHash = lookups.areOfHashes ? await readOfSameHash(transaction, asked) : NO_REPORTS;
  const judge = new EventJudge({ held, known, sharing: new Set(ofSameHash.map(partText)) });
  const judged = keyed.map((event) => ({ received: event.received, outcome: judge.tell(event) }));
  const { seconds, steps, sharing, ended } = judge;
  lookups.found(seconds.length);
  return { judged, seconds, steps, sharing, ended };
}

const NO_REPORTS: readonly CallReport[] = [];

interface KeyedEvent {
  readonly received: ReceivedEvent;
  /** Its keys, as `eventText`. */
  readonly texts: readonly string[];
  /** None where nothing says that calls may be repeated. */
  readonly reports: readonly CallReport[];
}

/** Judges events one after the other, and keeps what each of them tells of those that are posted. */
class EventJudge {
  readonly seconds: SecondReport[] = [];
  readonly steps = new Map<ReceivedEvent, ReceivedEvent>();
  readonly sharing: Set<string>;
  readonly ended: Settlement[] = [];
  readonly #held: Map<string, readonly Buffer[]>;
  readonly #known: KnownReports;

  constructor(of: {
    readonly held: Map<string, readonly Buffer[]>;
    readonly known: KnownReports;
    readonly sharing: Set<string>;
  }) {
    this.#held = of.held;
    this.#known = of.known;
    this.sharing = of.sharing;
  }

  tell(event: KeyedEvent): PostOutcome {
    const digests = firstHeld(this.#held, event.texts) ?? [];
    const [ledgerDigest] = digests;
    if (ledgerDigest !== undefined) {
      if (!isAmong(digests, event.received)) {
        return { kind: 'conflict', ledgerDigest, sameResponse: null };
      }
      // Its first report may not have said under which hold the call was made.
      this.ended.push(...settlementsOf(event.received.event));
      return DUPLICATE;
    }
    const { seconds, conflict } = this.#compare(event.reports);
    if (seconds.length > 0) return this.#keepSecond(event, seconds);
    if (conflict !== null) {
      const { eventDigest, ...sameResponse } = conflict;
      return { kind: 'conflict', ledgerDigest: eventDigest, sameResponse };
    }
    this.#keepNew(event);
    return POSTED;
  }

  /** Compares the reports that an event makes, one for each member, with those that are known. */
  #compare(reports: readonly CallReport[]) {
    const seconds: SecondReport[] = [];
    let conflict: CallReport | null = null;
    for (const report of reports) {
      const verdict = this.#known.judge(report);
      if (verdict.kind === 'second') {
        seconds.push({ report, repeats: verdict.repeats, tie: verdict.tie });
      } else if (verdict.kind === 'conflict') conflict ??= verdict.with;
    }
    return { seconds, conflict };
  }

  #keepSecond({ received, texts }: KeyedEvent, seconds: readonly SecondReport[]): PostOutcome {
    this.seconds.push(...seconds);
    const { holdId } = received.event;
    if (holdId !== null) {
      for (const { report, repeats } of seconds) {
        const { source, eventId } = repeats;
        this.ended.push({ holdId, tenantId: report.tenantId, source, eventId });
      }
    }
    if (!isStep(received)) return DUPLICATE;
    this.#hold(texts, received);
    this.steps.set(received, asSecondReport(received));
    return POSTED;
  }

  #keepNew({ received, texts, reports }: KeyedEvent): void {
    this.#hold(texts, received);
    for (const report of reports) {
      if (this.#known.sharesResponse(report)) this.sharing.add(partText(report));
      this.#known.add(report);
    }
  }

  #hold(texts: readonly string[], { digest }: ReceivedEvent): void {
    for (const text of texts) this.#held.set(text, [digest]);
  }
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

/** NUL separates, as in an event's text. */
export function partText(part: EventKey & { readonly memberId: string }): string {
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
