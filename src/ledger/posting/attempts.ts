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
  readonly startedAt: number | null;
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
 * The further tag of an answer that is charged on the model of its first attempt: the model that the
 * answer's own event requested. Where the first attempt turns out to be none, that model counts again.
 */
export const OWN_REQUESTED_MODEL = 'own_requested_model';

/** The model that an attempt's own event requested, whatever it is charged on. */
export function ownRequestedModel(attempt: Pick<Attempt, 'furtherTags' | 'requestedModel'>) {
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
 * The attempt with which the call behind an answer began (R8): its first failed one in the same trace
 * under the same parent, from the same source. Of several calls in one trace it is the first attempt
 * nearest to the answer in time; a producer that numbers no attempts has one call in a trace. Null
 * where nothing failed.
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
  const away = ({ occurredAt }: Attempt) => Math.abs(answer.occurredAt - occurredAt);
  // Sorting is stable, so that of two as near the earlier one stands first.
  const firsts = before.filter(({ attempt }) => attempt === 1).reverse();
  return firsts.sort((a, b) => away(a) - away(b))[0] ?? earliest;
}

function isSameCall(a: Attempt, b: Attempt): boolean {
  return (
    a.tenantId === b.tenantId &&
    a.source === b.source &&
    a.traceId === b.traceId &&
    a.parentSpanId === b.parentSpanId
  );
}

/**
 * Whether an attempt that failed had begun when the answer came. Numbered attempts follow their
 * numbers; where a producer numbers none, time decides. The first attempt of a hedge is cancelled
 * because another one answered, so it ends after the answer.
 */
function isBefore(failed: Attempt, answer: Attempt): boolean {
  if (answer.attempt === 1) return failed.occurredAt <= answer.occurredAt;
  if (failed.attempt >= answer.attempt) return false;
  if (failed.occurredAt <= answer.occurredAt) return true;
  if (failed.startedAt !== null) return failed.startedAt <= answer.occurredAt;
  return failed.status === 'cancelled';
}
