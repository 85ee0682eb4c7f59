import type { InstantMs } from '../../clock.ts';
import type { EventStatus } from '../../events/event.ts';
import { isWaiting } from '../../ledger/entries/waiting.ts';
import type { Pico } from '../../money.ts';

/** The place of a span in a run, whether it is a model call or only wraps some. */
interface SpanFacts {
  readonly source: string;
  readonly eventId: string;
  readonly operation: string;
  readonly status: EventStatus;
  readonly errorType: string | null;
  readonly startedAt: InstantMs | null;
  /** The instant at which it completed. */
  readonly occurredAt: InstantMs;
  readonly traceId: string | null;
  readonly spanId: string | null;
  readonly parentSpanId: string | null;
}

/** One entry of a model call: the usage as it was posted, or a revision of it. */
export interface RunEntry extends SpanFacts {
  readonly entryId: bigint;
  readonly correctsEntryId: bigint | null;
  readonly isReversal: boolean;
  /** Its call is counted in a month before the one that is asked about. */
  readonly beganBefore: boolean;
  readonly memberId: string;
  readonly outcome: string;
  readonly requestedModel: string;
  readonly executedModel: string;
  readonly feature: string | null;
  readonly promptVersion: string | null;
  /** Negative in a reversal, as the amounts are. */
  readonly inputTokens: bigint;
  readonly outputTokens: bigint;
  /** What of the input came from tools and from memory. */
  readonly toolTokens: bigint;
  readonly memoryTokens: bigint;
  readonly charge: Pico | null;
  /** Whether its charge belongs to a month that was closed in shadow, and is billed nowhere. */
  readonly isNotDue: boolean;
  readonly cost: Pico | null;
  readonly currency: string;
  readonly attempt: number;
  readonly callId: string | null;
}

/** A span that is no model call (R1): it has a place in the tree, and no amounts. */
export type RunSpan = SpanFacts;

/** What a step comes to; all revisions of it together, so that a tree sums to its entries. */
export interface StepSum {
  readonly inputTokens: bigint;
  readonly outputTokens: bigint;
  readonly toolTokens: bigint;
  readonly memoryTokens: bigint;
  readonly charge: Pico;
  /** What of the charge is billed nowhere. */
  readonly notDue: Pico;
  /** The sum of the costs that are known. */
  readonly cost: Pico;
  /** Entries whose cost nobody knows; a reversal takes back what it reverses, where that is among them. */
  readonly uncosted: number;
  /** Entries that wait for a price or for their usage, counted in the same way. */
  readonly uncharged: number;
}

/** One model call of a run, or one member's part of a batched one (R7), with all its revisions. */
export interface CallStep {
  readonly kind: 'call';
  /**
   * The facts of the call as it stands; of one that was taken back or moved away, as it stood last.
   */
  readonly facts: RunEntry;
  readonly stands: boolean;
  /** It is counted in a month before the one that is asked about, and has nothing but amounts here. */
  readonly beganBefore: boolean;
  readonly sum: StepSum;
  /** The entries stand in the order in which they were posted. */
  readonly entries: readonly RunEntry[];
}

interface WrapperStep {
  readonly kind: 'wrapper';
  readonly facts: RunSpan;
}

export type RunStep = CallStep | WrapperStep;

/**
 * The steps of one tenant's run, in the order in which they began. Revisions of one call are one
 * step: it shows what stands, and amounts to what all of them sum to. A call that a correction moved
 * to another tenant or run leaves a step of nothing behind.
 */
export function stepsOf(
  entries: readonly RunEntry[],
  spans: readonly RunSpan[],
): readonly RunStep[] {
  const calls = Map.groupBy(entries, (entry) =>
    JSON.stringify([entry.source, entry.eventId, entry.memberId]),
  );
  const steps: RunStep[] = [
    ...spans.map((facts) => ({ kind: 'wrapper' as const, facts })),
    ...[...calls.values()].map(callOf),
  ];
  return steps.sort(compareSteps);
}

function callOf(revisions: readonly RunEntry[]): CallStep {
  const entries = [...revisions].sort((a, b) => compare(a.entryId, b.entryId));
  const corrected = new Set(entries.map((entry) => entry.correctsEntryId));
  const standing = entries.filter((entry) => !entry.isReversal && !corrected.has(entry.entryId));
  const posted = entries.filter((entry) => !entry.isReversal);
  const facts = standing.at(-1) ?? posted.at(-1) ?? entries.at(-1);
  if (facts === undefined) throw new Error('a step has at least one entry');
  return {
    kind: 'call',
    facts,
    stands: standing.length > 0,
    beganBefore: entries.some((entry) => entry.beganBefore),
    sum: sumEntries(entries),
    entries,
  };
}

function sumEntries(entries: readonly RunEntry[]): StepSum {
  const sum = (of: (entry: RunEntry) => bigint | null) =>
    entries.reduce((total, entry) => total + (of(entry) ?? 0n), 0n);
  return {
    inputTokens: sum((entry) => entry.inputTokens),
    outputTokens: sum((entry) => entry.outputTokens),
    toolTokens: sum((entry) => entry.toolTokens),
    memoryTokens: sum((entry) => entry.memoryTokens),
    charge: sum((entry) => entry.charge),
    notDue: sum((entry) => (entry.isNotDue ? entry.charge : 0n)),
    cost: sum((entry) => entry.cost),
    uncosted: countOf(entries, ({ cost }) => cost === null),
    uncharged: countOf(entries, isWaiting),
  };
}

/**
 * Counts the entries that are so; a reversal takes back what it reverses, and nothing where that stands in another month
 * than the one that is asked about.
 */
function countOf(entries: readonly RunEntry[], isSo: (entry: RunEntry) => boolean): number {
  const ids = new Set<bigint | null>(entries.map(({ entryId }) => entryId));
  const each = (entry: RunEntry) => {
    if (!entry.isReversal) return 1;
    return ids.has(entry.correctsEntryId) ? -1 : 0;
  };
  return entries.reduce((count, entry) => (isSo(entry) ? count + each(entry) : count), 0);
}

/** A wrapper stands before what began with it; ids decide what no clock does. */
function compareSteps(a: RunStep, b: RunStep): number {
  return (
    beganAt(a) - beganAt(b) ||
    Number(a.kind === 'call') - Number(b.kind === 'call') ||
    b.facts.occurredAt - a.facts.occurredAt ||
    compare(placeOf(a), placeOf(b))
  );
}

function beganAt({ facts }: RunStep): InstantMs {
  return facts.startedAt ?? facts.occurredAt;
}

function placeOf(step: RunStep): string {
  const { source, eventId } = step.facts;
  return JSON.stringify([source, eventId, step.kind === 'call' ? step.facts.memberId : '']);
}

function compare<Value extends bigint | string>(a: Value, b: Value): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
