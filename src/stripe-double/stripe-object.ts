import type Stripe from 'stripe';
import type { InstantMs } from '../clock.ts';
import type { Anchor } from './billing-period.ts';
import type { ListPage } from './list-page.ts';

/**
 * The objects that an account holds, on the types of Stripe's own package. Where ours differs, JSON
 * carries a decimal as text and the package has already read it.
 */

/** A price as JSON carries it: the SDK makes a `Stripe.Decimal` of the decimal text. */
export type Price = Omit<Stripe.Price, 'unit_amount_decimal'> & {
  readonly unit_amount_decimal: string | null;
};

/** An invoice item as JSON carries it, with decimals as text. */
export type InvoiceItem = Omit<Stripe.InvoiceItem, 'pricing' | 'quantity_decimal'> & {
  readonly quantity_decimal: string;
  readonly pricing: LinePricing | null;
};

/** A line as JSON carries it, with decimals as text. */
export type InvoiceLine = Omit<Stripe.InvoiceLineItem, 'pricing' | 'quantity_decimal'> & {
  readonly quantity_decimal: string | null;
  readonly pricing: LinePricing | null;
};

/** A price per unit, as JSON carries it. */
interface LinePricing {
  readonly type: 'price_details';
  readonly price_details?: { readonly price: string; readonly product: string };
  readonly unit_amount_decimal: string | null;
}

/** An invoice, and what the double must know of it that the API does not show. */
export interface Invoice {
  readonly id: string;
  shown: InvoiceObject;
  lines: readonly InvoiceLine[];
  readonly charges: readonly MeteredCharge[];
  items: readonly InvoiceItem[];
  /** Usage that arrives while it is a draft counts only on the invoice of a whole period. */
  readonly isRecomputed: boolean;
  /** Somebody chose when it finalizes, so that a failing webhook does not delay it. */
  isTimeChosen: boolean;
  /** Webhook endpoints that have been told of the draft and have not answered 2xx. */
  readonly unanswered: Set<string>;
}

/** An invoice as JSON carries it. */
export type InvoiceObject = Omit<Stripe.Invoice, 'lines'> & {
  readonly lines: ListPage<InvoiceLine>;
};

/** The metered usage of one subscription item in one period, still to be counted. */
export interface MeteredCharge {
  readonly subscription: string;
  readonly subscriptionItem: string;
  readonly customer: string;
  readonly price: Price;
  /** The period on the line, unix seconds, half-open. */
  readonly start: number;
  readonly end: number;
  /** Usage before it is free: the stub before the first anchor when nothing is prorated. */
  readonly countedFrom: number;
}

/** What a new draft is made of. */
export interface DraftBasis {
  readonly customer: string;
  readonly currency: string;
  readonly billingReason:
    | 'manual'
    | 'subscription_create'
    | 'subscription_cycle'
    | 'subscription_update';
  readonly charges: readonly MeteredCharge[];
  /** The subscription and its metadata; null for an invoice of its own. */
  readonly subscription: { readonly id: string; readonly metadata: Stripe.Metadata } | null;
  readonly collectionMethod: Stripe.Invoice.CollectionMethod;
  readonly period: { readonly start: number; readonly end: number };
  readonly autoAdvance: boolean;
  readonly takesPendingItems: boolean;
}

/** A subscription to metered prices, and what the double must know that the API does not show. */
export interface Subscription {
  readonly id: string;
  shown: SubscriptionObject;
  readonly anchor: Anchor;
  /** Usage before it is free: the stub before the first anchor when nothing is prorated. */
  readonly countedFrom: number;
  /** Periods that ended before the subscription was made and wait for its next invoice. */
  backdated: readonly Period[];
}

/** A subscription as JSON carries it. */
export type SubscriptionObject = Omit<Stripe.Subscription, 'items'> & {
  readonly items: Omit<Stripe.ApiList<Stripe.SubscriptionItem>, 'data'> & {
    readonly data: readonly SubscriptionItem[];
  };
};

/** An item as JSON carries it: its price has decimals as text, and `plan` is left out. */
export type SubscriptionItem = Omit<Stripe.SubscriptionItem, 'price' | 'plan'> & {
  readonly price: Price;
};

/** Unix seconds, half-open. */
export interface Period {
  readonly start: number;
  readonly end: number;
}

/** An event of API v2: what is delivered has no `data`, which is fetched by the id. */
export interface ThinEvent extends Stripe.V2.Core.EventBase {
  readonly related_object?: { readonly id: string; readonly type: string; readonly url: string };
  readonly data: object;
}

/** An endpoint as stored: always with its secret, which the API shows only when it is created. */
export type WebhookEndpoint = Stripe.WebhookEndpoint & { readonly secret: string };

/** One event on its way to one endpoint. */
export interface Delivery {
  readonly endpointId: string;
  readonly type: string;
  /** The id of the object that a v1 event is about; null for a thin event. */
  readonly objectId: string | null;
  readonly body: string;
  readonly firstDueAt: InstantMs;
  readonly dueAt: InstantMs;
  readonly attempt: number;
}

/** An event that was answered 200 and then not counted. */
export interface Rejection {
  /** It is null where no meter has the event's name. */
  readonly meterId: string | null;
  readonly code: RejectionCode;
  readonly message: string;
  /** The idempotency key of its request, which is how a report names it. */
  readonly requestIdentifier: string;
  readonly rejectedAt: InstantMs;
}

export type RejectionCode = ReportData['reason']['error_types'][number]['code'];

export type ReportData = Stripe.Events.V1BillingMeterErrorReportTriggeredEvent.Data;
