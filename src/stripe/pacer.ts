import { pause } from '../clock.ts';

/** Waits for its turn, so that no more than so many requests go out a second. */
export type Pacer = () => Promise<void>;

/**
 * Stripe allows 1,000 meter events a second live, and 25 requests of any kind in a sandbox. A fifth
 * of the one and four fifths of the other leave room for whatever else uses the account.
 */
export const LIVE_REQUESTS_A_SECOND = 200;
export const TEST_REQUESTS_A_SECOND = 20;

/** Turns come one after another at even distances; null is no limit. */
export function openPacer(requestsPerSecond: number | null): Pacer {
  if (requestsPerSecond === null) return async () => {};
  const distanceMs = 1000 / requestsPerSecond;
  let last: Promise<void> = Promise.resolve();
  return () => {
    const turn = last;
    last = turn.then(() => pause(distanceMs));
    return turn;
  };
}
