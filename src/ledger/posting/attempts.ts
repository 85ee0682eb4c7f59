import type { EventStatus } from '../../events/event.ts';

/** What of an attempt decides to which call it belongs. */
export interface Attempt {
  readonly tenantId: string;
  readonly source: string;
  readonly traceId: string | null;
  readonly parentSpanId: string | null;
  readonly attempt: number;
  readonly status: EventStatus;
  readonly occurredAt: number;
  readonly eventId: string;
  readonly requestedModel: string;
  readonly furtherTags: Readonly<Record<string, string>>;
}

/** Sources of a requested model that a fallback may have overwritten (LiteLLM's). */
const WEAK_SOURCES: ReadonlySet<string | undefined> = new Set(['model_group', 'model']);

/** An answer that may have followed a failed attempt, by what its producer says. */
export function isLaterAttempt(attempt: Attempt): boolean {
  const isWeak = WEAK_SOURCES.has(attempt.furtherTags['requested_model_source']);
  return attempt.status === 'ok' && attempt.traceId !== null && (attempt.attempt > 1 || isWeak);
}

export function isFailedAttempt(attempt: Attempt): boolean {
  return attempt.status !== 'ok' && attempt.traceId !== null;
}

/**
 * The attempt with which the call behind an answer began (R8): its first failed one in the same trace
 * under the same parent, from the same source. Of several calls in one trace it is the first attempt
 * nearest before the answer; a producer that numbers no attempts has one call in a trace. Null where
 * nothing failed before the answer.
 */
export function firstAttemptOf<Failed extends Attempt>(
  answer: Attempt,
  failed: readonly Failed[],
): Failed | null {
  if (!isLaterAttempt(answer)) return null;
  const before = failed
    .filter((attempt) => isSameCall(answer, attempt) && isBefore(attempt, answer))
    .sort((a, b) => b.occurredAt - a.occurredAt || b.attempt - a.attempt);
  const earliest = before.at(-1) ?? null;
  if (answer.attempt === 1) return earliest;
  return before.find((attempt) => attempt.attempt === 1) ?? earliest;
}

function isSameCall(a: Attempt, b: Attempt): boolean {
  return (
    a.tenantId === b.tenantId &&
    a.source === b.source &&
    a.traceId === b.traceId &&
    a.parentSpanId === b.parentSpanId
  );
}

/** Numbered attempts follow their numbers; where a producer numbers none, time decides. */
function isBefore(failed: Attempt, answer: Attempt): boolean {
  if (failed.occurredAt > answer.occurredAt) return false;
  return answer.attempt === 1 || failed.attempt < answer.attempt;
}
