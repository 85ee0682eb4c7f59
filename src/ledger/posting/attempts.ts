import type { EventStatus } from '../../events/event.ts';
import { UNKNOWN_MODEL } from '../../events/foreign/translation.ts';

/** What of an attempt decides to which call it belongs. */
export interface Attempt {
  readonly tenantId: string;
  readonly source: string;
  readonly traceId: string | null;
  readonly parentSpanId: string | null;
  readonly attempt: number;
  /** The gateway's id of one call over its attempts. */
  readonly callId: string | null;
  readonly status: EventStatus;
  readonly occurredAt: number;
  readonly startedAt: number | null;
  readonly eventId: string;
  readonly requestedModel: string;
  readonly furtherTags: Readonly<Record<string, string>>;
}

/** Sources of a requested model that a fallback may have overwritten (LiteLLM's). */
const WEAK_SOURCES: ReadonlySet<string | undefined> = new Set(['model_group', 'model']);

/**
 * An answer that may have followed a failed attempt, by what its producer says: a number, a name that a
 * fallback may have put there, or the id of a call, whose model is then not said to be the first one.
 */
export function isLaterAttempt(
  attempt: Pick<Attempt, 'status' | 'furtherTags' | 'callId' | 'traceId' | 'attempt'>,
): boolean {
  if (attempt.status !== 'ok') return false;
  const source = attempt.furtherTags['requested_model_source'];
  const isWeak = WEAK_SOURCES.has(source);
  if (attempt.callId !== null && (isWeak || source === undefined)) return true;
  return attempt.traceId !== null && (attempt.attempt > 1 || isWeak);
}

export function isFailedAttempt(attempt: Attempt): boolean {
  return attempt.status !== 'ok' && (attempt.traceId !== null || attempt.callId !== null);
}

/**
 * The further tag of an answer that is charged on the model of its first attempt: the model that the
 * answer's own event requested. Where the first attempt turns out to be none, that model counts again.
 */
const OWN_REQUESTED_MODEL = 'own_requested_model';

/** Tells whether an answer is charged on the model of its first attempt, and not on its own event's. */
export function isChargedOnFirst({ furtherTags }: Pick<Attempt, 'furtherTags'>): boolean {
  return Object.hasOwn(furtherTags, OWN_REQUESTED_MODEL);
}

/** Returns the model that an attempt's own event requested, whatever it is charged on. */
function ownRequestedModel(attempt: Pick<Attempt, 'furtherTags' | 'requestedModel'>) {
  return attempt.furtherTags[OWN_REQUESTED_MODEL] ?? attempt.requestedModel;
}

/** An answer's model and tags as its first attempt has them be; with null, as its own event said. */
export function chargedOn(
  attempt: Pick<Attempt, 'furtherTags' | 'requestedModel'>,
  first: Pick<Attempt, 'requestedModel'> | null,
): Pick<Attempt, 'furtherTags' | 'requestedModel'> {
  const { [OWN_REQUESTED_MODEL]: _, ...furtherTags } = attempt.furtherTags;
  const own = ownRequestedModel(attempt);
  const requestedModel = first?.requestedModel ?? own;
  if (requestedModel === own) return { requestedModel, furtherTags };
  return { requestedModel, furtherTags: { ...furtherTags, [OWN_REQUESTED_MODEL]: own } };
}

/**
 * Returns the attempt with which the call behind an answer began (R8), from the same source: the
 * first failed one with the same call id. Without such an id it is one in the same trace under the
 * same parent, which many calls may share: of numbered attempts the first one nearest to the answer
 * in time, and where a producer numbers none the first of those that followed one another up to the
 * answer. Null where nothing failed that says what it
 * asked for.
 */
export function firstAttemptOf<Failed extends Attempt>(
  answer: Attempt,
  failed: readonly Failed[],
): Failed | null {
  if (!isLaterAttempt(answer)) return null;
  const before = failed
    .filter((attempt) => attempt.requestedModel !== UNKNOWN_MODEL)
    .filter((attempt) => isSameCall(answer, attempt) && isBefore(attempt, answer))
    .sort((a, b) => b.occurredAt - a.occurredAt || b.attempt - a.attempt);
  const ofOneCall = before.filter((attempt) => isOneCallId(answer, attempt));
  if (ofOneCall.length > 0) return ofOneCall.at(-1) ?? null;
  if (answer.attempt === 1) return inOneGo(answer, before).at(-1) ?? null;
  const earliest = before.at(-1) ?? null;
  const away = ({ occurredAt }: Attempt) => Math.abs(answer.occurredAt - occurredAt);
  // Sorting is stable, so that of two as near the earlier one stands first.
  const firsts = before.filter(({ attempt }) => attempt === 1).reverse();
  return firsts.sort((a, b) => away(a) - away(b))[0] ?? earliest;
}

/** A fallback begins as soon as an attempt has failed; a retry waits at most so long. */
const LONGEST_PAUSE_MS = 10_000;

/**
 * Of failed attempts, the last ones first, those that led up to an answer without a pause. A trace may be
 * a session of hours, so that a failure long before belongs to another call.
 */
function inOneGo<Failed extends Attempt>(
  answer: Attempt,
  before: readonly Failed[],
): readonly Failed[] {
  const going: Failed[] = [];
  let begun = startOf(answer);
  for (const attempt of before) {
    if (begun - attempt.occurredAt > LONGEST_PAUSE_MS) break;
    going.push(attempt);
    begun = Math.min(begun, startOf(attempt));
  }
  return going;
}

function startOf({ startedAt, occurredAt }: Attempt): number {
  return startedAt ?? occurredAt;
}

/** Where both have a call id it alone decides. */
function isSameCall(a: Attempt, b: Attempt): boolean {
  if (a.tenantId !== b.tenantId || a.source !== b.source) return false;
  if (a.callId !== null && b.callId !== null) return a.callId === b.callId;
  return a.traceId !== null && a.traceId === b.traceId && a.parentSpanId === b.parentSpanId;
}

function isOneCallId(a: Attempt, b: Attempt): boolean {
  return a.callId !== null && a.callId === b.callId;
}

/**
 * Tells whether an attempt that failed had begun when the answer came. Numbered attempts follow
 * their numbers; where a producer numbers none, time decides. The first attempt of a hedge is
 * cancelled because another one answered, so it ends after the answer.
 */
function isBefore(failed: Attempt, answer: Attempt): boolean {
  const isUnnumbered = answer.attempt === 1;
  if (!isUnnumbered && failed.attempt >= answer.attempt) return false;
  if (failed.occurredAt <= answer.occurredAt) return true;
  if (isUnnumbered && !isOneCallId(failed, answer)) return false;
  if (failed.startedAt !== null) return failed.startedAt <= answer.occurredAt;
  return failed.status === 'cancelled';
}
