import type { InstantMs } from '../clock.ts';

/**
 * A version of prices or of exchange rates holds for the whole second in which it begins: producers stamp whole
 * seconds, and whole days. So a version a millisecond after a wrong one takes its place, also for calls of its very instant.
 */
export function beginOf({ effectiveFrom }: { readonly effectiveFrom: InstantMs }): InstantMs {
  return Math.floor(effectiveFrom / 1000) * 1000;
}

/** Returns the instant from which a version takes the place of another for all of its time. */
export function inPlaceOf({ effectiveFrom }: { readonly effectiveFrom: InstantMs }): InstantMs {
  return effectiveFrom + 1;
}
