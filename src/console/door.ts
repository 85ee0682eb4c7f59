import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { readBytes } from '../api/read-bytes.ts';
import type { Key } from '../keys/key.ts';
import { recognizeSession } from '../keys/recognize-session.ts';
import { formTokenOf, isFormToken } from '../keys/session.ts';
import type { Parts } from '../parts.ts';
import { Refusal } from '../refusal.ts';

export type ConsoleContext = Context<{ Bindings: HttpBindings }>;

/** Who is signed in. */
export interface Visitor {
  readonly key: Key;
  /** The token of the session, as the browser has it from now on. */
  readonly token: string;
  /** What every form of this session holds. */
  readonly formToken: string;
}

const COOKIE = 'spanledger';

/**
 * Who asks, by the cookie of the session; null where nobody is signed in. A renewed session goes back with the
 * answer.
 */
export async function visitorOf(
  parts: Pick<Parts, 'database' | 'clock'>,
  c: ConsoleContext,
): Promise<Visitor | null> {
  const token = getCookie(c, cookieName(c)) ?? '';
  const signedIn = token === '' ? null : await recognizeSession(parts, token);
  if (signedIn === null) return null;
  if (signedIn.token !== token) giveSession(c, signedIn.token);
  return { ...signedIn, formToken: formTokenOf(signedIn.token) };
}

/** The browser keeps the token to itself: no script reads it, and no other site's page sends it. */
export function giveSession(c: ConsoleContext, token: string): void {
  const isEnding = token === '';
  setCookie(c, cookieName(c), token, {
    ...{ httpOnly: true, sameSite: 'Strict', path: '/', secure: isSecure(c) },
    ...(isEnding ? { maxAge: 0 } : {}),
  });
}

export function sessionTokenOf(c: ConsoleContext): string | null {
  return getCookie(c, cookieName(c)) ?? null;
}

/** Over TLS a name that no other host of the domain, and no page without TLS, can set. */
function cookieName(c: ConsoleContext): string {
  return isSecure(c) ? `__Host-${COOKIE}` : COOKIE;
}

/** The proxy with TLS before us says so; whoever lies to us about it has a cookie that is sent less often. */
function isSecure(c: ConsoleContext): boolean {
  const forwarded = c.req.header('x-forwarded-proto')?.split(',')[0]?.trim();
  return (forwarded ?? new URL(c.req.url).protocol.slice(0, -1)) === 'https';
}

export function addressOf(c: ConsoleContext): string {
  return c.env?.incoming?.socket?.remoteAddress ?? '';
}

/** A form of some text fields; a price book is the largest thing that is pasted into one. */
const FORM_BYTES = 2 * 1024 * 1024;

/** The fields of a form that was sent by a page of ours. */
export async function readForm(c: ConsoleContext): Promise<URLSearchParams> {
  refuseOtherSites(c);
  const limits = { sentBytes: FORM_BYTES, unfoldedBytes: FORM_BYTES };
  const read = await readBytes(c.req.raw, limits);
  if (read.kind === 'bytes') return new URLSearchParams(read.bytes.toString('utf8'));
  throw new Refusal('bad_request', 'the form is larger than this page takes', 'send less at once');
}

/** The fields of a form of the visitor's own session. */
export async function readVisitorsForm(c: ConsoleContext, token: string): Promise<URLSearchParams> {
  const form = await readForm(c);
  if (isFormToken(form.get('form_token') ?? '', token)) return form;
  throw new Refusal(
    'not_permitted',
    'the form is not of this session: it was open while you signed in anew, or another site sent it',
    'open the page again, and send it from there',
  );
}

/** Browsers say where a form comes from; what says nothing of it is no browser's. */
function refuseOtherSites(c: ConsoleContext): void {
  const site = c.req.header('sec-fetch-site') ?? 'same-origin';
  const origin = c.req.header('origin') ?? null;
  const host = c.req.header('x-forwarded-host') ?? c.req.header('host') ?? '';
  const isOurs = origin === null || (URL.canParse(origin) && new URL(origin).host === host);
  if ((site === 'same-origin' || site === 'none') && isOurs) return;
  throw new Refusal(
    'not_permitted',
    'the form was sent by a page of another site',
    'open the console itself, and send it from there',
  );
}
