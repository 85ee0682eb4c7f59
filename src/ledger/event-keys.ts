import type { UsageEvent } from '../events/event.ts';
import { isModelCall } from '../events/event.ts';
import { UNATTRIBUTED } from '../rating/rate-event.ts';
import type { ResponseKey } from './posting-store.ts';

/** Whom an event concerns: its members' tenants, or its own, or nobody known. */
export function tenantsOf(event: UsageEvent): readonly string[] {
  if (event.members === null) return [event.tags.tenantId ?? UNATTRIBUTED];
  const tags = event.members.map((member) => member.tags);
  return [...new Set(tags.map(({ tenantId }) => tenantId ?? UNATTRIBUTED))];
}

/** NUL separates: no id of an event can hold one. */
export function eventKey(
  tenantId: string,
  event: { readonly source: string; readonly eventId: string },
): string {
  return `${tenantId}\u0000${event.source}\u0000${event.eventId}`;
}

/** A gateway cache hit answers with an older response's id, and is a call of its own (R6). */
export function responseKeysOf(event: UsageEvent): ResponseKey[] {
  const { responseId } = event;
  if (responseId === null || event.gatewayCache !== 'none' || !isModelCall(event)) return [];
  const provider = event.provider ?? '';
  const members = event.members ?? [{ memberId: '', tags: event.tags }];
  return members.map(({ memberId, tags }) => ({
    tenantId: tags.tenantId ?? UNATTRIBUTED,
    provider,
    responseId,
    memberId,
  }));
}

export function responseKey(key: ResponseKey): string {
  return `${key.tenantId}\u0000${key.provider}\u0000${key.responseId}\u0000${key.memberId}`;
}

/** By all of these an event can meet another one in the ledger: its ids (R9) and its provider responses (R8). */
export function keysOf(event: UsageEvent): readonly string[] {
  return [
    ...tenantsOf(event).map((tenantId) => eventKey(tenantId, event)),
    ...responseKeysOf(event).map(responseKey),
  ];
}
