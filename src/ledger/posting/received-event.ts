import type { UsageEvent } from '../../events/event.ts';
import type { RepeatedEvent } from '../../events/item.ts';

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
