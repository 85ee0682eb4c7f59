import type { QueueClient, QueueMessage } from '../queue-client.ts';
import { MESSAGES_PER_CALL } from '../queue-client.ts';

/** Messages that somebody else received, as a worker's queue: it has nothing more once they are taken. */
export interface DeliveredMessages {
  readonly queue: QueueClient;
  /** Aborted when a worker has received all of them, and by the signal that was given. */
  readonly stop: AbortSignal;
  /** The ids of the messages that are not done, in the order in which they came. */
  left(): readonly string[];
}

/**
 * A worker receives, deletes and gives back by the same calls as ever: to delete a message is to remember that it is
 * done, and the others are given back by being named to whoever delivered them, who also keeps them invisible.
 */
export function deliver(
  messages: readonly QueueMessage[],
  outOfTime: AbortSignal,
): DeliveredMessages {
  const allTaken = new AbortController();
  const done = new Set<string>();
  let taken = 0;
  return {
    stop: AbortSignal.any([allTaken.signal, outOfTime]),
    left: () =>
      messages
        .filter(({ receiptHandle }) => !done.has(receiptHandle))
        .map(({ messageId }) => messageId),
    queue: {
      async receive() {
        const some = messages.slice(taken, taken + MESSAGES_PER_CALL);
        taken += some.length;
        if (some.length === 0) allTaken.abort();
        return some;
      },
      async delete(receiptHandles) {
        for (const handle of receiptHandles) done.add(handle);
        return [];
      },
      setVisibility: async () => [],
      depth: async () => messages.length - taken,
      close() {},
    },
  };
}
