import type { InstantMs } from '../clock.ts';

/** Something that a person must look at. */
export interface Alert {
  /** Its kind in one word, such as `push_parked`; destinations have kinds of their own. */
  readonly kind: string;
  /** The identifier of an intent, or what a destination calls the thing that it is about. */
  readonly subject: string;
  readonly tenantId: string | null;
  readonly periodStart: string | null;
  readonly detail: string;
}

/** An alert as it is kept, and what was done about it; null while it is open. */
export interface KeptAlert extends Alert {
  readonly alertId: bigint;
  readonly raisedAt: InstantMs;
  readonly resolvedAt: InstantMs | null;
  readonly resolution: string | null;
  readonly resolvedBy: string | null;
}
