import type { Parts } from '../parts.ts';
import { type Key, stateOfKey } from './key.ts';
import { readKey } from './key-store.ts';
import { endOfRenewed, hashOfToken, newSession, renewal } from './session.ts';
import { insertSession, readSession, shortenSession } from './session-store.ts';

/** Who is signed in, and the token by which the browser goes on. */
export interface SignedIn {
  readonly key: Key;
  /** It is another than the given one where the session was renewed. */
  readonly token: string;
}

type SessionParts = Pick<Parts, 'database' | 'clock'>;

/** Begins a session for whoever gave a valid key, and answers its token, which is kept nowhere. */
export async function beginSession(
  { database, clock }: SessionParts,
  { keyId }: Pick<Key, 'keyId'>,
): Promise<string> {
  const now = clock();
  const { token, kept } = newSession(keyId, now);
  await insertSession(database, kept, now);
  return token;
}

/**
 * Finds the key behind a session's token; null where there is none, or the key holds no more. Both
 * rows are read for each request, so that a sign-out and a revoked key hold at once in every
 * process.
 */
export async function recognizeSession(
  { database, clock }: SessionParts,
  token: string,
): Promise<SignedIn | null> {
  const now = clock();
  const session = await readSession(database, hashOfToken(token), now);
  const key = session === null ? null : await readKey(database, session.keyId);
  if (session === null || key === null || stateOfKey(key, now) !== 'valid') return null;
  const renewed = renewal(session, { token, now });
  if (renewed === null) return { key, token };
  // Of two requests at once, one renews it, and the other goes on with the token that it has.
  const isOurs = await shortenSession(database, session.sessionHash, endOfRenewed(now));
  if (!isOurs) return { key, token };
  await insertSession(database, renewed.kept, now);
  return { key, token: renewed.token };
}

/** Ends a session at once. */
export async function endSession({ database, clock }: SessionParts, token: string): Promise<void> {
  await shortenSession(database, hashOfToken(token), clock());
}
