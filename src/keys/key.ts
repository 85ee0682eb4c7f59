import { createHash, timingSafeEqual } from 'node:crypto';
import type { InstantMs } from '../clock.ts';
import type { KeyRole } from './key-answer.ts';

/** A key as it is kept: everything but the key itself. */
export interface Key {
  readonly keyId: string;
  readonly keyHash: Buffer;
  readonly name: string;
  readonly role: KeyRole;
  readonly tenantId: string | null;
  readonly source: string | null;
  readonly tenantIds: readonly string[] | null;
  readonly rate: number | null;
  readonly createdAt: InstantMs;
  readonly createdBy: string;
  readonly expiresAt: InstantMs | null;
  readonly revokedAt: InstantMs | null;
  readonly revokedBy: string | null;
  readonly lastUsedAt: InstantMs | null;
}

/** Who asks: the bearer of a key, or a user whom a proxy signed in, whose id begins with `user:`. */
export type Caller = Pick<
  Key,
  'keyId' | 'name' | 'role' | 'tenantId' | 'source' | 'tenantIds' | 'rate'
>;

/** Returns what to call a caller where it is refused. */
export function callerWord({ keyId }: Caller): 'user' | 'key' {
  return keyId.startsWith('user:') ? 'user' : 'key';
}

/**
 * A key reads `slk_ROLE_ID_SECRET`: the prefix tells people and scanners of leaked secrets what it is, the
 * id finds its row, and the secret has 256 random bits.
 */
export function writeKey(of: {
  readonly role: KeyRole;
  readonly keyId: string;
  readonly secret: Buffer;
}): string {
  return `slk_${of.role}_${of.keyId}_${of.secret.toString('base64url')}`;
}

/** Returns the id in a key; null where the text is no key at all. */
export function keyIdIn(key: string): string | null {
  return /^slk_[a-z]+_([a-z0-9]{8})_[\w-]{43}$/.exec(key)?.[1] ?? null;
}

/** Returns a text, such as an address, without the secret of any key in it: a customer's link is a key. */
export function withoutSecrets(text: string): string {
  return text.replaceAll(/(slk_[a-z]+_[a-z0-9]{8})_[\w-]{43}/g, '$1_…');
}

/** A secret of 256 random bits cannot be guessed, so a plain hash of it is enough. */
export function hashOfKey(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

/** Compares in a time that tells nothing of where the two differ. */
export function isKey(key: string, kept: Pick<Key, 'keyHash'>): boolean {
  return timingSafeEqual(hashOfKey(key), kept.keyHash);
}

export function stateOfKey(key: Key, now: InstantMs): 'valid' | 'expired' | 'revoked' {
  if (key.revokedAt !== null) return 'revoked';
  return key.expiresAt !== null && key.expiresAt <= now ? 'expired' : 'valid';
}
