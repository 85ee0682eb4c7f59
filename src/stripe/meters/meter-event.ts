import Stripe from 'stripe';
import type { TellAnswer } from '../../push/destination.ts';
import type { Intent } from '../../push/intent.ts';
import type { StripeClient } from '../stripe-client.ts';
import { reasonOf, unknownAnswer } from '../stripe-client.ts';

/** What an answer to a meter event means (the retry table); one about the meter is looked into. */
export type MeterAnswer =
  | Exclude<TellAnswer, { kind: 'systemic' | 'replayed' }>
  | { readonly kind: 'systemic'; readonly detail: string; readonly isMeter?: boolean };

/** Stripe answers a duplicate on its first API with 400 and no code; only the message tells. */
const DUPLICATE = /An event already exists with identifier (\S+?)\.?$/;
/**
 * A refusal is known by its message or code; one that speaks of a customer is about one tenant, and
 * not about the meter.
 */
const NO_METER = /no active meter|meter.*(not found|inactive|archived)/i;
const NO_METER_CODES: ReadonlySet<string> = new Set(['no_meter', 'archived_meter']);

/** Reads a failed meter-event request; `identifier` is the one that was sent. */
export function classifyFailure(error: unknown, identifier: string): MeterAnswer {
  if (!(error instanceof Stripe.errors.StripeError)) throw error;
  const detail = `${error.type} ${error.statusCode ?? 'without status'}: ${reasonOf(error)}`;
  if (isDuplicateOf(error, identifier)) return { kind: 'delivered', how: 'already there (400)' };
  switch (error.statusCode) {
    case 401:
    case 403:
    case 404:
      return { kind: 'systemic', detail };
    case 400:
      if (isTooEarly(error)) return { kind: 'early', detail: `${detail} ${CLOCK_AHEAD}` };
      return isAboutMeter(error)
        ? { kind: 'systemic', detail, isMeter: true }
        : { kind: 'refused', detail };
    case 402:
      return { kind: 'refused', detail };
    default:
      return unknownAnswer(error, detail);
  }
}

/** The identifier that the message names must be ours; a code without a name is about what was sent. */
function isDuplicateOf(error: Stripe.errors.StripeError, identifier: string): boolean {
  const named = DUPLICATE.exec(error.message)?.[1];
  if (named !== undefined) return error.statusCode === 400 && named === identifier;
  return error.code === 'duplicate_meter_event';
}

/** The period has ended by our clock, and by Stripe's it goes on: nothing was taken. */
const TOO_EARLY = /timestamp\b.*\bfuture/i;
const CLOCK_AHEAD =
  "(the clock of this machine is ahead of Stripe's: set it right, and run the push again)";

function isTooEarly({ code, message }: Stripe.errors.StripeError): boolean {
  return code === 'timestamp_in_future' || TOO_EARLY.test(message);
}

function isAboutMeter({ code, message }: Stripe.errors.StripeError): boolean {
  if (NO_METER_CODES.has(code ?? '')) return true;
  return NO_METER.test(message) && !/customer/i.test(message);
}

/** Sends one meter event; the identifier is the idempotency key too, so that errors join to it. */
export async function sendMeterEvent(
  stripe: StripeClient,
  intent: Pick<Intent, 'channel' | 'identifier' | 'customer' | 'valueMicro' | 'eventTimestamp'>,
): Promise<MeterAnswer> {
  const { identifier } = intent;
  try {
    await stripe.billing.meterEvents.create(
      {
        event_name: intent.channel,
        identifier,
        timestamp: intent.eventTimestamp,
        // Whole micro units as a plain decimal.
        payload: { stripe_customer_id: intent.customer, value: String(intent.valueMicro) },
      },
      { idempotencyKey: identifier },
    );
    return { kind: 'delivered', how: 'accepted (200)' };
  } catch (error) {
    return classifyFailure(error, identifier);
  }
}
