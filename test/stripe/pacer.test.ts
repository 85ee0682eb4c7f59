import Stripe from 'stripe';
import { expect, test } from 'vitest';
import { pacedHttpClient } from '../../src/stripe/pacer.ts';
import { openDouble } from '../support/stripe.ts';

test('every request waits for its turn: meter events for the one, all others for the other', async () => {
  const double = await openDouble();
  const turns: string[] = [];
  const pacers = {
    meterEvents: async () => void turns.push('meter event'),
    others: async () => void turns.push('other'),
  };
  const stripe = new Stripe(double.apiKey, {
    host: '127.0.0.1',
    port: double.port,
    protocol: 'http',
    httpClient: pacedHttpClient(Stripe.createNodeHttpClient(), pacers),
  });

  await stripe.customers.list({ limit: 1 });
  const payload = { stripe_customer_id: 'cus_acme', value: '1' };
  await stripe.billing.meterEvents.create({ event_name: 'none', payload }).catch(() => undefined);

  expect(turns).toEqual(['other', 'meter event']);
});
