import { DateTime } from 'luxon';
import { HOUR_MS, type InstantMs } from '../clock.ts';

const MINUTE_MS = 60_000;

/** The pauses after each failed try; the last one goes on. */
const PAUSES_MS = [
  5_000,
  MINUTE_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
];

/** So long after the first try nobody tries any more. */
const GIVE_UP_MS = 72 * HOUR_MS;

/**
 * Returns when a delivery is tried again after so many tries, and not before the receiver wants it;
 * null once three days are over. A receiver that wants more than is left of them is tried at their
 * end. Pure.
 */
export function nextTry(
  attempts: number,
  times: {
    readonly first: InstantMs;
    readonly now: InstantMs;
    /** It is null where the receiver says nothing. */
    readonly notBefore: InstantMs | null;
  },
): InstantMs | null {
  const pause = PAUSES_MS[Math.min(attempts, PAUSES_MS.length) - 1] ?? 0;
  const next = times.now + pause;
  const last = times.first + GIVE_UP_MS;
  if (next > last) return null;
  return Math.max(next, Math.min(times.notBefore ?? next, last));
}

/**
 * Reads the instant that `Retry-After` names, by seconds or by a date; null where it names none.
 * Pure.
 */
export function readRetryAfter(header: string | null, now: InstantMs): InstantMs | null {
  const text = header?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return now + Number(text) * 1000;
  const date = DateTime.fromHTTP(text);
  return date.isValid ? date.toMillis() : null;
}
