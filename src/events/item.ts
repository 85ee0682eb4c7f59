import type { QuarantineReason, UsageEvent } from './event.ts';

/** One event of a message, good or bad, or that there was none; each stands alone. */
export type ReadItem = ReadEvent | RefusedItem | EmptyItem;

export interface ReadEvent {
  readonly kind: 'event';
  readonly event: UsageEvent;
  readonly digest: Buffer;
  /**
   * The digests under another policy of addresses, as the quarantine keeps it, and as it was read once; null where it
   * has no address and was never read otherwise.
   */
  readonly otherDigests: (() => readonly Buffer[]) | null;
  /** The event's own JSON, made only when it must be quarantined after all. */
  readonly body: () => string;
  /**
   * Why the event is too old to be posted where the ledger does not have it yet; null for nearly every
   * one. One that the ledger has is a duplicate for ever, however old it is (R9).
   */
  readonly tooOld: string | null;
  /** What of the same message it was a second report of; absent for nearly every event. */
  readonly repeats?: RepeatedEvent;
  /** The same as it is read in a message of its own, where others of this one changed what it says. */
  readonly alone?: ReadEvent;
  /** Its producer named no operation, so that it is no call once one lies within it; absent for nearly every event. */
  readonly isOperationAssumed?: true;
}

/** The identity of the event whose call another one of its message reports, too (R8). */
export interface RepeatedEvent {
  readonly tenantId: string | null;
  readonly source: string;
  readonly eventId: string;
  readonly because: 'nested' | 'response';
}

export interface RefusedItem {
  readonly kind: 'refused';
  readonly reason: QuarantineReason;
  readonly detail: string;
  readonly source: string | null;
  readonly eventId: string | null;
  /** What to read again on a replay. */
  readonly body: () => string;
  /** What of the same message it was a second report of, which its body alone does not say. */
  readonly repeats?: RepeatedEvent;
  /** Tells it from an equal one, where no id does; absent where its body alone says what it is. */
  readonly apart?: string;
  /** What its sender may tell of, where its body does not say whose it is. */
  readonly scope?: SenderScope;
}

/** A message, or a part of it, in which nothing was used: the receipts say why. */
export interface EmptyItem {
  readonly kind: 'empty';
  /** One of few, since the receipts count by it. */
  readonly reason: string;
  readonly source: string | null;
  readonly body: () => string;
  readonly scope?: SenderScope;
}

/** The bounds of a sender, as its key sets them: whose events it may tell of. */
export interface SenderScope {
  /** The source of all of them; null where each says its own. */
  readonly source: string | null;
  /** The tenants that they may name; null for any. */
  readonly tenantIds: readonly string[] | null;
}
