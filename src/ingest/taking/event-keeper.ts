import type { ReadItem } from '../../events/item.ts';
import type { TakenOutcome } from './taken-answer.ts';

/** An item that is let in, with what of it may be kept. */
export interface LetIn {
  readonly item: ReadItem;
  /** The event's own JSON, cut to the fields that events have: no text of a prompt is in it. */
  readonly json: string;
  readonly tenantId: string | null;
}

/**
 * Where events are kept until they are posted. It resolves when all of them are durable, in their
 * order, and throws a `Refusal` where that cannot be: then the producer has to send them all again.
 */
export interface EventKeeper {
  keep(events: readonly LetIn[]): Promise<readonly TakenOutcome[]>;
  /** Bytes of what waits on this machine's disk. */
  diskBytes(): number;
  close(): Promise<void>;
}
