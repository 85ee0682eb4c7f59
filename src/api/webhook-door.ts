import { Refusal } from '../refusal.ts';
import type { StripeParts } from '../stripe/stripe-parts.ts';
import type { EventAnswer } from '../stripe/webhooks/event-answer.ts';
import { receiveSigned } from '../stripe/webhooks/webhook.ts';
import { type BodyLimits, readBytes } from './read-bytes.ts';
import { jsonReply, type Reply } from './reply.ts';

export interface WebhookOptions {
  readonly parts: StripeParts;
  /** The signing secret of the endpoint, whsec_…. */
  readonly secret: string;
}

/** Stripe's largest event has some tens of kilobytes. */
const LIMITS: BodyLimits = { sentBytes: 1_048_576, unfoldedBytes: 1_048_576 };

/**
 * Handles an event of Stripe, whose signature is over the bytes as they came. Stripe delivers again
 * what is not answered.
 */
export async function answerWebhook(
  webhook: WebhookOptions | null,
  request: Request,
): Promise<Reply> {
  if (webhook === null) refuseWebhook();
  const read = await readBytes(request, LIMITS);
  if (read.kind === 'refused') return read.reply;
  const body = read.bytes.toString('utf8');
  const signature = request.headers.get('stripe-signature') ?? '';
  const { parts, secret } = webhook;
  const outcome: EventAnswer = await receiveSigned(parts, { body, signature, secret });
  return jsonReply(outcome);
}

function refuseWebhook(): never {
  throw new Refusal(
    'misconfigured',
    'this server takes no webhooks of Stripe',
    'start it with both STRIPE_API_KEY and STRIPE_WEBHOOK_SECRET set',
  );
}
