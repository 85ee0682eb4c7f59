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
 * What events may meet by in the ledger: their ids (R9) and their provider responses (R8). Tenants and members are left
 * out, so some that share one do not meet. The texts stand as the events have them: every event passes here, and would
 * pay for a key that is made of several.
 */
export class MeetingKeys {
  readonly #bySource = new Map<string, Set<string>>();
  readonly #responses = new Set<string>();

  add({ source, eventId, responseId }: UsageEvent): void {
    const ids = this.#bySource.get(source);
    if (ids === undefined) this.#bySource.set(source, new Set([eventId]));
    else ids.add(eventId);
    if (responseId !== null) this.#responses.add(responseId);
  }

  /** Whether an event may meet one of those that were added. */
  meets({ source, eventId, responseId }: UsageEvent): boolean {
    if (this.#bySource.get(source)?.has(eventId) === true) return true;
    return responseId !== null && this.#responses.has(responseId);
  }
}
