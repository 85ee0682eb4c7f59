import Stripe from 'stripe';
import { type InstantMs, pause } from '../clock.ts';
import { Refusal } from '../refusal.ts';
import { openPacers, pacedHttpClient } from './pacer.ts';

/** The real client, with our own retry loop instead of its own. */
export type StripeClient = Stripe;

export interface StripeOptions {
  readonly apiKey: string;
  /** The address of a double; null for Stripe's own. */
  readonly apiBase: string | null;
}

/** A call that takes longer is given up and retried unchanged. */
const TIMEOUT_MS = 20_000;

/**
 * Opens a client. A key of live mode is never sent to another address than Stripe's own.
 * The SDK's retries are off: it ignores Retry-After and does not retry a 429. Requests to Stripe wait
 * for their turn under its rate limits; a double has none.
 */
export function openStripe(options: StripeOptions): StripeClient {
  const { apiKey, apiBase } = options;
  const settings = { maxNetworkRetries: 0, timeout: TIMEOUT_MS, telemetry: false } as const;
  if (apiBase === null) {
    const pacers = openPacers(isLiveKey(apiKey));
    const httpClient = pacedHttpClient(Stripe.createNodeHttpClient(), pacers);
    return new Stripe(apiKey, { ...settings, httpClient });
  }
  if (isLiveKey(apiKey)) {
    throw new Refusal(
      'misconfigured',
      'STRIPE_API_BASE is set and STRIPE_API_KEY is a live key',
      'unset STRIPE_API_BASE to bill for real, or use a test key against a double',
    );
  }
  const base = new URL(apiBase);
  const protocol = base.protocol === 'https:' ? 'https' : 'http';
  const port = base.port === '' ? (protocol === 'https' ? 443 : 80) : Number(base.port);
  return new Stripe(apiKey, { ...settings, host: base.hostname, port, protocol });
}

export function isLiveKey(apiKey: string): boolean {
  return /^(sk|rk)_live_/.test(apiKey);
}

/** What an answer, or the lack of one, means for one intent (the retry table). */
export type PushAnswer =
  | { readonly kind: 'delivered'; readonly how: string }
  /** Nothing is known; the same request again is safe while Stripe remembers its identifier. */
  | { readonly kind: 'unknown'; readonly detail: string; readonly retryAfterMs: number | null }
  /** Nothing to do with this tenant: no request may follow until a person looked. */
  | { readonly kind: 'systemic'; readonly detail: string; readonly isMeter?: boolean }
  /** Stripe refuses this one request for good. */
  | { readonly kind: 'refused'; readonly detail: string };

/** Stripe answers a duplicate on its first API with 400 and no code; only the message tells. */
const DUPLICATE = /An event already exists with identifier (\S+?)\.?$/;
/** By message or code; one that speaks of a customer is about one tenant, and not about the meter. */
const NO_METER = /no active meter|meter.*(not found|inactive|archived)/i;
const NO_METER_CODES: ReadonlySet<string> = new Set(['no_meter', 'archived_meter']);

/** Reads a failed meter-event request; `identifier` is the one that was sent. */
export function classifyFailure(error: unknown, identifier: string): PushAnswer {
  if (!(error instanceof Stripe.errors.StripeError)) throw error;
  const detail = `${error.type} ${error.statusCode ?? 'without status'}: ${reasonOf(error)}`;
  if (isDuplicateOf(error, identifier)) return { kind: 'delivered', how: 'already there (400)' };
  switch (error.statusCode) {
    case 401:
    case 403:
    case 404:
      return { kind: 'systemic', detail };
    case 409:
    case 429:
      return { kind: 'unknown', detail, retryAfterMs: retryAfterMs(error) };
    case 400:
      return isAboutMeter(error)
        ? { kind: 'systemic', detail, isMeter: true }
        : { kind: 'refused', detail };
    case 402:
      return { kind: 'refused', detail };
    default:
      return { kind: 'unknown', detail, retryAfterMs: retryAfterMs(error) };
  }
}

/** The identifier that the message names must be ours; a code without a name is about what was sent. */
function isDuplicateOf(error: Stripe.errors.StripeError, identifier: string): boolean {
  const named = DUPLICATE.exec(error.message)?.[1];
  if (named !== undefined) return error.statusCode === 400 && named === identifier;
  return error.code === 'duplicate_meter_event';
}

function isAboutMeter({ code, message }: Stripe.errors.StripeError): boolean {
  if (NO_METER_CODES.has(code ?? '')) return true;
  return NO_METER.test(message) && !/customer/i.test(message);
}

function retryAfterMs(error: Stripe.errors.StripeError): number | null {
  const header = Number(error.headers?.['retry-after']);
  return Number.isFinite(header) && header >= 0 ? header * 1000 : null;
}

export interface MeterEventBody {
  readonly eventName: string;
  readonly identifier: string;
  readonly stripeCustomer: string;
  /** Whole micro-dollars as a plain decimal. */
  readonly value: string;
  /** Unix seconds. */
  readonly timestamp: number;
}

/** Sends one meter event; the identifier is the idempotency key too, so that errors join to it. */
export async function sendMeterEvent(
  stripe: StripeClient,
  body: MeterEventBody,
): Promise<PushAnswer> {
  try {
    await stripe.billing.meterEvents.create(
      {
        event_name: body.eventName,
        identifier: body.identifier,
        timestamp: body.timestamp,
        payload: { stripe_customer_id: body.stripeCustomer, value: body.value },
      },
      { idempotencyKey: body.identifier },
    );
    return { kind: 'delivered', how: 'accepted (200)' };
  } catch (error) {
    return classifyFailure(error, body.identifier);
  }
}

export interface SummaryQuestion {
  readonly meterId: string;
  readonly stripeCustomer: string;
  readonly startsAt: InstantMs;
  readonly endsAt: InstantMs;
}

const MINUTE_MS = 60_000;

/**
 * What Stripe counts for a customer over a period, in micro-dollars. It lags, so that a low figure
 * proves nothing yet. Bounds must lie on whole minutes.
 */
export async function readSummary(
  stripe: StripeClient,
  question: SummaryQuestion,
): Promise<bigint> {
  const floor = (instant: InstantMs) => Math.floor(instant / MINUTE_MS) * 60;
  const page = await askStripe(`the usage of customer ${question.stripeCustomer}`, () =>
    stripe.billing.meters.listEventSummaries(question.meterId, {
      customer: question.stripeCustomer,
      start_time: floor(question.startsAt),
      end_time: floor(question.endsAt),
      limit: 100,
    }),
  );
  // Without a grouping window there is one row for the whole range, or none for no usage.
  return page.data.reduce((sum, row) => sum + toMicro(row.aggregated_value), 0n);
}

/** A fraction is somebody else's usage: what we tell is whole, and a double holds 15 digits exactly. */
export class ForeignFraction extends Refusal {
  readonly summary: string;

  constructor(value: number) {
    super(
      'conflict',
      `Stripe's summary holds ${value}, which is not a whole number of micro-dollars`,
      'find what else reports usage to this meter; only Spanledger may',
    );
    this.summary = String(value);
  }
}

function toMicro(value: number): bigint {
  if (Number.isSafeInteger(value)) return BigInt(value);
  throw new ForeignFraction(value);
}

const TRIES_TO_READ = 4;
const FIRST_WAIT_MS = 250;

/** True where the same request may well be answered in a moment: nothing was decided. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof Stripe.errors.StripeError)) return false;
  const { statusCode } = error;
  return statusCode === undefined || statusCode === 409 || statusCode === 429 || statusCode >= 500;
}

/**
 * Asks what changes nothing, or changes the same thing to the same value, and asks again while Stripe
 * does not answer. Refuses when it goes on not answering, and what Stripe refuses; `what` is named in the
 * refusal. A failure that is not Stripe's is thrown as it is.
 */
export async function askStripe<Answer>(what: string, ask: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      if (!isPassing(error)) throw explainRefused(error, what) ?? error;
      if (attempt === TRIES_TO_READ) throw unanswered(error, what);
      await pause(FIRST_WAIT_MS * 2 ** (attempt - 1) * (0.5 + Math.random()));
    }
  }
}

/** Nobody is to blame and nothing is to be mended: the same command again in a while goes on. */
export class Unanswered extends Refusal {
  constructor(what: string, reason: string) {
    const remedy = 'run the command again in a while; it goes on where it stood';
    super('unavailable', `Stripe did not answer about ${what}: ${reason}`, remedy);
  }
}

function unanswered(error: unknown, what: string): Unanswered {
  return new Unanswered(what, reasonOf(error));
}

/** Of a lost connection the SDK's message says nothing; what the system said of it stands beside. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error instanceof Stripe.errors.StripeConnectionError ? error.detail : undefined;
  return cause instanceof Error ? `${error.message} (${cause.message})` : error.message;
}

/** A key that Stripe does not take is a matter for a person, and would fail with every tenant. */
export class KeyRefused extends Refusal {
  constructor(what: string, reason: string) {
    const remedy = 'give STRIPE_API_KEY a key of the right account that may read and write billing';
    super('not_permitted', `Stripe does not let this key ask about ${what}: ${reason}`, remedy);
  }
}

/** Stripe knows no such object under this key; some callers go on without it. */
class MissingAtStripe extends Refusal {
  constructor(what: string, reason: string) {
    const remedy =
      'check the id, and that STRIPE_API_KEY is of the account and mode that it belongs to';
    super('not_found', `Stripe does not know ${what}: ${reason}`, remedy);
  }
}

function explainRefused(error: unknown, what: string): Refusal | null {
  if (!(error instanceof Stripe.errors.StripeError)) return null;
  const { statusCode, code, message } = error;
  if (statusCode === 401 || statusCode === 403) return new KeyRefused(what, message);
  if (code === 'resource_missing') return new MissingAtStripe(what, message);
  const remedy = 'change in Stripe what it names, and run the command again';
  return new Refusal('conflict', `Stripe refuses ${what}: ${message}`, remedy);
}

/** True where Stripe said that there is no such object. */
export function isMissing(error: unknown): boolean {
  return error instanceof MissingAtStripe;
}
