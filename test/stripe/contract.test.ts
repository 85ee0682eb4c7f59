import Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pause } from '../../src/clock.ts';
import { classifyFailure } from '../../src/stripe/meters/meter-event.ts';
import { minorPerMicro } from '../../src/stripe/meters/set-up-meter.ts';
import { type StripeDouble, startStripeDouble } from '../../src/stripe-double/stripe-double.ts';
import { explainFirstRefusal, readSandboxKey } from './sandbox-key.ts';

/**
 * What we rely on in Stripe, asked of the double in every run, and of a real sandbox where
 * STRIPE_SANDBOX_KEY is set: `STRIPE_SANDBOX_KEY=sk_test_… npx vitest run test/stripe/contract.test.ts`.
 * Each run makes meters, prices and customers of its own and deactivates or deletes them. What needs a day to
 * pass, or a month to end, is asked of the double alone (test/stripe-double): an identifier after 25
 * hours, the windows of idempotency, the invoice after a voided one.
 */
const SANDBOX_KEY = readSandboxKey();
const isSandbox = SANDBOX_KEY !== null;

/** A sandbox lags and limits; the double answers at once. */
const PATIENCE_MS = isSandbox ? 180_000 : 5_000;
const run = `contract${process.pid}x${process.hrtime.bigint()}`;

let double: StripeDouble | null = null;
let stripe: Stripe;
let meter: Stripe.Billing.Meter;
/** Its units are micro-dollars, as ours are. */
let price: Stripe.Price;
const customers: string[] = [];
const meters: string[] = [];
const prices: Stripe.Price[] = [];

beforeAll(async () => {
  if (SANDBOX_KEY === null) {
    console.log('the sandbox is skipped, since STRIPE_SANDBOX_KEY is not set; the double is asked');
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
  meter = await explainFirstRefusal(() =>
    newMeter(run, {
      customer_mapping: { type: 'by_id', event_payload_key: 'stripe_customer_id' },
      value_settings: { event_payload_key: 'value' },
    }),
  );
  price = await priceIn('USD');
});

afterAll(async () => {
  for (const id of customers) await stripe.customers.del(id);
  for (const { id, product } of prices) {
    await stripe.prices.update(id, { active: false });
    await stripe.products.update(String(product), { active: false });
  }
  for (const id of meters) await stripe.billing.meters.deactivate(id).catch(() => undefined);
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

function send(event: Sent): Promise<Stripe.Response<Stripe.Billing.MeterEvent>> {
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

const nowSeconds = () => Math.floor((double?.control.now() ?? Date.now()) / 1000);
/** A sandbox is waited for; the double's clock is moved. */
const pass = async (milliseconds: number): Promise<void> => {
  if (double === null) await pause(milliseconds);
  else await double.control.advanceClock(milliseconds);
};
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

async function priceIn(currency: string): Promise<Stripe.Price> {
  const made = await stripe.prices.create({
    currency: currency.toLowerCase(),
    product_data: { name: run },
    unit_amount_decimal: Stripe.Decimal.from(minorPerMicro(currency)),
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
  });
  prices.push(made);
  return made;
}

/** Of a new customer, whose invoices nobody has to pay. */
async function subscribe(change: Partial<Stripe.SubscriptionCreateParams> = {}) {
  const customer = await newCustomer();
  const subscription = await stripe.subscriptions.create({
    customer,
    items: [{ price: price.id }],
    collection_method: 'send_invoice',
    days_until_due: 30,
    ...change,
  });
  return { customer, subscription };
}

/** The amounts of a final invoice's lines; a draft is finalized for it. */
async function finalAmounts(invoice: Stripe.Invoice): Promise<readonly number[]> {
  const { id = '', status } = invoice;
  const final = status === 'draft' ? await stripe.invoices.finalizeInvoice(id) : invoice;
  return final.lines.data.map((line) => line.amount);
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
      expect([409, 429]).toContain(error.statusCode);
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

  test('counts nothing for a customer that does not exist or was deleted, whether it says so at once or later', async () => {
    const deleted = await newCustomer();
    await stripe.customers.del(customers.pop() ?? deleted);
    for (const customer of ['cus_none_of_ours', deleted]) {
      const sent = { customer, identifier: `${run}-${customer}`, value: '1' };
      const answer = await send(sent).then(
        () => 'accepted',
        (error: unknown) => classifyFailure(error, sent.identifier).kind,
      );
      expect(['accepted', 'refused']).toContain(answer);
    }
  });

  test('says of a replayed answer that it is one', async () => {
    const sent = {
      customer: await newCustomer(),
      identifier: `${run}-header`,
      timestamp: nowSeconds() - 60,
    };
    expect((await send(sent)).lastResponse.headers['idempotent-replayed']).toBeUndefined();
    expect((await send(sent)).lastResponse.headers['idempotent-replayed']).toBe('true');
  });

  test('bills unbilled usage at a cancellation with invoice_now, half a cent rounded up and a negative sum as nothing, and none without', async () => {
    const canceled = async (value: string, invoiceNow: boolean) => {
      const { customer, subscription } = await subscribe();
      await send({ customer, identifier: `${run}-${value}-${invoiceNow}`, value });
      await atLast(async () => expect(await usage(customer)).toBe(Number(value)));
      // The last period ends with the cancellation, and usage of that very second is not in it.
      await pass(1_100);
      await stripe.subscriptions.cancel(subscription.id, invoiceNow ? { invoice_now: true } : {});
      const { data } = await stripe.invoices.list({ customer, limit: 10 });
      return (await Promise.all(data.map(finalAmounts))).flat();
    };
    // 15,000 micro-dollars are 1.5 cents.
    expect(await canceled('15000', true)).toContain(2);
    expect((await canceled('-15000', true)).filter((amount) => amount !== 0)).toEqual([]);
    expect(await canceled('25000', false)).not.toContain(3);
  });

  test('bills what arrives for a held draft when that is finalized by hand, and nothing that comes later', {
    timeout: 5 * PATIENCE_MS + 60_000,
  }, async () => {
    const anchor = nowSeconds() + 120;
    const { customer } = await subscribe({ billing_cycle_anchor: anchor });
    const dated = { customer, timestamp: anchor - 1 };
    // Ahead of the present, as Stripe allows for five minutes.
    await send({ ...dated, identifier: `${run}-before`, value: '20000' });
    await pass(125_000);
    let draft = '';
    await atLast(async () => {
      const { data } = await stripe.invoices.list({ customer, status: 'draft' });
      draft = data.find((invoice) => invoice.billing_reason === 'subscription_cycle')?.id ?? '';
      expect(draft).not.toBe('');
    });
    await stripe.invoices.update(draft, { auto_advance: false });
    const end = minute(anchor) + 60;
    const counted = async () => {
      const question = { customer, start_time: end - 3_600, end_time: end };
      const page = await stripe.billing.meters.listEventSummaries(meter.id, question);
      return page.data.reduce((sum, row) => sum + row.aggregated_value, 0);
    };
    await send({ ...dated, identifier: `${run}-draft`, value: '30000' });
    await atLast(async () => expect(await counted()).toBe(50_000));

    // 20,000 and 30,000 micro-dollars are 5 cents.
    expect(await finalAmounts(await stripe.invoices.retrieve(draft))).toEqual([5]);
    await send({ ...dated, identifier: `${run}-late`, value: '70000' });
    await atLast(async () => expect(await counted()).toBe(120_000));
    expect(await finalAmounts(await stripe.invoices.retrieve(draft))).toEqual([5]);
  });

  test('begins a cycle at the time of day of its start where only the day is configured', async () => {
    const { subscription } = await subscribe({ billing_cycle_anchor_config: { day_of_month: 1 } });
    const { billing_cycle_anchor: anchor, start_date: start } = subscription;
    expect(new Date(anchor * 1000).getUTCDate()).toBe(1);
    expect(anchor % 86_400).toBe(start % 86_400);
  });

  test.each(['USD', 'EUR', 'GBP', 'JPY', 'KRW', 'ISK', 'UGX', 'HUF', 'TWD', 'KWD', 'TND'])(
    'keeps the price of a micro unit exactly in %s',
    async (currency) => {
      const { unit_amount_decimal: kept } = await priceIn(currency);
      expect(kept?.toString()).toBe(minorPerMicro(currency));
    },
  );

  test.skipIf(!isSandbox)(
    'measures time limits of usage for a customer of a test clock (sandbox only)',
    async () => {
      const frozen = nowSeconds() - 40 * 86_400;
      const clock = await stripe.testHelpers.testClocks.create({ frozen_time: frozen });
      try {
        const { id: customer } = await stripe.customers.create({ test_clock: clock.id });
        const sent = { customer, identifier: `${run}-clocked`, timestamp: frozen - 60 };
        const answer = await send(sent).then(
          () => 'by the test clock',
          (error: unknown) => `by the true time: ${String(error)}`,
        );
        // Nothing of ours rests on it; whoever tests with clocks wants to know.
        console.log(`usage of a customer with a test clock is dated ${answer}`);
      } finally {
        await stripe.testHelpers.testClocks.del(clock.id);
      }
    },
  );

  test.skipIf(!isSandbox)('is a sandbox (skipped where STRIPE_SANDBOX_KEY is not set)', () => {
    expect(meter.livemode).toBe(false);
  });
});

describe('the key of a sandbox', () => {
  test('that Stripe refuses, or that cannot reach it, ends the suite by one message', async () => {
    const refusing = await startStripeDouble({ latencyMs: 0 });
    const { port } = refusing;
    const client = new Stripe('sk_test_wrong', {
      host: '127.0.0.1',
      port,
      protocol: 'http',
      maxNetworkRetries: 0,
    });
    const ask = () => explainFirstRefusal(() => client.billing.meters.list());
    refusing.control.injectFault({ kind: 'error', status: 401, message: 'Invalid API Key.' });
    await expect(ask()).rejects.toThrow('Stripe refuses STRIPE_SANDBOX_KEY (401); give a test key');
    await refusing.close();
    await expect(ask()).rejects.toThrow(/cannot be reached with STRIPE_SANDBOX_KEY.*ECONNREFUSED/);
  });

  test('is never a live one', () => {
    for (const key of ['sk_live_1', 'rk_live_1', 'whsec_1', 'pk_test_1']) {
      expect(() => readSandboxKey(key)).toThrow('must be a test key');
    }
    expect(readSandboxKey('rk_test_1')).toBe('rk_test_1');
    expect(readSandboxKey('')).toBeNull();
  });
});
