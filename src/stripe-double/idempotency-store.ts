import { createHash } from 'node:crypto';
import type { InstantMs } from '../clock.ts';
import { ApiFailure, invalidRequest } from './api-failure.ts';
import type { Params } from './form-body.ts';

/** What was answered, so that the same key is answered the same. */
interface SavedReply {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The v1 idempotency keys of one account. A key is "in flight" from `begin` until `save` or
 * `forget`; only what an endpoint answered after it had started executing is saved, a 500 included.
 */
export interface IdempotencyStore {
  /**
   * Claims a key, or gives what was answered under it. Throws 409 `idempotency_key_in_use` while the
   * first request is in flight, 400 `idempotency_error` when the parameters differ, and 400 when the
   * key is longer than 255 characters.
   */
  begin(key: string, digest: string, now: InstantMs): SavedReply | null;
  save(key: string, reply: SavedReply): void;
  /** Frees a key whose request never started executing. */
  forget(key: string): void;
}

interface Entry {
  readonly digest: string;
  readonly begunAt: InstantMs;
  readonly reply: SavedReply | null;
}

/** Stripe's docs: keys may be pruned once they are at least 24 hours old. The double prunes then. */
const KEY_LIFETIME_MS = 24 * 60 * 60 * 1000;
const KEY_LENGTH_MAX = 255;

export function openIdempotencyStore(): IdempotencyStore {
  const entries = new Map<string, Entry>();
  return {
    begin: (key, digest, now) => {
      if (key.length > KEY_LENGTH_MAX) throw keyTooLong();
      const entry = entries.get(key);
      if (entry === undefined || isPruned(entry, now)) {
        entries.set(key, { digest, begunAt: now, reply: null });
        return null;
      }
      if (entry.digest !== digest) throw otherParameters(key);
      if (entry.reply === null) throw keyInUse(key);
      return entry.reply;
    },
    save: (key, reply) => {
      const entry = entries.get(key);
      if (entry !== undefined) entries.set(key, { ...entry, reply });
    },
    forget: (key) => void entries.delete(key),
  };
}

/** The same method, path and parameters give the same digest, in whatever order they were sent. */
export function requestDigest(method: string, path: string, params: unknown): string {
  const hash = createHash('sha256');
  return hash.update(`${method} ${path}\n${JSON.stringify(sorted(params))}`).digest('hex');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value as Params).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([name, inner]) => [name, sorted(inner)]);
}

/** A request that is still in flight keeps its key, however long it takes. */
function isPruned(entry: Entry, now: InstantMs): boolean {
  return entry.reply !== null && now - entry.begunAt >= KEY_LIFETIME_MS;
}

function keyInUse(key: string): ApiFailure {
  return new ApiFailure(409, {
    type: 'idempotency_error',
    code: 'idempotency_key_in_use',
    message: `Another request with the idempotency key '${key}' is in flight.`,
  });
}

function otherParameters(key: string): ApiFailure {
  return new ApiFailure(400, {
    type: 'idempotency_error',
    message: `The idempotency key '${key}' was first used with other parameters; a key goes with one request only.`,
  });
}

function keyTooLong(): ApiFailure {
  return invalidRequest(`An idempotency key has at most ${KEY_LENGTH_MAX} characters.`);
}
