import type { Transaction } from '../../database/database.ts';
import { isModelCall } from '../../events/event.ts';
import { UNATTRIBUTED } from '../../rating/rate-event.ts';
import type { AttemptKey } from '../entries/entry-store.ts';
import { readFailedAttempts } from '../entries/entry-store.ts';
import type { Attempt } from './attempts.ts';
import { chargedOn, firstAttemptOf, isFailedAttempt, isLaterAttempt } from './attempts.ts';
import type { ReceivedEvent } from './received-event.ts';

/**
 * Returns events to be posted, each answer with the model that its call first requested (R8), as
 * far as the failed attempt is in the ledger or among these events. Other events come back as they
 * are.
 */
export async function withFirstRequested(
  transaction: Transaction,
  events: readonly ReceivedEvent[],
): Promise<readonly ReceivedEvent[]> {
  // Of nearly every event its own fields say that it is none, and no attempt is made of it.
  const answers = events.filter(
    (received) => isLaterAttempt(received.event) && isLaterAttempt(attemptOf(received)),
  );
  if (answers.length === 0) return events;
  const held = await readFailedAttempts(transaction, attemptKeysOf(answers.map(attemptOf)));
  const failed = [...held, ...events.map(attemptOf).filter(isFailedAttempt)];
  return events.map((received) => {
    const first = firstAttemptOf(attemptOf(received), failed);
    if (first === null) return received;
    return { ...received, event: { ...received.event, ...chargedOn(attemptOf(received), first) } };
  });
}

/**
 * Makes the attempt that an event is. A batched request is one call for many, and no attempt of any one of them.
 */
function attemptOf({ event }: ReceivedEvent): Attempt {
  const isAlone = event.members === null && isModelCall(event);
  return {
    tenantId: event.tags.tenantId ?? UNATTRIBUTED,
    source: event.source,
    traceId: isAlone ? event.traceId : null,
    parentSpanId: event.parentSpanId,
    attempt: event.attempt,
    callId: isAlone ? event.callId : null,
    status: event.status,
    occurredAt: event.occurredAt,
    startedAt: event.startedAt,
    eventId: event.eventId,
    requestedModel: event.requestedModel ?? '',
    furtherTags: event.furtherTags,
  };
}

/** Returns the marks by which other attempts of the same calls are found. */
export function attemptKeysOf(entries: readonly Attempt[]): readonly AttemptKey[] {
  const keys = new Map<string, AttemptKey>();
  for (const { tenantId, traceId, callId } of entries) {
    keys.set(`${tenantId}\u0000${traceId}\u0000${callId}`, { tenantId, traceId, callId });
  }
  return [...keys.values()];
}
