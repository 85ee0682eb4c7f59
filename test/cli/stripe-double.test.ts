import { once } from 'node:events';
import Stripe from 'stripe';
import { expect, onTestFinished, test } from 'vitest';
import { startStripeDouble } from '../../src/stripe-double/stripe-double.ts';
import { cli, startCli } from '../support/cli.ts';

interface Started {
  readonly url: string;
  readonly api_key: string;
}

/** `spanledger stripe-double` as another project starts it: by its command, and read from its stdout. */
async function startDouble() {
  const process = startCli(['stripe-double', '--port', '0', '--json']);
  const [document] = await once(process.child.stdout ?? process.child, 'data');
  const started: Started = JSON.parse(String(document));
  const control = async (path: string, body: object) => {
    const request = { method: 'POST', body: JSON.stringify(body) };
    return (await fetch(`${started.url}/_double/${path}`, request)).json();
  };
  return { ...process, started, control };
}

test('the command serves a double in which a month passes when it is told to, and ends by a signal', async () => {
  const { started, control, kill, finished } = await startDouble();
  const { hostname: host, port } = new URL(started.url);
  const stripe = new Stripe(started.api_key, { host, port, protocol: 'http' });
  await control('clock', { now: '2026-10-01T00:00:00Z' });
  await control('customers', { id: 'cus_acme' });
  const meter = await stripe.billing.meters.create({
    display_name: 'Usage',
    event_name: 'usage',
    default_aggregation: { formula: 'sum' },
  });
  const price = await stripe.prices.create({
    currency: 'usd',
    product_data: { name: 'Usage' },
    unit_amount_decimal: Stripe.Decimal.from('0.0001'),
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
  });
  await stripe.subscriptions.create({
    customer: 'cus_acme',
    items: [{ price: price.id }],
    billing_cycle_anchor_config: { day_of_month: 1, hour: 0, minute: 0, second: 0 },
  });
  await control('clock', { advance_ms: 86_400_000 });
  await stripe.billing.meterEvents.create({
    event_name: 'usage',
    payload: { stripe_customer_id: 'cus_acme', value: '2075000' },
  });

  await control('clock', { now: '2026-11-01T02:00:00Z' });

  const [invoice] = (await stripe.invoices.list({ customer: 'cus_acme', status: 'open' })).data;
  // 2,075,000 units at 0.0001 cents are 207.5 cents, and half a cent is rounded up.
  expect([invoice?.billing_reason, invoice?.total]).toEqual(['subscription_cycle', 208]);
  kill('SIGTERM');
  expect(await finished).toMatchObject({ exitCode: 0, stderr: '' });
});

test('the command names a port that it cannot have', async () => {
  const double = await startStripeDouble();
  onTestFinished(() => double.close());
  const taken = await cli(['stripe-double', '--port', String(double.port)]);
  expect(taken).toMatchObject({ exitCode: 2, stdout: '' });
  expect(taken.stderr).toBe(
    `error: port ${double.port} is taken by another process\n  give another one with --port, or 0 for one that is free\n`,
  );
  const beyond = await cli(['stripe-double', '--port', '65536']);
  expect(beyond.stderr).toContain('give a port, 1 to 65535, or 0 for one that is free');
  expect(beyond.exitCode).toBe(2);
});
