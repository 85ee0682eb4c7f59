import Stripe from 'stripe';
import type { StripeDouble } from '../../src/stripe-double/stripe-double.ts';

/** The real SDK with the same settings as ours, over an HTTP client of the test's. */
export function sdkOver(
  double: StripeDouble,
  httpClient: Stripe.HttpClient,
  timeout = 20_000,
): Stripe {
  return new Stripe(double.apiKey, {
    host: '127.0.0.1',
    port: double.port,
    protocol: 'http',
    maxNetworkRetries: 0,
    timeout,
    telemetry: false,
    httpClient,
  });
}
