import type { InstantMs } from '../../clock.ts';
import type { Transaction } from '../../database/database.ts';
import type { UsageEvent } from '../../events/event.ts';
import { isModelCall } from '../../events/event.ts';
import type { RepeatedEvent } from '../../events/item.ts';
import { UNATTRIBUTED } from '../../rating/rate-event.ts';
import { correct, postedEntriesOf, postOwnEntries } from '../corrections/post-corrections.ts';
import type { NewEntry, StoredEntry } from '../entries/entry.ts';
import type { AttemptKey } from '../entries/entry-store.ts';
import {
  JOINER,
  readAttemptsOf,
  readFailedAttempts,
  readLaterAttempts,
} from '../entries/entry-store.ts';
import type { Attempt } from './attempts.ts';
import { chargedOn, firstAttemptOf, isFailedAttempt, isLaterAttempt } from './attempts.ts';
import { lockForPosting } from './posting-store.ts';
import { ReferenceCache } from './reference-cache.ts';

/** An event on its way into the ledger, with the digest of its content. */
export interface ReceivedEvent {
  readonly event: UsageEvent;
  readonly digest: Buffer;
  /** The digests under another policy of addresses, and as the quarantine keeps it; null where it has no address. */
  readonly otherDigests: (() => readonly Buffer[]) | null;
  readonly repeats?: RepeatedEvent;
  /** The same as it is in a message of its own, where others of its message changed what it says. */
  readonly alone?: ReceivedEvent;
  /** Nobody named its operation, so that it is no call once one lies within it. */
  readonly isOperationAssumed?: true;
}

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
  const held = await readFailedAttempts(transaction, marksOf(answers.map(attemptOf)));
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

/**
 * Puts right what posting could not know: an answer whose call first requested another model, in an
 * attempt that failed and was posted later, or by another worker at the same time (R8); and one whose
 * first attempt was taken back since. By correction, since nothing is edited. Whichever of the two
 * batches is folded second sees both.
 */
export async function joinAttempts(
  transaction: Transaction,
  batchIds: readonly bigint[],
  at: InstantMs,
): Promise<void> {
  const attempts = await readAttemptsOf(transaction, batchIds);
  const concerned = attempts.filter((entry) => isFailedAttempt(entry) || isLaterAttempt(entry));
  if (concerned.length === 0) return;
  const marks = marksOf(concerned);
  const answers = await readLaterAttempts(transaction, marks);
  if (answers.length === 0) return;
  const failed = await readFailedAttempts(transaction, marks);
  const wrong = answers.flatMap((answer) => wronglyRequested(answer, failed));
  if (wrong.length === 0) return;
  await lockForPosting(transaction);
  const cache = new ReferenceCache();
  await cache.refresh(transaction, new Set(wrong.map(({ answer }) => answer.tenantId)), at);
  const entries = wrong.flatMap((one) => correctionOf(cache, one));
  if (entries.length === 0) return;
  await postOwnEntries(transaction, entries, { kind: 'correction', cache, recordedAt: at });
}

interface WrongAnswer {
  readonly answer: StoredEntry;
  /** It is null where no attempt before the answer is left, and the answer's own model counts. */
  readonly first: StoredEntry | null;
}

function wronglyRequested(
  answer: StoredEntry,
  failed: readonly StoredEntry[],
): readonly WrongAnswer[] {
  const first = firstAttemptOf(answer, failed);
  const { requestedModel } = chargedOn(answer, first);
  return requestedModel === answer.requestedModel ? [] : [{ answer, first }];
}

function correctionOf(cache: ReferenceCache, { answer, first }: WrongAnswer): readonly NewEntry[] {
  const change = chargedOn(answer, first);
  const reason =
    first === null
      ? `no earlier attempt of the call is left, and this one requested ${change.requestedModel}`
      : `the call first requested ${change.requestedModel}, in event ${first.eventId} of source ${first.source}`;
  const made = correct(cache, answer, { change, note: { reason, actor: JOINER } });
  // What was billed in a currency in which the tenant no longer pays stays as it was billed.
  return made.paysNow === null ? postedEntriesOf(made) : [];
}

function marksOf(entries: readonly Attempt[]): readonly AttemptKey[] {
  const keys = new Map<string, AttemptKey>();
  for (const { tenantId, traceId, callId } of entries) {
    keys.set(`${tenantId}\u0000${traceId}\u0000${callId}`, { tenantId, traceId, callId });
  }
  return [...keys.values()];
}
