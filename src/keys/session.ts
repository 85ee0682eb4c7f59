import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { HOUR_MS, type InstantMs } from '../clock.ts';

/** A session as it is kept: everything but its token. */
export interface ConsoleSession {
  readonly sessionHash: Buffer;
  readonly keyId: string;
  readonly begunAt: InstantMs;
  readonly renewedAt: InstantMs;
  readonly endsAt: InstantMs;
}

/** A working day; whoever goes on signs in again. */
const LONGEST_MS = 12 * HOUR_MS;
/** A token that somebody copied is of use for so long while its owner goes on. */
const RENEW_AFTER_MS = HOUR_MS / 2;
/** Requests that were on their way with the token before are answered, too. */
const GRACE_MS = 60_000;

/**
 * Makes a new session of a key with its token, which only the browser has. A token has two parts: one is another each time that
 * the session is renewed, and the other stays, so that a form which was open meanwhile is of the same session.
 */
export function newSession(keyId: string, now: InstantMs): NewSession {
  const token = `${newToken()}.${newToken()}`;
  const kept = { sessionHash: hashOfToken(token), keyId, begunAt: now, renewedAt: now };
  return { token, kept: { ...kept, endsAt: now + LONGEST_MS } };
}

export interface NewSession {
  readonly token: string;
  readonly kept: ConsoleSession;
}

/** Returns the session of a token under a new one, where its own is old enough; null where it stays. */
export function renewal(
  session: ConsoleSession,
  { token: before, now }: { readonly token: string; readonly now: InstantMs },
): NewSession | null {
  const isRenewed = session.endsAt < session.begunAt + LONGEST_MS;
  if (isRenewed || now - session.renewedAt < RENEW_AFTER_MS) return null;
  const token = `${newToken()}.${lastingPartOf(before)}`;
  return { token, kept: { ...session, sessionHash: hashOfToken(token), renewedAt: now } };
}

/** Returns when a token ends that another one took the place of. */
export function endOfRenewed(now: InstantMs): InstantMs {
  return now + GRACE_MS;
}

/** 256 random bits cannot be guessed, so a plain hash of them is enough. */
export function hashOfToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

export function isToken(text: string): boolean {
  return /^[\w-]{43}(?:\.[\w-]{43})?$/.test(text);
}

/** A token of one part is that of a user of a proxy, who has the same one all the time. */
function lastingPartOf(token: string): string {
  return token.split('.')[1] ?? token;
}

/**
 * Returns what every form of a session has: another site can make a browser send a form, and cannot
 * know this. It opens nothing by itself.
 */
export function formTokenOf(token: string): string {
  return createHmac('sha256', lastingPartOf(token)).update('form').digest('base64url');
}

/** Compares in a time that tells nothing of where the two differ. */
export function isFormToken(given: string, token: string): boolean {
  const [a, b] = [given, formTokenOf(token)].map((text) =>
    createHash('sha256').update(text).digest(),
  );
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}
