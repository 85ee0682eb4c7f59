import { type InstantMs, monotonicMs } from '../../clock.ts';
import type { QueueMessage } from '../queue-client.ts';

/** A message between its receipt and its deletion. */
export interface HeldMessage {
  readonly message: QueueMessage;
  readonly receivedAt: InstantMs;
  /** When it was received and its visibility last set, by a clock that nobody sets: `monotonicMs`. */
  readonly heldSinceMs: number;
  visibleSetMs: number;
  /** Entries that its events may become, once they are read. */
  entries: number;
}

/** SQS lets one receive hold a message for twelve hours in all; then it must go back. */
const LONGEST_HOLD_MS = 11.5 * 60 * 60 * 1000;

/** Everything received and not yet deleted, so that it can be kept invisible, counted and released. */
export class HeldMessages {
  readonly #held = new Map<string, HeldMessage>();
  #bytes = 0;
  #entries = 0;

  add(message: QueueMessage, receivedAt: InstantMs): HeldMessage {
    const heldSinceMs = monotonicMs();
    const held = { message, receivedAt, heldSinceMs, visibleSetMs: heldSinceMs, entries: 0 };
    this.#held.set(message.receiptHandle, held);
    this.#bytes += message.body.length;
    return held;
  }

  /** Its events are in memory from now on, until it is removed. */
  wasRead(held: HeldMessage, entries: number): void {
    this.#entries += entries - held.entries;
    held.entries = entries;
  }

  remove(receiptHandle: string): void {
    const held = this.#held.get(receiptHandle);
    if (held === undefined) return;
    this.#held.delete(receiptHandle);
    this.#bytes -= held.message.body.length;
    this.#entries -= held.entries;
  }

  get count(): number {
    return this.#held.size;
  }

  /** Characters of all bodies, close enough to bytes for a limit. */
  get size(): number {
    return this.#bytes;
  }

  /** Entries of all messages that were read. */
  get entries(): number {
    return this.#entries;
  }

  all(): readonly HeldMessage[] {
    return [...this.#held.values()];
  }

  /** The messages whose visibility was set longer ago than this and that may still be extended. */
  dueForExtension(ageMs: number): readonly HeldMessage[] {
    const now = monotonicMs();
    return this.all().filter(
      (held) => now - held.visibleSetMs >= ageMs && now - held.heldSinceMs < LONGEST_HOLD_MS,
    );
  }
}
