import { pause } from '../clock.ts';
import type { Log } from '../log.ts';
import type { HeldMessages } from './held-messages.ts';
import type { FailedHandle, QueueClient } from './queue-client.ts';
import { MESSAGES_PER_CALL } from './queue-client.ts';

/** Tries of one delete; afterwards the message comes again and is found to be a duplicate. */
const MOST_TRIES = 4;

/**
 * Deletes messages whose events are committed. Reads which deletes failed and tries those again; a
 * message that stays comes once more, which an idempotent ledger takes for what it is.
 */
export async function acknowledge(
  queue: QueueClient,
  held: HeldMessages,
  options: { readonly receiptHandles: readonly string[]; readonly log: Log },
): Promise<void> {
  const calls: Promise<void>[] = [];
  for (const handles of chunks(options.receiptHandles)) {
    calls.push(deleteWithRetry(queue, handles, options.log));
  }
  await Promise.all(calls);
  for (const handle of options.receiptHandles) held.remove(handle);
}

async function deleteWithRetry(
  queue: QueueClient,
  receiptHandles: readonly string[],
  log: Log,
): Promise<void> {
  let left = receiptHandles;
  for (let attempt = 1; left.length > 0 && attempt <= MOST_TRIES; attempt += 1) {
    if (attempt > 1) await pause(100 * 2 ** attempt * (0.5 + Math.random()));
    const failed = await deleteOnce(queue, left);
    const final = failed.filter((failure) => failure.isFinal);
    if (final.length > 0)
      log.warn({ failed: final.length, code: final[0]?.code }, 'delete refused');
    left = failed.filter((failure) => !failure.isFinal).map((failure) => failure.receiptHandle);
  }
  if (left.length > 0) log.warn({ messages: left.length }, 'messages not deleted; they come again');
}

async function deleteOnce(
  queue: QueueClient,
  receiptHandles: readonly string[],
): Promise<readonly FailedHandle[]> {
  try {
    return await queue.delete(receiptHandles);
  } catch (error) {
    return receiptHandles.map((receiptHandle) => ({
      receiptHandle,
      isFinal: false,
      code: String(error),
    }));
  }
}

export function chunks<Item>(items: readonly Item[]): Item[][] {
  const result: Item[][] = [];
  for (let start = 0; start < items.length; start += MESSAGES_PER_CALL) {
    result.push(items.slice(start, start + MESSAGES_PER_CALL));
  }
  return result;
}
