import { pause } from '../../clock.ts';
import type { ReadItem } from '../../events/item.ts';
import type { HeldMessage } from './held-messages.ts';

/** One received message with its events read. */
export interface ReadMessage {
  readonly held: HeldMessage;
  readonly items: readonly ReadItem[];
}

/** A transaction costs about as much as a hundred events; a thousand and more make it small. */
const FULL_BATCH_EVENTS = 2_000;
/** The time that the first event of a batch waits for company: little beside SQS's own latency. */
const FILL_MS = 25;

/**
 * Gathers messages from all pollers into batches for the commits. Each batch is shared out over the
 * tenants in hand, in turn: of G tenants each gives a G-th of a batch, one message at the least, until
 * the batch is full. So however much of one tenant waits here, the first message of another is
 * recorded within ⌈G · m / 2,000⌉ + 1 batches, m being the events of the largest message.
 */
export class Batcher {
  /** The messages wait by tenant, in the order of their turns. */
  readonly #waiting = new Map<string | null, ReadMessage[]>();
  #events = 0;
  #closed = false;
  #wake: (() => void)[] = [];

  add(message: ReadMessage): void {
    const tenantId = tenantOf(message.items);
    const queue = this.#waiting.get(tenantId);
    if (queue === undefined) this.#waiting.set(tenantId, [message]);
    else queue.push(message);
    this.#events += message.items.length;
    this.#wakeAll();
  }

  /** No message follows: batches need not wait to fill any more. */
  close(): void {
    this.#closed = true;
    this.#wakeAll();
  }

  /** That wait for a batch. */
  get events(): number {
    return this.#events;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** The next batch, of one message at the least; null after the last one. */
  async take(): Promise<readonly ReadMessage[] | null> {
    for (;;) {
      if (!this.isEmpty) {
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
    const share = FULL_BATCH_EVENTS / this.#waiting.size;
    let events = 0;
    // What is set again while the map is walked comes last in the walk: the next turn.
    for (const [tenantId, queue] of this.#waiting) {
      if (events >= FULL_BATCH_EVENTS) break;
      const taken = takeShare(queue, Math.min(share, FULL_BATCH_EVENTS - events));
      this.#waiting.delete(tenantId);
      if (queue.length > 0) this.#waiting.set(tenantId, queue);
      batch.push(...taken);
      events += countEvents(taken);
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

/** Takes the first messages with so many events, or the first alone where it has more. */
function takeShare(queue: ReadMessage[], share: number): readonly ReadMessage[] {
  let events = 0;
  let messages = 0;
  for (const { items } of queue) {
    if (events >= share) break;
    events += items.length;
    messages += 1;
  }
  return queue.splice(0, messages);
}

function countEvents(messages: readonly ReadMessage[]): number {
  return messages.reduce((sum, { items }) => sum + items.length, 0);
}

/**
 * Returns the tenant of all events of a message; those of several, or of nobody, share the turn of
 * null.
 */
function tenantOf(items: readonly ReadItem[]): string | null {
  const [first] = items;
  const tenantId = first?.kind === 'event' ? first.event.tags.tenantId : null;
  const isTheirs = (item: ReadItem) =>
    item.kind === 'event' && item.event.tags.tenantId === tenantId;
  return items.every(isTheirs) ? tenantId : null;
}
