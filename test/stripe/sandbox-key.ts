import Stripe from 'stripe';
import { reasonOf } from '../../src/stripe/stripe-client.ts';

/**
 * The key of a real sandbox; null where none is set, so that only the double is asked. Throws on a live
 * key, and on anything else: the tests against a sandbox make and delete objects.
 */
export function readSandboxKey(value = process.env['STRIPE_SANDBOX_KEY']): string | null {
  if (value === undefined || value === '') return null;
  if (/^[sr]k_test_/.test(value)) return value;
  throw new Error('STRIPE_SANDBOX_KEY must be a test key: this suite makes and delete objects');
}

/** The first request tells whether there is a sandbox at all; the other tests would all fail alike. */
export async function explainFirstRefusal<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeError)) throw error;
    const { statusCode, message } = error;
    throw new Error(
      statusCode === undefined
        ? `Stripe cannot be reached with STRIPE_SANDBOX_KEY: ${reasonOf(error)}`
        : `Stripe refuses STRIPE_SANDBOX_KEY (${statusCode}); give a test key that may write meters, products, prices, customers, subscriptions and invoices. Stripe says: ${message}`,
    );
  }
}
