import Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pause } from '../../src/clock.ts';
import { classifyFailure } from '../../src/stripe/stripe-client.ts';
import { type StripeDouble, startStripeDouble } from '../../src/stripe-double/stripe-double.ts';
import { readSandboxKey } from './sandbox-key.ts';

/**
 * What we rely on in Stripe, asked of the double in every run, and of a real sandbox where
 * STRIPE_SANDBOX_KEY is set: `STRIPE_SANDBOX_KEY=sk_test_… npx vitest run test/stripe/contract.test.ts`.
 * Each run makes a meter and customers of its own and deactivates and deletes them. What needs a day to
 * pass, or a month to end, is asked of the double alone.
 */
const SANDBOX_KEY = readSandboxKey();
const isSandbox = SANDBOX_KEY !== null;

/** A sandbox lags and limits; the double answers at once. */
const PATIENCE_MS = isSandbox ? 180_000 : 5_000;
const run = `contract${process.pid}x${process.hrtime.bigint()}`;

let double: StripeDouble | null = null;
let stripe: Stripe;
let meter: Stripe.Billing.Meter;
const customers: string[] = [];
const meters: string[] = [];

beforeAll(async () => {
  if (SANDBOX_KEY === null) {
    double = await startStripeDouble({ latencyMs: 5 });
    stripe = new Stripe(double.apiKey, {
      host: '127.0.0.1',
      port: double.port,
      protocol: 'http',
      maxNetworkRetries: 0,
    });
  } else {
    stripe = new Stripe(SANDBOX_KEY, { maxNetworkRetries: 0, timeout: 20_000 });
  }
  meter = await stripe.billing.meters.create({
    display_name: run,
    event_name: run,
    default_aggregation: { formula: 'sum' },
    customer_mapping: { type: 'by_id', event_payload_key: 'stripe_customer_id' },
    value_settings: { event_payload_key: 'value' },
  });
});

afterAll(async () => {
  for (const id of customers) await stripe.customers.del(id);
  for (const id of [meter.id, ...meters]) {
    await stripe.billing.meters.deactivate(id).catch(() => undefined);
  }
  await double?.close();
});

async function newCustomer(): Promise<string> {
  const { id } = await stripe.customers.create({ name: run });
  customers.push(id);
  return id;
}

interface Sent {
  readonly customer: string;
  readonly value?: string;
  readonly identifier: string;
  readonly timestamp?: number;
  readonly key?: string;
  readonly eventName?: string;
}

function send(event: Sent): Promise<Stripe.Billing.MeterEvent> {
  return stripe.billing.meterEvents.create(
    {
      event_name: event.eventName ?? run,
      identifier: event.identifier,
      payload: { stripe_customer_id: event.customer, value: event.value ?? '1' },
      ...(event.timestamp === undefined ? {} : { timestamp: event.timestamp }),
    },
    { idempotencyKey: event.key ?? event.identifier },
  );
}

async function failure(call: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  const error = await call.then(
    () => new Error('this was expected to fail'),
    (reason: unknown) => reason,
  );
  if (error instanceof Stripe.errors.StripeError) return error;
  throw error;
}

const nowSeconds = () => Math.floor(Date.now() / 1000);
const minute = (seconds: number) => Math.floor(seconds / 60) * 60;

async function usage(customer: string, meterId = meter.id): Promise<number> {
  const end = minute(nowSeconds()) + 60;
  const page = await stripe.billing.meters.listEventSummaries(meterId, {
    customer,
    start_time: end - 86_400,
    end_time: end,
  });
  return page.data.reduce((sum, row) => sum + row.aggregated_value, 0);
}

/** Another meter of this run, deactivated with the rest. */
async function newMeter(
  name: string,
  change: Partial<Stripe.Billing.MeterCreateParams> = {},
): Promise<Stripe.Billing.Meter> {
  const made = await stripe.billing.meters.create({
    display_name: name,
    event_name: name,
    default_aggregation: { formula: 'sum' },
    ...change,
  });
  meters.push(made.id);
  return made;
}

const atLast = (ask: () => Promise<void>) =>
  expect
    .poll(() => ask().then(() => true), { timeout: PATIENCE_MS, interval: isSandbox ? 5_000 : 50 })
    .toBe(true);

describe(isSandbox ? 'a sandbox' : 'the double', { timeout: PATIENCE_MS + 60_000 }, () => {
  test('answers a second event of the same identifier with 400 and a message that names it, without a code', async () => {
    const customer = await newCustomer();
    const identifier = `${run}-dup`;
    await send({ customer, identifier });

    const error = await failure(send({ customer, identifier, key: `${identifier}-other` }));

    expect(error.statusCode).toBe(400);
    expect(classifyFailure(error, identifier)).toMatchObject({ kind: 'delivered' });
    expect(classifyFailure(error, 'another')).toMatchObject({ kind: 'refused' });
  });

  test('takes an identifier once in the account, whichever customer it comes with', async () => {
    const identifier = `${run}-scope`;
    await send({ customer: await newCustomer(), identifier });
    const error = await failure(
      send({ customer: await newCustomer(), identifier, key: `${identifier}-other` }),
    );
    expect(classifyFailure(error, identifier)).toMatchObject({ kind: 'delivered' });
  });

  test('replays the first answer for the same key and body, and counts once', async () => {
    const customer = await newCustomer();
    const sent = {
      customer,
      identifier: `${run}-replay`,
      value: '5',
      timestamp: nowSeconds() - 120,
    };
    await send(sent);
    expect((await send(sent)).identifier).toBe(sent.identifier);
    await atLast(async () => expect(await usage(customer)).toBe(5));
  });

  test('refuses the same key with another body as an idempotency error', async () => {
    const customer = await newCustomer();
    const identifier = `${run}-body`;
    await send({ customer, identifier, timestamp: nowSeconds() - 60 });
    const error = await failure(
      send({ customer, identifier, value: '2', timestamp: nowSeconds() - 60 }),
    );
    expect(error).toBeInstanceOf(Stripe.errors.StripeIdempotencyError);
    expect(classifyFailure(error, identifier)).toMatchObject({ kind: 'refused' });
  });

  test('refuses an event of an unknown meter in words by which the push stops', async () => {
    const customer = await newCustomer();
    const identifier = `${run}-nometer`;
    const error = await failure(send({ customer, identifier, eventName: `${run}_unknown` }));
    expect(classifyFailure(error, identifier)).toMatchObject({ kind: 'systemic', isMeter: true });
  });

  test('refuses an event older than 35 days and one more than five minutes ahead', async () => {
    const customer = await newCustomer();
    const old = nowSeconds() - 36 * 86_400;
    const error = await failure(send({ customer, identifier: `${run}-old`, timestamp: old }));
    expect([error.statusCode, error.message]).toEqual([400, expect.stringContaining('35')]);
    const ahead = nowSeconds() + 3_600;
    const early = await failure(send({ customer, identifier: `${run}-early`, timestamp: ahead }));
    expect(early.statusCode).toBe(400);
  });

  test('refuses a value of 16 digits and takes one of 15', async () => {
    const customer = await newCustomer();
    const error = await failure(
      send({ customer, identifier: `${run}-16`, value: '1234567890123456' }),
    );
    expect(error.statusCode).toBe(400);
    await send({ customer, identifier: `${run}-15`, value: '999999999999999' });
    await atLast(async () => expect(await usage(customer)).toBe(999_999_999_999_999));
  });

  test('sums positive and negative values, and counts what lies on the start and not on the end', async () => {
    const customer = await newCustomer();
    await send({ customer, identifier: `${run}-plus`, value: '10' });
    await send({ customer, identifier: `${run}-minus`, value: '-4' });
    await atLast(async () => expect(await usage(customer)).toBe(6));
    const at = minute(nowSeconds()) - 600;
    const edge = await newCustomer();
    await send({ customer: edge, identifier: `${run}-edge`, value: '3', timestamp: at });
    const between = async (start: number, end: number) => {
      const question = { customer: edge, start_time: start, end_time: end };
      const page = await stripe.billing.meters.listEventSummaries(meter.id, question);
      return page.data.reduce((sum, row) => sum + row.aggregated_value, 0);
    };
    await atLast(async () => expect(await between(at, at + 60)).toBe(3));
    expect(await between(at - 60, at)).toBe(0);
  });

  test('answers two events of one customer and meter at once by one 409 or 429 at the most, and never counts wrongly', async () => {
    const customer = await newCustomer();
    const both = await Promise.allSettled([
      send({ customer, identifier: `${run}-first` }),
      send({ customer, identifier: `${run}-second` }),
    ]);
    const refused = both.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []));
    for (const error of refused) {
      expect(classifyFailure(error, `${run}-first`)).toMatchObject({ kind: 'unknown' });
    }
    await atLast(async () => expect(await usage(customer)).toBe(2 - refused.length));
  });

  test('knows no customer of another mode, and says that it is missing', async () => {
    const error = await failure(stripe.customers.retrieve('cus_of_another_mode'));
    expect(error.code).toBe('resource_missing');
  });

  test('refuses an event of a deactivated meter', async () => {
    const name = `${run}_off`;
    const other = await newMeter(name);
    await stripe.billing.meters.deactivate(other.id);
    const identifier = `${run}-off`;
    const error = await failure(
      send({ customer: await newCustomer(), identifier, eventName: name }),
    );
    expect(classifyFailure(error, identifier)).toMatchObject({ kind: 'systemic' });
  });

  test('takes an identifier once in the account, whichever meter it comes with', async () => {
    const identifier = `${run}-meters`;
    const other = await newMeter(`${run}_second`);
    await send({ customer: await newCustomer(), identifier });
    const again = { identifier, key: `${identifier}-other`, eventName: other.event_name };
    const error = await failure(send({ customer: await newCustomer(), ...again }));
    expect(classifyFailure(error, identifier)).toMatchObject({ kind: 'delivered' });
  });

  test('counts decimals and zero, and no value with an exponent', async () => {
    const customer = await newCustomer();
    await send({ customer, identifier: `${run}-decimal`, value: '0.25' });
    await send({ customer, identifier: `${run}-zero`, value: '0' });
    await send({ customer, identifier: `${run}-exponent`, value: '1e3' }).catch(() => undefined);
    await send({ customer, identifier: `${run}-whole`, value: '2' });
    await atLast(async () => expect(await usage(customer)).toBe(2.25));
  });

  test('takes the newest to arrive of a day, where a meter keeps one for each day', async () => {
    const name = `${run}_day`;
    const daily = await newMeter(name, { event_time_window: 'day' });
    const customer = await newCustomer();
    // Both of yesterday, so that no midnight comes between them.
    const noon = Math.floor(nowSeconds() / 86_400) * 86_400 - 43_200;
    const at = (identifier: string, value: string, timestamp: number) =>
      send({ customer, identifier: `${run}-day-${identifier}`, value, timestamp, eventName: name });
    await at('first', '7', noon);
    await at('second', '5', noon - 60);
    const end = Math.floor(nowSeconds() / 86_400) * 86_400;
    await atLast(async () => {
      const question = { customer, start_time: end - 86_400, end_time: end };
      const page = await stripe.billing.meters.listEventSummaries(daily.id, question);
      expect(page.data.map((row) => row.aggregated_value)).toEqual([5]);
    });
  });

  test('takes the latest timestamp, where a meter keeps the last', async () => {
    const name = `${run}_last`;
    const last = await newMeter(name, { default_aggregation: { formula: 'last' } });
    const customer = await newCustomer();
    const eventName = name;
    const now = nowSeconds();
    await send({ customer, identifier: `${run}-l1`, value: '7', timestamp: now - 60, eventName });
    await send({ customer, identifier: `${run}-l2`, value: '5', timestamp: now - 120, eventName });
    await atLast(async () => expect(await usage(customer, last.id)).toBe(7));
  });

  test('counts nothing for a customer that does not exist, whether it says so at once or later', async () => {
    const sent = { customer: 'cus_none_of_ours', identifier: `${run}-nobody`, value: '1' };
    const answer = await send(sent).then(
      () => 'accepted',
      (error: unknown) => classifyFailure(error, sent.identifier).kind,
    );
    expect(['accepted', 'refused']).toContain(answer);
  });

  test('bills unbilled usage at a cancellation with invoice_now, half a cent rounded up, and none without', async () => {
    const price = await stripe.prices.create({
      currency: 'usd',
      product_data: { name: run },
      unit_amount_decimal: Stripe.Decimal.from('0.0001'),
      recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
    });
    const canceled = async (value: string, invoiceNow: boolean) => {
      const customer = await newCustomer();
      const { id } = await stripe.subscriptions.create({
        customer,
        items: [{ price: price.id }],
        collection_method: 'send_invoice',
        days_until_due: 30,
      });
      await send({ customer, identifier: `${run}-${value}-${invoiceNow}`, value });
      await atLast(async () => expect(await usage(customer)).toBe(Number(value)));
      // The last period ends with the cancellation, and usage of that very second is not in it.
      await pause(1_100);
      await stripe.subscriptions.cancel(id, invoiceNow ? { invoice_now: true } : {});
      const { data } = await stripe.invoices.list({ customer, limit: 10 });
      return data.flatMap((invoice) => invoice.lines.data).map((line) => line.amount);
    };
    // 15,000 micro-dollars are 1.5 cents.
    expect(await canceled('15000', true)).toContain(2);
    expect(await canceled('25000', false)).not.toContain(3);
  });

  test.skipIf(!isSandbox)('is a sandbox (skipped where STRIPE_SANDBOX_KEY is not set)', () => {
    expect(meter.livemode).toBe(false);
  });
});

describe('the key of a sandbox', () => {
  test('is never a live one', () => {
    for (const key of ['sk_live_1', 'rk_live_1', 'whsec_1', 'pk_test_1']) {
      expect(() => readSandboxKey(key)).toThrow('must be a test key');
    }
    expect(readSandboxKey('rk_test_1')).toBe('rk_test_1');
    expect(readSandboxKey('')).toBeNull();
  });
});
