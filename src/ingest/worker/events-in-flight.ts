import type { ReadItem } from '../../events/item.ts';
import { MeetingKeys } from '../../ledger/entries/event-keys.ts';

/** The items that a lane may record now, and those that it must leave until other lanes are done. */
export interface Claim {
  /** No other lane has any of these; they are in flight from now on. */
  readonly free: readonly ReadItem[];
  /** Another lane has the same event or the same provider response in hand. */
  readonly met: readonly ReadItem[];
  /** Settles when those lanes are done, however it ended; at once where nothing was met. */
  readonly othersDone: Promise<unknown>;
  release(): void;
}

interface Held {
  readonly keys: MeetingKeys;
  readonly done: Promise<void>;
}

/**
 * The events that the lanes of one worker record at this moment. Of two transactions that post one
 * key, Postgres lets the second wait for the first and then throws away all that it copied: a few
 * repeated events in a hundred would make the lanes lose most of their work to one another. So the
 * lanes ask here first, and only what they share waits. Workers beside this one are not known here;
 * between them the lost race stays, and is run again.
 */
export class EventsInFlight {
  readonly #held = new Set<Held>();

  claim(items: readonly ReadItem[]): Claim {
    const others = [...this.#held];
    const keys = new MeetingKeys();
    const free: ReadItem[] = [];
    const met: ReadItem[] = [];
    const waits = new Set<Promise<void>>();
    for (const item of items) {
      const event = item.kind === 'event' ? item.event : null;
      const holder = event === null ? undefined : others.find((held) => held.keys.meets(event));
      if (holder === undefined) {
        free.push(item);
        if (event !== null) keys.add(event);
      } else {
        met.push(item);
        waits.add(holder.done);
      }
    }
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const held = { keys, done };
    this.#held.add(held);
    const release = () => {
      this.#held.delete(held);
      resolve();
    };
    return { free, met, othersDone: Promise.all(waits), release };
  }
}
