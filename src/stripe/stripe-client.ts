import Stripe from 'stripe';
import { pause } from '../clock.ts';
import { EveryTenantRefused, NoAnswer } from '../push/destination.ts';
import { Refusal } from '../refusal.ts';
import { openPacers, pacedHttpClient } from './pacer.ts';
import { unrepeatedHttpClient } from './send-once.ts';

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
 * The SDK's retries are off: it ignores Retry-After and does not retry a 429. The one that it makes all
 * the same after a reset is taken from it by our HTTP client. Requests to Stripe wait for their turn under
 * its rate limits; a double has none.
 */
export function openStripe(options: StripeOptions): StripeClient {
  const { apiKey, apiBase } = options;
  const settings = { maxNetworkRetries: 0, timeout: TIMEOUT_MS, telemetry: false } as const;
  const unrepeated = unrepeatedHttpClient(Stripe.createNodeHttpClient());
  if (apiBase === null) {
    const pacers = openPacers(isLiveKey(apiKey));
    const httpClient = pacedHttpClient(unrepeated, pacers);
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
  const host = base.hostname;
  return new Stripe(apiKey, { ...settings, host, port, protocol, httpClient: unrepeated });
}

export function isLiveKey(apiKey: string): boolean {
  return /^(sk|rk)_live_/.test(apiKey);
}

const TRIES_TO_READ = 4;
/** A limit of requests passes by itself: it is waited out for some minutes. */
const TRIES_WHILE_LIMITED = 14;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 30_000;

/** Answers true where the same request may well be answered in a moment: nothing was decided. */
function isPassing(error: unknown): error is Stripe.errors.StripeError {
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
      if (attempt >= (isLimitedRate(error) ? TRIES_WHILE_LIMITED : TRIES_TO_READ)) {
        throw unanswered(error, what);
      }
      await pause(waitMs(error, attempt));
    }
  }
}

function isLimitedRate(error: unknown): boolean {
  return error instanceof Stripe.errors.StripeError && error.statusCode === 429;
}

/** Longer each time, and at least as long as the answer asks for. */
function waitMs(error: unknown, attempt: number): number {
  const backoff = FIRST_WAIT_MS * 2 ** (attempt - 1) * (0.5 + Math.random());
  const asked = error instanceof Stripe.errors.StripeError ? (retryAfterMs(error) ?? 0) : 0;
  return Math.min(LONGEST_WAIT_MS, Math.max(backoff, asked));
}

/** Returns the wait that a refusal asks for; null where it asks for none. */
function retryAfterMs(error: Stripe.errors.StripeError): number | null {
  const header = Number(error.headers?.['retry-after']);
  return Number.isFinite(header) && header >= 0 ? header * 1000 : null;
}

/** Returns what a failure means that decides nothing: the same request may be sent again. */
export function unknownAnswer(error: Stripe.errors.StripeError, detail: string) {
  const isLimited = isLimitedRate(error);
  const isSilent = isSilence(error);
  return {
    kind: 'unknown',
    detail,
    retryAfterMs: retryAfterMs(error),
    isLimited,
    isSilent,
  } as const;
}

/** Answers true where nothing came that Stripe would say: whatever it does say comes with a status. */
function isSilence(error: Stripe.errors.StripeError): boolean {
  return error.statusCode === undefined;
}

/** Nobody is to blame and nothing is to be mended: the same command again in a while goes on. */
function unanswered(error: Stripe.errors.StripeError, what: string): NoAnswer {
  return new NoAnswer(
    `Stripe did not answer about ${what}: ${reasonOf(error)}`,
    'try again in a while; it continues where it stopped',
    { isSilent: isSilence(error) },
  );
}

/**
 * The SDK's message says nothing of a lost connection; what the system said of it stands beside.
 */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error instanceof Stripe.errors.StripeConnectionError ? error.detail : undefined;
  return cause instanceof Error ? `${error.message} (${cause.message})` : error.message;
}

/** A key that Stripe does not take is a matter for a person, and would fail with every tenant. */
class KeyRefused extends EveryTenantRefused {
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
  // Some requests about a customer that is gone are answered by 404 without a code.
  if (statusCode === 404) return new MissingAtStripe(what, message);
  const remedy = 'change in Stripe what it names, and do it again';
  return new Refusal('conflict', `Stripe refuses ${what}: ${message}`, remedy);
}

/** Answers true where Stripe said that there is no such object. */
export function isMissing(error: unknown): boolean {
  return error instanceof MissingAtStripe;
}
