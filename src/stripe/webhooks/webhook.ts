import Stripe from 'stripe';
import { raiseAlert } from '../../push/alert-store.ts';
import { refusalOfOne } from '../../push/destination.ts';
import { Refusal } from '../../refusal.ts';
import { jsonIn } from '../../text/json.ts';
import { noteDeletedCustomer, noteSubscriptionChange } from '../customers/customer-changes.ts';
import { holdInvoice } from '../invoices/invoice.ts';
import { fetchInvoice } from '../invoices/own-invoice.ts';
import { verifyInvoice } from '../invoices/verify-invoice.ts';
import { endNotFinal, noteNotFinal } from '../invoices/verify-released.ts';
import { METER_ERROR_TYPES, readMeterErrors, UnknownShape } from '../meters/meter-errors.ts';
import { readOwnMeters } from '../meters/meter-store.ts';
import { askStripe, isMissing } from '../stripe-client.ts';
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
      'a message on the queue of Stripe events is not an event of Stripe',
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
    const event = isThin(body)
      ? stripe.parseEventNotification(body, signature, secret)
      : stripe.webhooks.constructEvent(body, signature, secret);
    if (isEvent(body)) return event;
  } catch (error) {
    // The signature is looked at before the body is read.
    if (error instanceof SyntaxError) refuseNoEvent();
    if (!(error instanceof Stripe.errors.StripeSignatureVerificationError)) throw error;
    throw new Refusal(
      'bad_request',
      'the signature of this webhook does not fit, or it is older than five minutes',
      'set STRIPE_WEBHOOK_SECRET to the secret of this endpoint, and check the clock of this machine',
    );
  }
  refuseNoEvent();
}

function refuseNoEvent(): never {
  throw new Refusal(
    'bad_request',
    'what was signed is not an event of Stripe',
    'let only Stripe know the secret of this endpoint',
  );
}

/** The SDK reads the two kinds by two functions, and each throws on the other kind. */
function isThin(body: string): boolean {
  return kindOf(body) === 'v2.core.event';
}

function isEvent(body: string): boolean {
  return isThin(body) || kindOf(body) === 'event';
}

/**
 * Returns what the event says that it is; undefined when it is none. EventBridge puts it under
 * `detail`.
 */
function kindOf(body: string): unknown {
  const parsed = jsonIn(body);
  return memberOf(parsed, 'object') ?? memberOf(memberOf(parsed, 'detail'), 'object');
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
  const outcome = await handle(parts, event).catch((error: unknown) =>
    recordRefused(parts, event, error),
  );
  await finishEvent(database, { eventId: id, outcome }, clock());
  log.info({ event: id, type, outcome }, 'webhook handled');
  return { event: id, type, outcome };
}

/**
 * What Stripe refuses, or does not know any more, is refused at the next delivery, too: it is answered
 * and recorded, since an endpoint that goes on answering 500 holds up every invoice of the account. What is gone
 * says so; what cannot be done, or cannot be read, is an alert. A service that does not answer will be
 * asked again by Stripe's next delivery.
 */
async function recordRefused(
  parts: StripeParts,
  { id, type }: Incoming,
  error: unknown,
): Promise<string> {
  if (isMissing(error)) return `gone: ${refusalOfOne(error)}`;
  const detail = error instanceof UnknownShape ? error.message : refusalOfOne(error);
  const alert = {
    kind: 'event_not_handled',
    subject: id,
    tenantId: null,
    periodStart: null,
  } as const;
  parts.log.error({ event: id, type, detail }, 'an event of Stripe cannot be handled');
  const says = `${type}: ${detail}`;
  await raiseAlert(parts.database, { ...alert, detail: says }, parts.clock());
  return `not handled: ${detail}`;
}

/** What an event is about, whether it came with its object or only names it. */
interface Subject {
  /** The type by the names of snapshot events, such as `invoice.created`. */
  readonly type: string;
  readonly id: string;
}

/** A key of another account knows nothing of what is told: Stripe is to tell it again once the key is right. */
async function handle(parts: StripeParts, event: Incoming): Promise<string> {
  await readOwnMeters(parts);
  if (METER_ERROR_TYPES.some((type) => type === event.type)) {
    return readMeterErrors(parts, event.id);
  }
  const subject = subjectOf(event);
  if (subject === null) return 'ignored';
  const { type, id } = subject;
  switch (type) {
    case 'invoice.created':
      return holdInvoice(parts, id);
    case 'invoice.finalized':
    case 'invoice.voided':
      return verifyFinal(parts, id);
    case 'invoice.finalization_failed':
      return noteNotFinal(parts, id);
    case 'invoice.updated':
      return verifyChanged(parts, id);
    case 'credit_note.created':
    case 'credit_note.updated':
    case 'credit_note.voided':
      return verifyCredited(parts, id);
    case 'customer.deleted':
      return noteDeletedCustomer(parts, id);
    case 'customer.subscription.updated':
    case 'customer.subscription.deleted':
      return noteSubscriptionChange(parts, await fetchSubscription(parts, id));
    default:
      return 'ignored';
  }
}

/** What was said of it while it stayed a draft is not so any more. */
async function verifyFinal(parts: StripeParts, id: string): Promise<string> {
  const outcome = await verifyInvoice(parts, await fetchInvoice(parts, id));
  await endNotFinal(parts, [id]);
  return outcome;
}

/** A final invoice changes where it is credited, or marked by a person. */
async function verifyChanged(parts: StripeParts, id: string): Promise<string> {
  const invoice = await fetchInvoice(parts, id);
  return invoice.status === 'draft' ? 'ignored: a draft' : verifyInvoice(parts, invoice);
}

/** A credit is looked at by the invoice that it is on. */
async function verifyCredited(parts: StripeParts, id: string): Promise<string> {
  const note = await askStripe(`credit note ${id}`, () => parts.stripe.creditNotes.retrieve(id));
  const invoice = typeof note.invoice === 'string' ? note.invoice : (note.invoice.id ?? '');
  return verifyInvoice(parts, await fetchInvoice(parts, invoice));
}

/** A thin event of an object of API v1 has the name of its snapshot after "v1.", and names the object. */
function subjectOf(event: Incoming): Subject | null {
  const type = event.type.replace(/^v1\./, '');
  if (!('data' in event)) {
    const related = memberOf(event, 'related_object');
    const id = memberOf(related, 'id');
    return typeof id === 'string' ? { type, id } : null;
  }
  const { object } = event.data;
  if (!('id' in object) || typeof object.id !== 'string') return null;
  return { type, id: object.id };
}

/** An event shows a subscription as it was, and events come in any order: it is fetched as it is. */
function fetchSubscription({ stripe }: StripeParts, id: string): Promise<Stripe.Subscription> {
  return askStripe(`subscription ${id}`, () => stripe.subscriptions.retrieve(id));
}
