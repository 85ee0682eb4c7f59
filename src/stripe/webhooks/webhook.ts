import Stripe from 'stripe';
import { Refusal } from '../../refusal.ts';
import { noteDeletedCustomer, noteSubscriptionChange } from '../customers/customer-changes.ts';
import { fetchInvoice, holdInvoice, verifyInvoice } from '../invoices/invoice.ts';
import { METER_ERROR_TYPES, readMeterErrors } from '../meters/meter-errors.ts';
import type { StripeParts } from '../stripe-parts.ts';
import type { EventAnswer } from './event-answer.ts';
import { beginEvent, finishEvent } from './webhook-store.ts';

/** A thin event is a notification of API v2: it has no data, which is fetched. */
type Incoming = Stripe.Event | Stripe.V2.Core.EventNotification;

/**
 * Takes a delivery over HTTP. Refuses one whose signature does not fit the secret. Throws when
 * handling fails, so that the endpoint answers 500 and Stripe delivers again.
 */
export function receiveSigned(
  parts: StripeParts,
  delivery: { readonly body: string; readonly signature: string; readonly secret: string },
): Promise<EventAnswer> {
  return handleOnce(parts, readSigned(parts.stripe, delivery));
}

/** Takes a message that Stripe sent through EventBridge and SQS: no signature, AWS vouches for it. */
export function receiveFromEventBridge(parts: StripeParts, body: string): Promise<EventAnswer> {
  const { stripe } = parts;
  if (!isEvent(body)) {
    throw new Refusal(
      'bad_document',
      'a message on the queue of Stripe events is no event of Stripe',
      'let only the EventBridge rule of the Stripe event bus send to that queue',
    );
  }
  const event = isThin(body)
    ? stripe.parseEventNotificationWithoutVerification(body)
    : stripe.webhooks.constructEventWithoutVerification(body);
  return handleOnce(parts, event);
}

function readSigned(
  stripe: StripeParts['stripe'],
  {
    body,
    signature,
    secret,
  }: { readonly body: string; readonly signature: string; readonly secret: string },
): Incoming {
  try {
    return isThin(body)
      ? stripe.parseEventNotification(body, signature, secret)
      : stripe.webhooks.constructEvent(body, signature, secret);
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeSignatureVerificationError)) throw error;
    throw new Refusal(
      'bad_request',
      'the signature of this webhook does not fit, or it is older than five minutes',
      'set STRIPE_WEBHOOK_SECRET to the secret of this endpoint, and check the clock of this machine',
    );
  }
}

/** The SDK reads the two kinds by two functions, and each throws on the other kind. */
function isThin(body: string): boolean {
  return kindOf(body) === 'v2.core.event';
}

function isEvent(body: string): boolean {
  return isThin(body) || kindOf(body) === 'event';
}

/** What the event says that it is; undefined when it is none. EventBridge puts it under `detail`. */
function kindOf(body: string): unknown {
  try {
    const parsed: unknown = JSON.parse(body);
    return memberOf(parsed, 'object') ?? memberOf(memberOf(parsed, 'detail'), 'object');
  } catch {
    return undefined;
  }
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/**
 * Handles an event unless it was handled before. It is marked afterwards: a crash in between handles
 * it again, and every handler comes to the same when it is repeated.
 */
async function handleOnce(parts: StripeParts, event: Incoming): Promise<EventAnswer> {
  const { database, clock, log, livemode } = parts;
  const { id, type } = event;
  if (event.livemode === !livemode) {
    log.warn({ event: id, type }, 'an event of the other mode, which STRIPE_API_KEY cannot see');
    return { event: id, type, outcome: 'ignored: of the other mode' };
  }
  if (!(await beginEvent(database, { eventId: id, type }, clock()))) {
    return { event: id, type, outcome: 'handled before' };
  }
  const outcome = await handle(parts, event);
  await finishEvent(database, { eventId: id, outcome }, clock());
  log.info({ event: id, type, outcome }, 'webhook handled');
  return { event: id, type, outcome };
}

async function handle(parts: StripeParts, event: Incoming): Promise<string> {
  if (!('data' in event)) {
    const isReport = METER_ERROR_TYPES.some((type) => type === event.type);
    return isReport ? readMeterErrors(parts, event.id) : 'ignored';
  }
  switch (event.type) {
    case 'invoice.created':
      return holdInvoice(parts, event.data.object.id ?? '');
    case 'invoice.finalized':
      return verifyInvoice(parts, await fetchInvoice(parts, event.data.object.id ?? ''));
    case 'customer.deleted':
      return noteDeletedCustomer(parts, event.data.object.id);
    case 'customer.subscription.updated':
    case 'customer.subscription.deleted':
      return noteSubscriptionChange(parts, event.data.object);
    default:
      return 'ignored';
  }
}
