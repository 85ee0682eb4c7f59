import Stripe from 'stripe';
import { onTestFinished } from 'vitest';
import {
  type StripeDouble,
  type StripeDoubleOptions,
  startStripeDouble,
} from '../../src/stripe-double/stripe-double.ts';

/**
 * A double for one test, with the real SDK as its client; its clock stands
 * still unless the test moves it; closed when the test is over.
 */
export async function openDouble(options: StripeDoubleOptions = {}): Promise<StripeDouble> {
  const double = await startStripeDouble({ latencyMs: 0, frozen: true, ...options });
  onTestFinished(() => double.close());
  return double;
}

export function clientOf(double: StripeDouble, apiKey = double.apiKey): Stripe {
  return new Stripe(apiKey, {
    host: '127.0.0.1',
    port: double.port,
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
  });
}

export interface Scene {
  readonly double: StripeDouble;
  readonly stripe: Stripe;
  readonly meter: Stripe.Billing.Meter;
  readonly customer: string;
}

export type MeterChange = Partial<Stripe.Billing.MeterCreateParams>;

/** A double with one customer and one meter, `usage`, that sums unless the test says otherwise. */
export async function openScene(
  options: StripeDoubleOptions = {},
  meterChange: MeterChange = {},
): Promise<Scene> {
  const customer = 'cus_acme';
  const double = await openDouble({ seed: { customers: [{ id: customer }] }, ...options });
  const stripe = clientOf(double);
  const meter = await stripe.billing.meters.create({
    display_name: 'Usage',
    event_name: 'usage',
    default_aggregation: { formula: 'sum' },
    ...meterChange,
  });
  return { double, stripe, meter, customer };
}

export interface SentEvent {
  readonly value: string;
  /** An RFC 3339 instant; by default the event has no timestamp, which means now. */
  readonly at?: string;
  readonly identifier?: string;
  readonly customer?: string;
}

export function sendEvent(
  { stripe, customer }: Scene,
  event: SentEvent,
  options: Stripe.RequestOptions = {},
): Promise<Stripe.Billing.MeterEvent> {
  return stripe.billing.meterEvents.create(
    {
      event_name: 'usage',
      payload: { stripe_customer_id: event.customer ?? customer, value: event.value },
      ...(event.identifier === undefined ? {} : { identifier: event.identifier }),
      ...(event.at === undefined ? {} : { timestamp: unix(event.at) }),
    },
    options,
  );
}

/** The usage of a range, as the one summary row for it says. */
export async function usageOf(scene: Scene, from: string, to: string): Promise<number | undefined> {
  const page = await scene.stripe.billing.meters.listEventSummaries(scene.meter.id, {
    customer: scene.customer,
    start_time: unix(from),
    end_time: unix(to),
  });
  return page.data[0]?.aggregated_value;
}

/** Unix seconds of an RFC 3339 instant. */
export function unix(instant: string): number {
  return ms(instant) / 1000;
}

/** Epoch milliseconds of an RFC 3339 instant. */
export function ms(instant: string): number {
  return Date.parse(instant);
}

/** What a call that must fail was refused with. */
export async function refusalOf(
  call: Promise<unknown>,
): Promise<InstanceType<typeof Stripe.errors.StripeError>> {
  const outcome = await call.then(
    () => new Error('the call was expected to fail'),
    (error: unknown) => error,
  );
  if (outcome instanceof Stripe.errors.StripeError) return outcome;
  throw outcome;
}

/** A metered monthly price of the scene's meter; by default a micro-dollar a unit. */
export function createPrice(
  { stripe, meter }: Scene,
  unitAmount = '0.0001',
  currency = 'usd',
): Promise<Stripe.Price> {
  return stripe.prices.create({
    currency,
    product_data: { name: 'Usage' },
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
    unit_amount_decimal: Stripe.Decimal.from(unitAmount),
  });
}

/** The anchor of UTC calendar months. */
export const FIRST_OF_MONTH = { day_of_month: 1, hour: 0, minute: 0, second: 0 } as const;

export const HOUR_MS = 60 * 60 * 1000;
