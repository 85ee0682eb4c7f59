import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { refuseOtherSites } from '../api/other-sites.ts';
import { readBytes } from '../api/read-bytes.ts';
import type { Caller } from '../keys/key.ts';
import { recognizeSession } from '../keys/recognize-session.ts';
import { formTokenOf, isFormToken, isToken, newToken } from '../keys/session.ts';
import { Refusal } from '../refusal.ts';
import type { ConsoleOptions } from './console-options.ts';

export type ConsoleContext = Context<{ Bindings: HttpBindings }>;

/** Who is signed in. */
export interface Visitor {
  readonly key: Caller;
  /** The token of the session, as the browser has it from now on. */
  readonly token: string;
  /** Whether the proxy signed the visitor in, who signs out there, too. */
  readonly isUser: boolean;
  /** The token that every form of this session carries. */
  readonly formToken: string;
}

const COOKIE = 'spanledger';

/**
 * Returns who asks: the user whom the proxy names, or whoever the cookie of the session signs in;
 * null where nobody is. A renewed session goes back with the answer.
 */
export async function visitorOf(
  { parts, users }: ConsoleOptions,
  c: ConsoleContext,
): Promise<Visitor | null> {
  const token = getCookie(c, cookieName(c)) ?? '';
  const told = users?.tell(c.req.raw.headers, addressOf(c)) ?? { kind: 'nobody' };
  if (told.kind === 'refused') throw new Refusal('not_permitted', told.detail, told.remedy);
  if (told.kind === 'user') return userVisitor(c, told.user, token);
  const signedIn = token === '' ? null : await recognizeSession(parts, token);
  if (signedIn === null) return null;
  if (signedIn.token !== token) giveSession(c, signedIn.token);
  return { ...signedIn, formToken: formTokenOf(signedIn.token), isUser: false };
}

/** The proxy knows who it is, request by request; the token is there so that forms of other sites lack it. */
function userVisitor(c: ConsoleContext, user: Caller, given: string): Visitor {
  const token = isToken(given) ? given : newToken();
  if (token !== given) giveSession(c, token);
  return { key: user, token, formToken: formTokenOf(token), isUser: true };
}

/** The browser keeps the token to itself: no script reads it, and no other site's page sends it. */
export function giveSession(c: ConsoleContext, token: string): void {
  const isEnding = token === '';
  setCookie(c, cookieName(c), token, {
    httpOnly: true,
    sameSite: 'Strict',
    path: '/',
    secure: isSecure(c),
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

/**
 * A form of some text fields; a price book is the largest thing that is pasted into one. It has as much as a body of the API may
 * have once it is unfolded, and goes back from the page with up to three bytes for each.
 */
export const FORM_BYTES = 3 * 16 * 1024 * 1024;

/** What nobody has signed in for is a key, and no more. */
const SHORT_FORM_BYTES = 64 * 1024;

/** The fields of a form that was sent by a page of ours. */
export async function readForm(
  c: ConsoleContext,
  most = SHORT_FORM_BYTES,
): Promise<URLSearchParams> {
  refuseOtherSites(c.req.raw.headers);
  const limits = { sentBytes: most, unfoldedBytes: most };
  const read = await readBytes(c.req.raw, limits);
  const type = c.req.header('content-type') ?? '';
  if (read.kind === 'bytes' && /^multipart\/form-data\b/i.test(type)) {
    return readParts(read.bytes, type);
  }
  if (read.kind === 'bytes') return new URLSearchParams(read.bytes.toString('utf8'));
  throw new Refusal(
    'bad_request',
    `the form is larger than this page takes, which is ${most / 1024} KiB`,
    'give the document to the command that does the same, or send it to the API',
  );
}

/** Reads a form with files: one stands for the field that it is named after, where one was chosen. */
async function readParts(bytes: Buffer, type: string): Promise<URLSearchParams> {
  const fields = new URLSearchParams();
  try {
    const body = new Uint8Array(bytes);
    const data = await new Response(body, { headers: { 'content-type': type } }).formData();
    for (const [name, value] of data) {
      if (typeof value === 'string') fields.append(name, value);
      else if (value.size > 0) fields.set(name.replace(/_file$/, ''), await textOf(value));
    }
  } catch {
    throw new Refusal(
      'bad_request',
      'the form is not complete',
      'open the page again, and send it',
    );
  }
  return fields;
}

/** A picture becomes the data URI by which requests name it. */
async function textOf(file: File): Promise<string> {
  if (!file.type.startsWith('image/')) return file.text();
  const base64 = Buffer.from(await file.arrayBuffer()).toString('base64');
  return `data:${file.type};base64,${base64}`;
}

/** Returns why a form is not taken that is of another session than the visitor's own; null where it is taken. */
export function refusalOfForm(form: URLSearchParams, token: string): Refusal | null {
  if (isFormToken(form.get('form_token') ?? '', token)) return null;
  return new Refusal(
    'not_permitted',
    'the form is not of this session: it was open while you signed in again, or another site sent it',
    'look at what it says, and send it from this page; or open the page again',
  );
}

/** Reads the fields of a form of the visitor's own session. */
export async function readVisitorsForm(
  c: ConsoleContext,
  token: string,
  most = SHORT_FORM_BYTES,
): Promise<URLSearchParams> {
  const form = await readForm(c, most);
  const refusal = refusalOfForm(form, token);
  if (refusal !== null) throw refusal;
  return form;
}

/** Returns the address under which the visitor reaches the server. */
export function originOf(c: ConsoleContext): string {
  return `${isSecure(c) ? 'https' : 'http'}://${c.req.header('host') ?? new URL(c.req.url).host}`;
}
