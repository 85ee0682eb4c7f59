import type Stripe from 'stripe';
import type { InstantMs } from '../clock.ts';
import { ApiFailure, missingResource } from './api-failure.ts';
import type { DoubleClock } from './double-clock.ts';
import { type IdempotencyStore, openIdempotencyStore } from './idempotency-store.ts';
import type { DoubleSettings } from './settings.ts';
import type {
  Delivery,
  Invoice,
  InvoiceItem,
  Price,
  Rejection,
  Subscription,
  ThinEvent,
  WebhookEndpoint,
} from './stripe-object.ts';
import { openUsageBook, type UsageBook } from './usage-book.ts';

/** All that one Stripe account holds. Every API key of a test has an account of its own. */
export interface Account {
  readonly apiKey: string;
  readonly clock: DoubleClock;
  readonly settings: DoubleSettings;
  readonly meters: Map<string, Stripe.Billing.Meter>;
  readonly products: Map<string, Stripe.Product>;
  readonly prices: Map<string, Price>;
  readonly customers: Map<string, Stripe.Customer>;
  readonly subscriptions: Map<string, Subscription>;
  readonly invoices: Map<string, Invoice>;
  readonly invoiceItems: Map<string, InvoiceItem>;
  readonly creditNotes: Map<string, Stripe.CreditNote>;
  readonly usage: UsageBook;
  /** The instant at which each meter event identifier was last accepted. */
  readonly identifiers: Map<string, InstantMs>;
  readonly idempotency: IdempotencyStore;
  /** Customer and meter of every meter event call that is being executed. */
  readonly inFlight: Set<string>;
  readonly events: Map<string, Stripe.EventBase>;
  readonly thinEvents: Map<string, ThinEvent>;
  readonly webhookEndpoints: Map<string, WebhookEndpoint>;
  /** Deliveries still to be made, retries included. */
  readonly deliveries: Delivery[];
  /** Events that asynchronous validation refused and that no report has named yet. */
  readonly rejections: Rejection[];
}

export type AccountBasis = Pick<Account, 'clock' | 'settings'>;

/**
 * Returns the account of a test-mode key; made on first use. Throws 401 for a key that is missing,
 * is a live one, or has another form: a double must never be given a real key.
 */
export function accountOf(
  accounts: Map<string, Account>,
  authorization: string | undefined,
  basis: AccountBasis,
): Account {
  const apiKey = keyIn(authorization);
  if (apiKey === undefined) throw unauthorized('You did not provide an API key.');
  if (/^[sr]k_live_/.test(apiKey)) {
    throw unauthorized('This is the Stripe double: it refuses live keys. Use one of sk_test_….');
  }
  if (!/^[sr]k_test_\w+$/.test(apiKey)) throw unauthorized('Invalid API Key provided.');
  const account = accounts.get(apiKey) ?? openAccount(apiKey, basis);
  accounts.set(apiKey, account);
  return account;
}

/**
 * Returns a bearer token as the SDK sends it, or the user name of basic authentication: `curl -u
 * sk_test_…:`.
 */
function keyIn(authorization = ''): string | undefined {
  const basic = /^Basic (\S+)$/i.exec(authorization)?.[1];
  if (basic === undefined) return /^Bearer (\S+)$/i.exec(authorization)?.[1];
  return Buffer.from(basic, 'base64').toString('utf8').split(':')[0];
}

export function openAccount(apiKey: string, basis: AccountBasis): Account {
  return {
    apiKey,
    clock: basis.clock,
    settings: basis.settings,
    meters: new Map(),
    products: new Map(),
    prices: new Map(),
    customers: new Map(),
    subscriptions: new Map(),
    invoices: new Map(),
    invoiceItems: new Map(),
    creditNotes: new Map(),
    usage: openUsageBook(),
    identifiers: new Map(),
    idempotency: openIdempotencyStore(),
    inFlight: new Set(),
    events: new Map(),
    thinEvents: new Map(),
    webhookEndpoints: new Map(),
    deliveries: [],
    rejections: [],
  };
}

/**
 * Returns the object of that id. Throws 404, or 400 when a parameter (and not the path) named it.
 */
export function found<T>(objects: ReadonlyMap<string, T>, noun: string, id: IdSource): T {
  const object = objects.get(id.id);
  if (object === undefined) throw missingResource(noun, id.id, id.param);
  return object;
}

/** An id and, when it did not come from the path, the parameter that it came from. */
export interface IdSource {
  readonly id: string;
  readonly param?: string;
}

function unauthorized(message: string): ApiFailure {
  return new ApiFailure(401, { type: 'invalid_request_error', message });
}
