import type { InstantMs } from '../clock.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

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

/** When a delivery is tried again after so many tries; null once three days are over. Pure. */
export function nextTry(
  attempts: number,
  times: { readonly first: InstantMs; readonly now: InstantMs },
): InstantMs | null {
  const pause = PAUSES_MS[Math.min(attempts, PAUSES_MS.length) - 1] ?? 0;
  const next = times.now + pause;
  return next > times.first + GIVE_UP_MS ? null : next;
}
