import type { EventMember, UsageCounts, UsageEvent } from '../../events/event.ts';
import { isMeasured, isModelCall, totalInput, totalOutput } from '../../events/event.ts';
import { isOneUse } from '../../events/finer-usage.ts';
import { providerFamily } from '../../events/provider-name.ts';
import { writeUsage } from '../../events/usage-fields.ts';
import { UNATTRIBUTED } from '../../rating/rate-event.ts';
import type { NewEntry } from '../entries/entry.ts';

/** What of a report decides whether another one is about the same call (R8). */
export interface CallReport
  extends Pick<
    NewEntry,
    | 'tenantId'
    | 'source'
    | 'eventId'
    | 'memberId'
    | 'status'
    | 'attempt'
    | 'occurredAt'
    | 'startedAt'
    | 'serviceTier'
    | 'gatewayCache'
    | 'provider'
    | 'requestedModel'
    | 'executedModel'
    | 'responseId'
    | 'callId'
    | 'traceId'
    | 'spanId'
    | 'parentSpanId'
    | 'eventDigest'
  > {
  /** The counts of the whole call, also where it is divided. */
  readonly usage: UsageCounts;
}

/** Why two reports are about one call. */
export type Tie = 'response' | 'call' | 'nested';

/** Two reports of one call, or two contents under one response, or two calls (null). */
export type Comparison =
  | { readonly kind: 'same'; readonly tie: Tie }
  | { readonly kind: 'conflict' }
  | null;

/** The clocks of a client and a gateway may differ by this. */
const CLOCK_SKEW_MS = 60_000;
/** Where a report names one instant alone, that may be the call's beginning as well as its end. */
const INSTANT_MS = 300_000;
/** Spans of one process, and reports of one gateway, are timed by one clock. */
const ONE_CLOCK_MS = 1_000;

/**
 * The reports that an event makes: one of each member, or one. Failures are attempts, and none; neither is
 * what nothing but the event itself could tie to another report. Every event passes here, so that the
 * fields are named one by one: copying all of an event's costs several times as much.
 */
export function reportsOf(event: UsageEvent, digest: Buffer): readonly CallReport[] {
  if (!isMarked(event) || !isModelCall(event)) return NONE;
  const { members } = event;
  if (members === null) {
    return event.status === 'ok' ? [reportOf(event, digest, { ...WHOLE, tags: event.tags })] : NONE;
  }
  return members
    .filter(({ status }) => status === 'ok')
    .map((member) => reportOf(event, digest, member));
}

const NONE: readonly CallReport[] = [];
const WHOLE = { memberId: '' } as const;

function isMarked({ responseId, callId, spanId, parentSpanId }: UsageEvent): boolean {
  return responseId !== null || callId !== null || spanId !== null || parentSpanId !== null;
}

function reportOf(
  event: UsageEvent,
  eventDigest: Buffer,
  of: Pick<EventMember, 'memberId' | 'tags'>,
): CallReport {
  return {
    tenantId: of.tags.tenantId ?? UNATTRIBUTED,
    source: event.source,
    eventId: event.eventId,
    memberId: of.memberId,
    status: 'ok',
    attempt: event.attempt,
    occurredAt: event.occurredAt,
    startedAt: event.startedAt,
    serviceTier: event.serviceTier,
    gatewayCache: event.gatewayCache,
    provider: event.provider,
    requestedModel: event.requestedModel ?? '',
    executedModel: event.executedModel ?? event.requestedModel ?? '',
    responseId: event.responseId,
    callId: event.callId,
    traceId: event.traceId,
    spanId: event.spanId,
    parentSpanId: event.parentSpanId,
    eventDigest,
    usage: event.usage,
  };
}

/**
 * Tells whether a report names no answer, or one that a gateway's cache gave once more: it is known
 * by its span.
 */
export function isBare({ responseId, gatewayCache }: CallReport): boolean {
  return responseId === null || gatewayCache !== 'none';
}

/**
 * Whether any other report may be one of the same call. Of all the rest, two of one tenant meet in their
 * response, which the ledger's key sees.
 */
export function isOneOfFew(report: CallReport): boolean {
  return report.callId !== null || isBare(report) || isNobodys(report);
}

/**
 * Whether any of these events may report the call of another one of them, or one that is looked up: a report of it is
 * one of few, or its response stands in two. Nearly no batch has such an event, so that no report is made of its others.
 */
export function mayRepeatCalls(received: readonly { readonly event: UsageEvent }[]): boolean {
  const responses = new Set<string>();
  for (const { event } of received) {
    if (!isReported(event)) continue;
    const { responseId, callId, gatewayCache } = event;
    if (responseId === null || callId !== null || gatewayCache !== 'none') return true;
    if (isPartlyNobodys(event) || responses.has(responseId)) return true;
    responses.add(responseId);
  }
  return false;
}

function isReported(event: UsageEvent): boolean {
  return isMarked(event) && (event.members !== null || event.status === 'ok') && isModelCall(event);
}

function isPartlyNobodys({ members, tags }: UsageEvent): boolean {
  if (members === null) return isNobodys({ tenantId: tags.tenantId ?? UNATTRIBUTED });
  return members.some((member) => isNobodys({ tenantId: member.tags.tenantId ?? UNATTRIBUTED }));
}

/**
 * Tells whether the ledger's key holds these two apart: they have one response of one tenant's
 * member (R8).
 */
export function shareResponse(one: CallReport, other: CallReport): boolean {
  return (
    one.responseId !== null &&
    one.responseId === other.responseId &&
    one.tenantId === other.tenantId &&
    one.memberId === other.memberId &&
    one.gatewayCache === 'none' &&
    other.gatewayCache === 'none'
  );
}

export function reportOfEntry(entry: NewEntry): CallReport {
  const usage = entry.callUsage ?? {
    uncachedInput: entry.uncachedInputTokens,
    cacheRead: entry.cacheReadTokens,
    cacheWrite: entry.cacheWriteTokens,
    output: entry.outputTokens,
    reasoning: entry.reasoningTokens,
    units: entry.units,
  };
  return { ...entry, usage };
}

/** Compares two reports, in either order. Whoever has no tenant may be about anybody's call. */
export function compareReports(one: CallReport, other: CallReport): Comparison {
  const isOneTenant = one.tenantId === other.tenantId || isNobodys(one) || isNobodys(other);
  return isOneTenant && one.memberId === other.memberId ? compareCalls(one, other) : null;
}

/**
 * Compares what two reports say of a call, whosever it is in either of them, and whatever member of it they are about: their
 * counts are those of the whole call.
 */
export function compareCalls(one: CallReport, other: CallReport): Comparison {
  if (one.status !== 'ok' || other.status !== 'ok') return null;
  if (isOneResponse(one, other)) {
    const agree = countsAgree(one.usage, other.usage) || isOneUseInTrace(one, other);
    if (agree && isOneTime(one, other)) return { kind: 'same', tie: 'response' };
    // Nobody knows whose ids these are where one of them names no provider.
    return (one.provider === null) === (other.provider === null) ? { kind: 'conflict' } : null;
  }
  if (isOneAnswerThroughGateway(one, other)) return { kind: 'same', tie: 'response' };
  const isDivided = one.memberId !== '' || other.memberId !== '';
  if (isDivided || one.gatewayCache !== other.gatewayCache) return null;
  if (isOneGatewayCall(one, other)) return { kind: 'same', tie: 'call' };
  return isNested(one, other) || isNested(other, one) ? { kind: 'same', tie: 'nested' } : null;
}

/**
 * Whether the first of two reports of one call stands: the one with a tenant, else the one that measured
 * anything, else of nested spans the inner one, else the one that came earlier, which is named first.
 */
export function isKept(earlier: CallReport, later: CallReport, tie: Tie): boolean {
  if (isNobodys(earlier) !== isNobodys(later)) return !isNobodys(earlier);
  if (isMeasured(earlier.usage) !== isMeasured(later.usage)) return isMeasured(earlier.usage);
  return tie !== 'nested' || !isWithin(later, earlier);
}

function isNobodys({ tenantId }: Pick<CallReport, 'tenantId'>): boolean {
  return tenantId === UNATTRIBUTED;
}

/** A gateway's cache answers with an older response, and that is a call of its own (R6). */
function isOneResponse(one: CallReport, other: CallReport): boolean {
  if (one.responseId === null || one.responseId !== other.responseId) return false;
  if (one.gatewayCache !== 'none' || other.gatewayCache !== 'none') return false;
  if (one.provider === null || other.provider === null) return true;
  return providerFamily(one.provider) === providerFamily(other.provider);
}

/** Shorter ids may be anybody's; those of providers and gateways have a dozen random characters and a prefix. */
const SHORTEST_UNMISTAKABLE_ID = 20;

/**
 * An application that speaks to a gateway in the words of one provider names that provider, and the gateway names
 * the one that it passed the call on to. An id that nobody else has then tells that they are one, where both
 * counted the same.
 */
function isOneAnswerThroughGateway(one: CallReport, other: CallReport): boolean {
  const { responseId } = one;
  if (responseId === null || responseId !== other.responseId) return false;
  if (responseId.length < SHORTEST_UNMISTAKABLE_ID || !/\d/.test(responseId)) return false;
  if (one.gatewayCache !== 'none' || other.gatewayCache !== 'none') return false;
  const [input, output] = [totalInput(one.usage), totalOutput(one.usage)];
  const isEqual = input === totalInput(other.usage) && output === totalOutput(other.usage);
  const agree =
    isEqual && input + output > 0
      ? countsAgree(one.usage, other.usage)
      : isOneUseInTrace(one, other);
  return agree && isOneTime(one, other);
}

/** A batch of requests is read whenever somebody asks for it, so that its reports need not meet. */
function isOneTime(one: CallReport, other: CallReport): boolean {
  if (one.serviceTier === 'batch' && other.serviceTier === 'batch') return true;
  const isInstant = one.startedAt === null || other.startedAt === null;
  return timesMeet(one, other, isInstant ? INSTANT_MS : CLOCK_SKEW_MS);
}

/**
 * A call id covers retries too, so that counts must agree and the times overlap; where the provider's
 * answers differ the gateway made their ids, and logged one call twice, only if the times are the same.
 */
function isOneGatewayCall(one: CallReport, other: CallReport): boolean {
  if (one.callId === null || one.callId !== other.callId) return false;
  if (one.attempt !== other.attempt || !countsAgree(one.usage, other.usage)) return false;
  if (!answersDiffer(one, other)) return timesMeet(one, other, ONE_CLOCK_MS);
  return one.occurredAt === other.occurredAt && one.startedAt === other.startedAt;
}

function answersDiffer(one: CallReport, other: CallReport): boolean {
  return (
    one.responseId !== null && other.responseId !== null && one.responseId !== other.responseId
  );
}

/**
 * Equal tokens alone are no proof: the outer span must have begun before the inner one and ended after it. Where
 * one of them counted nothing, as a wrapper or a stream does, nesting alone tells; where neither did, nothing.
 */
function isNested(outer: CallReport, inner: CallReport): boolean {
  if (!isWithin(inner, outer) || answersDiffer(outer, inner) || !encloses(outer, inner)) {
    return false;
  }
  const [isOuter, isInner] = [isMeasured(outer.usage), isMeasured(inner.usage)];
  if (!isOuter || !isInner) return isOuter || isInner;
  const isEqual =
    totalInput(outer.usage) === totalInput(inner.usage) &&
    totalOutput(outer.usage) === totalOutput(inner.usage);
  return isEqual ? countsAgree(outer.usage, inner.usage) : isOneUseInTrace(outer, inner);
}

/**
 * Tells whether two spans, one right within the other, are so alike that they may be of one call, though no rule says so:
 * they name other answers or tenants, their clocks differ, or one lacks a total or has another input. A message that has
 * both makes such a pair one call where its model is one. It holds up a month, so that chance must be unlikely.
 */
export function isLikeNested(outer: CallReport, inner: CallReport): boolean {
  if (!isWithin(inner, outer) || !timesMeet(outer, inner, CLOCK_SKEW_MS)) return false;
  const [input, innerInput] = [totalInput(outer.usage), totalInput(inner.usage)];
  const [output, innerOutput] = [totalOutput(outer.usage), totalOutput(inner.usage)];
  const isOneInput = input === innerInput && input > 0;
  if (answersDiffer(outer, inner)) return isOneInput && output === innerOutput;
  if (output === 0 || innerOutput === 0) return isOneInput;
  return output === innerOutput && (isTelling(output) || areInputsNear(input, innerInput, output));
}

/**
 * Tells whether a span that names no answer may be of the call of one around it that does, though nobody knows what lies
 * between: both count the same, and too much for chance. Two right within one span, as equal prompts asked at once, are two.
 */
export function isLikeEnclosed(outer: CallReport, inner: CallReport): boolean {
  const [input, output] = [totalInput(outer.usage), totalOutput(outer.usage)];
  if (outer.responseId === null || inner.responseId !== null) return false;
  if (inner.parentSpanId === null || inner.parentSpanId === outer.parentSpanId) return false;
  if (outer.traceId !== inner.traceId || !encloses(outer, inner)) return false;
  if (input !== totalInput(inner.usage) || output !== totalOutput(inner.usage)) return false;
  return outer.traceId !== null && input > 0 && isTelling(output);
}

/** Tells whether two calls seldom give out as many tokens by chance: more than a few, and no round limit that cuts both off. */
function isTelling(output: number): boolean {
  return output >= 32 && output % 50 !== 0 && output % 64 !== 0;
}

/** Answers of a word or two are equal by themselves, and only the same input tells; of others it may be an estimate. */
function areInputsNear(one: number, other: number, output: number): boolean {
  if (one === 0 || other === 0) return true;
  const allowed = output < 16 ? 0 : Math.max(one, other) / 10;
  return Math.abs(one - other) <= allowed;
}

/**
 * Tells whether a span counts exactly what several measured calls within it count together, input
 * and output.
 */
export function isSumOf(outer: CallReport, inner: readonly CallReport[]): boolean {
  const calls = inner.filter(({ usage }) => isMeasured(usage));
  if (calls.length < 2 || outer.status !== 'ok') return false;
  return [totalInput, totalOutput].every((countOf) => {
    const sum = calls.reduce((total, { usage }) => total + countOf(usage), 0);
    return sum > 0 && sum === countOf(outer.usage);
  });
}

/**
 * Whether a span that names no operation lies around calls and is none itself: one within it answered, and counted
 * something wherever the span did, whatever either counted. Its tenant is not left without the charge for the sake
 * of calls of nobody's.
 */
export function isAroundCall(outer: CallReport, inner: CallReport): boolean {
  const counts = isMeasured(inner.usage) || !isMeasured(outer.usage);
  const isOneTenant = isNobodys(outer) || outer.tenantId === inner.tenantId;
  return inner.status === 'ok' && counts && isOneTenant;
}

/** Tells whether a span lies right within another one. */
export function isWithin(inner: CallReport, outer: CallReport): boolean {
  const { traceId, parentSpanId } = inner;
  return (
    traceId !== null &&
    traceId === outer.traceId &&
    parentSpanId !== null &&
    parentSpanId === outer.spanId
  );
}

function encloses(outer: CallReport, inner: CallReport): boolean {
  const begun = startOf(outer) <= startOf(inner) + ONE_CLOCK_MS || outer.startedAt === null;
  return begun && outer.occurredAt + ONE_CLOCK_MS >= inner.occurredAt;
}

function timesMeet(one: CallReport, other: CallReport, tolerance: number): boolean {
  return (
    startOf(one) <= other.occurredAt + tolerance && startOf(other) <= one.occurredAt + tolerance
  );
}

function startOf({ startedAt, occurredAt }: CallReport): number {
  return Math.min(startedAt ?? occurredAt, occurredAt);
}

/** Equal counts, or counts that one side lacks. */
function countsAgree(one: UsageCounts, other: UsageCounts): boolean {
  return countsMeet(one, other, () => true);
}

/**
 * Whether two spans of one trace count one use, where one counts beside a total, or not at all, what the other has
 * within it: what was cached, and thoughts.
 */
function isOneUseInTrace(one: CallReport, other: CallReport): boolean {
  if (one.traceId === null || one.traceId !== other.traceId) return false;
  const isPart = (name: string) => name !== 'input_tokens' && name !== 'output_tokens';
  return (
    countsMeet(one.usage, other.usage, isPart) &&
    isOneUse(writeUsage(one.usage), writeUsage(other.usage))
  );
}

function countsMeet(
  one: UsageCounts,
  other: UsageCounts,
  isCompared: (name: string) => boolean,
): boolean {
  const given = new Map(Object.entries(writeUsage(other)));
  return Object.entries(writeUsage(one)).every(([name, count]) => {
    const others = given.get(name) ?? 0;
    return count === others || count === 0 || others === 0 || !isCompared(name);
  });
}
