import { cutIdentifier } from './cut-body.ts';
import { type EmailPolicy, isEmail } from './email-identifiers.ts';
import type { UsageEvent } from './event.ts';
import { isObject, type JsonObject, parseJson } from './foreign/foreign-value.ts';
import type { EmptyItem, ReadEvent, ReadItem, RefusedItem, SenderScope } from './item.ts';
import { isNative } from './native-shape.ts';
import { isStorable } from './schema-parts.ts';

/**
 * Returns an item as one of its sender: of the sender's source, in what is posted as in what is kept of it. What is
 * kept and says in a form of its own whose it is has the scope beside it, so that it is held to it when it is read again.
 */
export function withinScope(item: ReadItem, scope: SenderScope): ReadItem {
  if (scope.source === null && scope.tenantIds === null) return item;
  return item.kind === 'event' ? eventWithin(item, scope) : restWithin(item, scope);
}

function eventWithin(item: ReadEvent, scope: SenderScope): ReadEvent {
  const { source } = scope;
  if (source === null) return item;
  const { alone, repeats } = item;
  return {
    ...item,
    event: { ...item.event, source },
    body: () => JSON.stringify({ ...JSON.parse(item.body()), source }),
    ...(alone === undefined ? {} : { alone: eventWithin(alone, scope) }),
    ...(repeats === undefined ? {} : { repeats: { ...repeats, source } }),
  };
}

function restWithin(item: RefusedItem | EmptyItem, scope: SenderScope): RefusedItem | EmptyItem {
  const source = scope.source ?? item.source;
  const native = nativeOf(item);
  if (native === null) return { ...item, source, scope };
  if (scope.source === null) return item;
  return { ...item, source, body: () => JSON.stringify({ ...native, source }) };
}

/** Returns the native event that an item without one was sent as; null where it is none. */
export function nativeOf(item: RefusedItem | EmptyItem): JsonObject | null {
  if (item.scope !== undefined) return null;
  const json = parseJson(item.body());
  return isObject(json) && isNative(json) ? json : null;
}

/** Whether an event names a tenant that its sender may not name. */
export function namesStranger(event: UsageEvent, { tenantIds }: SenderScope): boolean {
  if (tenantIds === null) return false;
  const named = [
    event.tags.tenantId,
    ...(event.members ?? []).map((member) => member.tags.tenantId),
  ];
  return named.some((tenantId) => tenantId !== null && !tenantIds.includes(tenantId));
}

/** Writes what is kept of a body together with the scope that holds for it. */
export function writeScoped(
  body: string,
  { source, tenantIds }: SenderScope,
  emails: EmailPolicy,
): string {
  const kept = cutIdentifier(source, emails);
  // A scope with less in it would be another one: nobody reads this one, so that nothing is posted by it.
  const of = kept === source ? source : { cut: 'an e-mail address' };
  const tenant_ids =
    tenantIds?.filter((tenantId) => cutIdentifier(tenantId, emails) !== null) ?? null;
  return JSON.stringify({ sender_scope: { source: of, tenant_ids }, sent: parseJson(body) });
}

/** What was kept together with a scope. */
interface Sent {
  readonly scope: SenderScope;
  readonly sent: unknown;
}

/** Returns what a body says of its sender; null where it is no body with a scope, or one that may not be kept. */
export function readScoped(item: JsonObject, emails: EmailPolicy): Sent | null {
  // Nearly every event passes here and has none, so that nothing is made of it before.
  const { sender_scope: scope, sent } = item;
  if (!isObject(scope) || sent === undefined || Object.keys(item).length > 2) return null;
  const { source, tenant_ids: tenantIds, ...others } = scope;
  if (Object.keys(others).length > 0) return null;
  if (source !== null && !isName(source, emails)) return null;
  if (tenantIds === null) return { scope: { source, tenantIds }, sent };
  if (!Array.isArray(tenantIds) || !tenantIds.every((id) => isName(id, emails))) return null;
  return { scope: { source, tenantIds }, sent };
}

function isName(value: unknown, emails: EmailPolicy): value is string {
  if (typeof value !== 'string' || value === '' || value.length > 200) return false;
  return isStorable(value) && (emails.kind === 'keep' || !isEmail(value));
}
