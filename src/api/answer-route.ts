import { createHash } from 'node:crypto';
import { actingAs } from '../database/acting.ts';
import type { JsonObject } from '../events/foreign/foreign-value.ts';
import { type Caller, callerWord } from '../keys/key.ts';
import { Refusal } from '../refusal.ts';
import type { ApiParts } from './api-parts.ts';
import { writeCsv } from './csv.ts';
import { givenBy, type Said } from './given.ts';
import { problem } from './problem.ts';
import { CSV, jsonReply, type Reply, textReply } from './reply.ts';
import { type Asked, type Route, Written } from './route.ts';
import { askedByTenant, shownToTenant } from './tenant-sight.ts';

/** A request to a route, by whoever bears the key. */
export interface RouteRequest {
  readonly key: Caller;
  readonly said: Said;
  readonly accept: string;
}

/** Asks the route's use case, as far as the key lets it, and writes the answer in the form that is accepted. */
export async function answerRoute(
  route: Route,
  parts: ApiParts,
  { key, said, accept }: RouteRequest,
): Promise<Reply> {
  if (!route.roles.includes(key.role)) return refuseRole(route, key);
  const given = givenBy(route, said);
  const asked = askedBy(route, key, {
    parts: actingParts(route, parts, { key, given }),
    given,
    accept,
  });
  const answer = await route.run(asked);
  if (answer instanceof Written) return answer.reply;
  const shown = key.role === 'tenant' ? shownToTenant(answer) : answer;
  return acceptsCsv(route, accept) ? csvReply(route, shown) : jsonReply(shown);
}

/** An action is its caller's: the journal names the key or the user, the act, and the reason that was given. */
export function actingParts(
  { act }: Route,
  parts: ApiParts,
  { key, given }: { readonly key: Caller; readonly given: JsonObject },
): ApiParts {
  if (act === null) return parts;
  const reason = typeof given['reason'] === 'string' ? given['reason'] : null;
  const database = actingAs(parts.database, { actor: key.name, act, reason });
  const { stripeParts } = parts;
  return {
    ...parts,
    database,
    stripeParts: stripeParts === null ? null : { ...stripeParts, database },
  };
}

function refuseRole(route: Route, key: Caller): Reply {
  return problem('not_permitted', {
    detail: `a ${callerWord(key)} with the role ${key.role} may not ask ${route.method} ${route.path}`,
    remedy: `use a key with the role ${route.roles.join(' or ')}`,
  });
}

function askedBy(route: Route, key: Caller, asked: Asked): Asked {
  const has = (name: string) => Object.hasOwn(route.fields, name);
  // Who acts is who bears the key, and nobody else.
  const given = has('actor') ? { ...asked.given, actor: key.name } : asked.given;
  if (key.role === 'tenant' && key.tenantId !== null) {
    return askedByTenant(route, { ...asked, given }, key.tenantId);
  }
  if (key.role !== 'ingest') return { ...asked, given };
  if (has('tenant_id')) requireNamed(key, given['tenant_id']);
  else if (has('source')) requireSource(key);
  return {
    ...asked,
    given: key.source !== null && has('source') ? { ...given, source: key.source } : given,
  };
}

/** Receipts are counted by source, for all of its tenants together, so a key for some of them cannot see a part. */
function requireSource(key: Caller): void {
  if (key.source !== null || key.tenantIds === null) return;
  throw new Refusal(
    'not_permitted',
    'this key may name some tenants and has no source, and what came in is counted by source',
    'use a key that has a source, or one with the role reader',
  );
}

function requireNamed(key: Caller, tenantId: unknown): void {
  // No tenant at all would be any of them, and is not the one whose name reads so.
  if (key.tenantIds === null) return;
  if (typeof tenantId === 'string' && key.tenantIds.includes(tenantId)) return;
  throw new Refusal(
    'not_permitted',
    'this key may not name that tenant',
    `name one of ${key.tenantIds.join(', ')}`,
  );
}

/** Whether a route's answer is written as CSV, for who accepts that. */
export function acceptsCsv({ rows, forms }: Route, accept: string): boolean {
  return (rows !== null || forms.includes('text/csv')) && /^\s*text\/csv\b/i.test(accept);
}

function csvReply({ rows }: Route, answer: unknown): Reply {
  const list = rows === null ? answer : (answer as JsonObject)[rows];
  const reply = textReply(CSV, writeCsv(list as readonly JsonObject[]));
  const next = (answer as JsonObject)['next_cursor'];
  // CSV has no place for it beside the rows.
  return typeof next === 'string' ? { ...reply, headers: { 'next-cursor': next } } : reply;
}

/** An answer that the client has already is not sent again; its tag is the digest of its bytes. */
export function withEntityTag(reply: Reply, ifNoneMatch: string | null): Reply {
  const { body, status, headers } = reply;
  if (status !== 200 || !(typeof body === 'string' || body instanceof Uint8Array)) return reply;
  const tag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`;
  const cached = { ...headers, etag: tag, 'cache-control': 'private, no-cache' };
  const known = (ifNoneMatch ?? '').split(',').map((one) => one.trim().replace(/^W\//, ''));
  if (!known.includes(tag) && !known.includes('*')) return { ...reply, headers: cached };
  return { ...reply, status: 304, body: '', headers: cached };
}
