import { pause } from '../clock.ts';
import type { QueueClient, QueueMessage } from '../ingest/queue-client.ts';
import type { StripeParts } from '../stripe/stripe-parts.ts';
import { receiveFromEventBridge } from '../stripe/webhooks/webhook.ts';

export interface EventQueueOptions {
  readonly parts: StripeParts;
  /** The queue to which EventBridge delivers Stripe's events. */
  readonly queue: QueueClient;
  /**
   * A message whose handling failed comes again after this time. Default 30 s: a draft waits an
   * hour at the most.
   */
  readonly retrySeconds?: number;
}

/** The poll is short enough to end soon after a signal. */
const LONG_POLL_SECONDS = 5;
/** Ten messages, each with a few requests to a slow Stripe; one that takes longer is handled twice. */
const VISIBILITY_SECONDS = 300;
const RETRY_SECONDS = 30;
const PAUSE_AFTER_FAILURE_MS = 5_000;

/**
 * Handles Stripe's events from a queue until the signal is aborted, by the same code as those that come
 * over HTTP. At each step, what a crash leaves behind:
 *
 * 1. received: the message is invisible for five minutes and then comes again;
 * 2. handled: the event is marked, so that the message that comes again does nothing;
 * 3. deleted: done.
 *
 * What cannot be handled comes again, until the queue's own redrive policy takes it away.
 */
export async function runEventQueue(options: EventQueueOptions, stop: AbortSignal): Promise<void> {
  const { queue, parts } = options;
  while (!stop.aborted) {
    try {
      const messages = await queue.receive({
        waitSeconds: LONG_POLL_SECONDS,
        visibilityTimeoutSeconds: VISIBILITY_SECONDS,
      });
      for (const message of messages) await take(options, message);
    } catch (error) {
      parts.log.warn({ error: String(error) }, 'the queue of Stripe events does not answer');
      await pause(PAUSE_AFTER_FAILURE_MS, stop);
    }
  }
}

async function take(options: EventQueueOptions, message: QueueMessage): Promise<void> {
  const { parts, queue, retrySeconds = RETRY_SECONDS } = options;
  const { messageId, receiptHandle, body } = message;
  try {
    await receiveFromEventBridge(parts, body);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    parts.log.warn({ messageId, reason }, 'event of Stripe not handled; it comes again');
    await queue.setVisibility([receiptHandle], retrySeconds);
    return;
  }
  await queue.delete([receiptHandle]);
}
