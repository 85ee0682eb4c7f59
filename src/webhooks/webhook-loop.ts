import { pause } from '../clock.ts';
import { deliverDue } from './deliver-events.ts';
import { gatherEvents } from './gather-events.ts';
import { countPending } from './outbox-store.ts';
import type { DeliveredAnswer } from './webhook-answer.ts';
import type { WebhookParts } from './webhook-parts.ts';

/** Somebody hears of a budget this much later at the most, beside the time that its fold takes. */
const LOOK_EVERY_MS = 5_000;
/** What keeps a month from being whole is a question to the whole ledger, and changes slowly. */
const MISSING_EVERY_LOOKS = 120;

/** Looks for what is new and delivers it, until the signal is aborted. */
export async function runWebhooks(parts: WebhookParts, stop: AbortSignal): Promise<void> {
  let isFailing = false;
  for (let look = 0; !stop.aborted; look += 1) {
    try {
      await gatherEvents(parts, { withMissing: look % MISSING_EVERY_LOOKS === 0 });
      await deliverDue(parts, stop);
      if (isFailing) parts.log.info('webhooks delivered again');
      isFailing = false;
    } catch (error) {
      // The outbox is durable: what is not delivered now is delivered at the next look.
      if (!isFailing) parts.log.warn({ error: String(error) }, 'webhooks not delivered');
      isFailing = true;
    }
    await pause(LOOK_EVERY_MS, stop);
  }
}

/**
 * Finds what is new and delivers what is due once; or goes on until nothing waits, which takes three days at the most
 * where a receiver is away.
 */
export async function deliverWebhooks(
  parts: WebhookParts,
  { untilEmpty }: { readonly untilEmpty: boolean },
): Promise<DeliveredAnswer> {
  const found = await gatherEvents(parts, { withMissing: true });
  const sums = { delivered: 0, failed: 0, dead: 0 };
  for (;;) {
    const { delivered, failed, dead } = await deliverDue(parts);
    sums.delivered += delivered;
    sums.failed += failed;
    sums.dead += dead;
    if (!untilEmpty || (await countPending(parts.database)) === 0) return { found, ...sums };
    await pause(LOOK_EVERY_MS);
  }
}
