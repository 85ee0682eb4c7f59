import { monotonicMs, pause } from '../../clock.ts';
import type { Log } from '../../log.ts';
import type { FailedHandle, QueueClient } from '../queue-client.ts';
import { MESSAGES_PER_CALL } from '../queue-client.ts';
import type { IsolatedItem } from '../record-or-isolate.ts';
import type { ReadMessage } from './batcher.ts';
import type { HeldMessages } from './held-messages.ts';

export interface AcknowledgerParts {
  readonly queue: QueueClient;
  readonly held: HeldMessages;
  readonly log: Log;
}

/** A message is back this long after a worker died with it; a commit takes a hundredth of it. */
export const VISIBILITY_SECONDS = 30;
const HEARTBEAT_MS = 5_000;
const EXTEND_AFTER_MS = 10_000;
/** Tries of one delete; afterwards the message comes again and is found to be a duplicate. */
const MOST_TRIES = 4;

/** Speaks to the queue of what is in hand: it is kept from others, is done, or goes back. */
export class Acknowledger {
  readonly #parts: AcknowledgerParts;

  constructor(parts: AcknowledgerParts) {
    this.#parts = parts;
  }

  /**
   * Deletes the messages of a batch that is committed. Reads which deletes failed and tries those
   * again; a message that stays comes once more, which an idempotent ledger takes for what it is. A
   * message of which an item could not be recorded in any way is left to the queue.
   */
  async acknowledge(
    batch: readonly ReadMessage[],
    recorded: readonly IsolatedItem[],
  ): Promise<void> {
    const { held, log } = this.#parts;
    const left = new Set(recorded.filter(isLeft).map(({ item }) => item));
    const { kept = [], done = [] } = Object.groupBy(batch, ({ items }) =>
      items.some((item) => left.has(item)) ? 'kept' : 'done',
    );
    for (const { held: message } of kept) {
      const { messageId, receiptHandle } = message.message;
      log.error({ messageId }, 'cannot be recorded; left to the queue');
      held.remove(receiptHandle);
    }
    const receiptHandles = done.map((message) => message.held.message.receiptHandle);
    await Promise.all(chunks(receiptHandles).map((handles) => this.#delete(handles)));
    for (const handle of receiptHandles) held.remove(handle);
  }

  async #delete(receiptHandles: readonly string[]): Promise<void> {
    const { queue, log } = this.#parts;
    let left = receiptHandles;
    let reason = '';
    for (let attempt = 1; left.length > 0 && attempt <= MOST_TRIES; attempt += 1) {
      if (attempt > 1) await pause(100 * 2 ** attempt * (0.5 + Math.random()));
      const failed = await deleteOnce(queue, left);
      const final = failed.filter((failure) => failure.isFinal);
      if (final.length > 0)
        log.warn({ failed: final.length, code: final[0]?.code }, 'delete refused');
      const passing = failed.filter((failure) => !failure.isFinal);
      left = passing.map((failure) => failure.receiptHandle);
      reason = passing[0]?.code ?? '';
    }
    if (left.length > 0)
      log.warn({ messages: left.length, reason }, 'messages not deleted; they come again');
  }

  /** Keeps everything in hand invisible to others, what waits in the batcher too. */
  async keepInvisible(finished: AbortSignal): Promise<void> {
    const { queue, held, log } = this.#parts;
    let isFailing = false;
    while (!finished.aborted) {
      await pause(HEARTBEAT_MS, finished);
      if (finished.aborted) return;
      const due = held.dueForExtension(EXTEND_AFTER_MS);
      for (const part of chunks(due)) {
        const handles = part.map(({ message }) => message.receiptHandle);
        for (const message of part) message.visibleSetMs = monotonicMs();
        const error = await queue.setVisibility(handles, VISIBILITY_SECONDS).then(
          () => null,
          (reason: unknown) => String(reason),
        );
        if (error !== null && !isFailing) log.warn({ error }, 'visibility not extended');
        if (error === null && isFailing) log.info('visibility extended again');
        isFailing = error !== null;
      }
    }
  }

  /** Gives back at once what is still in hand, for another worker to receive. */
  async release(): Promise<void> {
    const { queue, held, log } = this.#parts;
    const handles = held.all().map(({ message }) => message.receiptHandle);
    if (handles.length === 0) return;
    log.warn({ messages: handles.length }, 'releasing what is held');
    for (const some of chunks(handles)) await queue.setVisibility(some, 0).catch(() => []);
  }
}

function isLeft({ outcome }: IsolatedItem): boolean {
  return outcome === 'left';
}

async function deleteOnce(
  queue: QueueClient,
  receiptHandles: readonly string[],
): Promise<readonly FailedHandle[]> {
  try {
    return await queue.delete(receiptHandles);
  } catch (error) {
    const code = String(error);
    return receiptHandles.map((receiptHandle) => ({ receiptHandle, isFinal: false, code }));
  }
}

function chunks<Item>(items: readonly Item[]): Item[][] {
  const result: Item[][] = [];
  for (let start = 0; start < items.length; start += MESSAGES_PER_CALL) {
    result.push(items.slice(start, start + MESSAGES_PER_CALL));
  }
  return result;
}
