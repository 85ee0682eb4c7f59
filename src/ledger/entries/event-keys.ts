import type { UsageEvent } from '../../events/event.ts';
import { UNATTRIBUTED } from '../../rating/rate-event.ts';

/** Returns whom an event concerns: its members' tenants, or its own, or nobody known. */
export function tenantsOf(event: UsageEvent): readonly string[] {
  if (event.members === null) return [event.tags.tenantId ?? UNATTRIBUTED];
  const tags = event.members.map((member) => member.tags);
  return [...new Set(tags.map(({ tenantId }) => tenantId ?? UNATTRIBUTED))];
}

/** An event's identity within a tenant (R9). */
export interface EventKey {
  readonly tenantId: string;
  readonly source: string;
  readonly eventId: string;
}

/** A provider's answer, of which a tenant's member is charged once (R8). */
export interface ResponseKey {
  readonly tenantId: string;
  readonly responseId: string;
  readonly memberId: string;
}

export function eventKeysOf(event: UsageEvent): EventKey[] {
  const { source, eventId } = event;
  return tenantsOf(event).map((tenantId) => ({ tenantId, source, eventId }));
}

/** NUL separates: no id of an event can hold one. */
export function eventText(key: EventKey): string {
  return `${key.tenantId}\u0000${key.source}\u0000${key.eventId}`;
}

/**
 * Two events can meet in the ledger, by their ids (R9) or by their provider responses (R8), only where they share one
 * of these. Tenants and members are left out, so some that share one do not meet.
 */
export function meetingKeys(event: UsageEvent): readonly string[] {
  const id = `${event.source}\u0000${event.eventId}`;
  return event.responseId === null ? [id] : [id, `\u0000${event.responseId}`];
}
