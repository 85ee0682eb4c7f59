import { randomUUID } from 'node:crypto';
import type { InstantMs } from '../clock.ts';

/**
 * Makes a UUID of version 7: the instant first, then 74 random bits. Ids that grow with time land
 * side by side in the ledger's unique key, where random ones touch a page each.
 */
export function uuid7(now: InstantMs): string {
  const time = Math.trunc(now).toString(16).padStart(12, '0');
  // The tail of a random UUID has its variant already; only time and version come before it.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}
