import { monotonicMs } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Parts } from '../parts.ts';
import { isKey, type Key, keyIdIn, stateOfKey } from './key.ts';
import { markUsed, readKey } from './key-store.ts';

/** The bearer of a valid key, or why there is none. */
export type Recognized =
  | { readonly kind: 'known'; readonly key: Key }
  | { readonly kind: 'unknown' | 'expired' | 'revoked' };

/** The last use is kept to the minute, so that a busy key is no row that everybody writes. */
const USED_EVERY_MS = 60_000;

/**
 * Finds the key that a request bears. The row is read for each request: a key that is revoked is refused
 * from that instant on, by every process.
 */
export async function recognizeKey(
  { database, clock, log }: Pick<Parts, 'database' | 'clock' | 'log'>,
  given: string,
): Promise<Recognized> {
  const keyId = keyIdIn(given);
  const key = keyId === null ? null : await readKey(database, keyId);
  if (key === null || !isKey(given, key)) return { kind: 'unknown' };
  const now = clock();
  const state = stateOfKey(key, now);
  if (state !== 'valid') return { kind: state };
  if (key.lastUsedAt === null || now - key.lastUsedAt >= USED_EVERY_MS) {
    // Nobody waits for it, and a failure of it refuses no request.
    markUsed(database, key.keyId, now).catch((error: unknown) => sayUnkept(log, error));
  }
  return { kind: 'known', key };
}

const SAID_EVERY_MS = 60_000;
const saidAt = new WeakMap<Log, number>();

/** A database that takes nothing takes the use of no key, and is said once a minute for all of them. */
function sayUnkept(log: Log, error: unknown): void {
  const last = saidAt.get(log);
  if (last !== undefined && monotonicMs() - last < SAID_EVERY_MS) return;
  saidAt.set(log, monotonicMs());
  log.warn({ error: String(error) }, 'the last use of a key could not be kept');
}
