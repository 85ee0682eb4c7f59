import type { InstantMs } from '../clock.ts';

/** A closed period: what is told of it, and of whom. */
export interface PushTarget {
  readonly tenantId: string;
  readonly mode: 'shadow' | 'live';
  /** The customer that is billed there; null while nobody has said. */
  readonly customer: string | null;
  /** The customer that the tenant had when the period was closed, which may have been told already (R19). */
  readonly closedFor: string | null;
  readonly periodStart: string;
  readonly startsAt: InstantMs;
  readonly endsAt: InstantMs;
  readonly currency: string;
  readonly billableMicro: bigint;
  /** Minor units: what the invoice line must come to. */
  readonly chargeTotal?: bigint;
}

/**
 * Returns an instant inside the period and as late as possible: what is told of a period is dated,
 * and grows too old.
 */
export function eventTimestampOf(target: { readonly endsAt: InstantMs }): number {
  return Math.floor(target.endsAt / 1000) - 1;
}
