import type { ModelEntry } from './reference-events.ts';

/** Which failed attempt of the same call an answer goes back to (R8). */

/** The failed attempt with which the call of an answer began; null where there is none. */
export function firstOf(answer: ModelEntry, all: readonly ModelEntry[]): ModelEntry | null {
  if (answer.status !== 'ok' || answer.trace === null) return null;
  if (answer.attempt === 1 && !answer.isWeak) return null;
  const failed = all.filter(
    (other) =>
      other.status !== 'ok' &&
      !other.isReversal &&
      other.tenant === answer.tenant &&
      other.source === answer.source &&
      other.trace === answer.trace &&
      other.parent === answer.parent &&
      (other.occurredAt <= answer.occurredAt || isHedge(other, answer)) &&
      (answer.attempt === 1 || other.attempt < answer.attempt),
  );
  const ordered = failed.sort((a, b) => a.occurredAt - b.occurredAt || a.attempt - b.attempt);
  if (answer.attempt === 1) return inOneGo(answer, ordered);
  const firsts = ordered.filter((other) => other.attempt === 1);
  const away = (other: ModelEntry) => Math.abs(answer.occurredAt - other.occurredAt);
  return firsts.sort((a, b) => away(a) - away(b))[0] ?? ordered[0] ?? null;
}

/** The first attempt of a hedge ends after the answer, for which it was cancelled. */
function isHedge(other: ModelEntry, answer: ModelEntry): boolean {
  return answer.attempt > 1 && other.status === 'cancelled';
}

/** Where attempts have no numbers, the first of those between which no ten seconds pass. */
function inOneGo(answer: ModelEntry, ordered: readonly ModelEntry[]): ModelEntry | null {
  let first = answer;
  for (const attempt of [...ordered].reverse()) {
    if (first.occurredAt - attempt.occurredAt > 10_000) break;
    first = attempt;
  }
  return first === answer ? null : first;
}
