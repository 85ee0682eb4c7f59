import { pause } from '../clock.ts';
import type { ReadItem } from '../events/read-body.ts';
import type { HeldMessage } from './held-messages.ts';

/** One received message with its events read. */
export interface ReadMessage {
  readonly held: HeldMessage;
  readonly items: readonly ReadItem[];
}

/** A transaction costs about as much as a hundred events; a thousand and more make it small. */
const FULL_BATCH_EVENTS = 2_000;
/** How long the first event of a batch waits for company: little beside SQS's own latency. */
const FILL_MS = 25;

/** Gathers messages from all pollers into batches for the commits. */
export class Batcher {
  readonly #waiting: ReadMessage[] = [];
  #events = 0;
  #closed = false;
  #wake: (() => void)[] = [];

  add(message: ReadMessage): void {
    this.#waiting.push(message);
    this.#events += message.items.length;
    this.#wakeAll();
  }

  /** No message follows: batches need not wait to fill any more. */
  close(): void {
    this.#closed = true;
    this.#wakeAll();
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** The next batch, of one message at the least; null after the last one. */
  async take(): Promise<readonly ReadMessage[] | null> {
    for (;;) {
      if (this.#waiting.length > 0) {
        if (this.#events < FULL_BATCH_EVENTS && !this.#closed) await this.#fill();
        const batch = this.#cut();
        // The other lane may have taken all while this one waited.
        if (batch.length > 0) return batch;
      } else if (this.#closed) {
        return null;
      } else {
        await new Promise<void>((resolve) => this.#wake.push(resolve));
      }
    }
  }

  async #fill(): Promise<void> {
    const filled = new AbortController();
    const timer = pause(FILL_MS, filled.signal).then(() => filled.abort());
    while (!filled.signal.aborted && this.#events < FULL_BATCH_EVENTS && !this.#closed) {
      await Promise.race([timer, new Promise<void>((resolve) => this.#wake.push(resolve))]);
    }
    filled.abort();
  }

  #cut(): readonly ReadMessage[] {
    const batch: ReadMessage[] = [];
    let events = 0;
    while (events < FULL_BATCH_EVENTS) {
      const message = this.#waiting.shift();
      if (message === undefined) break;
      batch.push(message);
      events += message.items.length;
    }
    this.#events -= events;
    return batch;
  }

  #wakeAll(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}
