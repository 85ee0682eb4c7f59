import { describe, expect, it } from 'vitest';
import { clientOf, ms, openDouble, openScene, refusalOf, sendEvent, unix } from './scene.ts';

interface Answer {
  readonly [field: string]: unknown;
  readonly now_iso: string;
  readonly error: string;
  readonly known: readonly string[];
  readonly secret: string;
  readonly accounts: readonly { readonly customers: readonly object[] }[];
}

/** Calls the control API; the fields of the answer are those that some answer has. */
async function call<Body = Answer>(url: string, method: string, path: string, body?: object) {
  const response = await fetch(`${url}/_double/${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Body };
}

describe('the clock of a double', () => {
  it('follows the system clock until it is moved, and then by an offset', async () => {
    const { control } = await openDouble({ frozen: false });
    const before = Date.now();
    expect(control.now()).toBeGreaterThanOrEqual(before);
    await control.setClock(ms('2030-01-01T00:00:00Z'));
    expect(control.now()).toBeGreaterThanOrEqual(ms('2030-01-01T00:00:00Z'));
    await control.advanceClock(60_000);
    expect(control.now()).toBeGreaterThanOrEqual(ms('2030-01-01T00:01:00Z'));
    expect(control.now()).toBeLessThan(ms('2030-01-01T01:00:00Z'));
  });

  it('stands still when it is frozen, and can be moved all the same', async () => {
    const { control } = await openDouble({ frozen: true, now: ms('2030-01-01T00:00:00Z') });
    await control.advanceClock(1);
    await control.settle();
    expect(control.now()).toBe(ms('2030-01-01T00:00:00.001Z'));
  });

  it('dates what the API makes', async () => {
    const { stripe } = await openScene({ now: ms('2030-01-01T00:00:00Z') });
    const { created } = await stripe.customers.create();
    expect(created).toBe(unix('2030-01-01T00:00:00Z'));
  });
});

describe('the control API over HTTP', () => {
  it('moves the clock to an instant, or by some milliseconds', async () => {
    const { url } = await openDouble();
    const moved = await call(url, 'POST', 'clock', { now: '2030-01-01T00:00:00Z' });
    expect(moved.body.now_iso).toBe('2030-01-01T00:00:00.000Z');
    const epoch = await call(url, 'POST', 'clock', { now: ms('2031-01-01T00:00:00Z') });
    expect(epoch.body.now_iso).toBe('2031-01-01T00:00:00.000Z');
    const advanced = await call(url, 'POST', 'clock', { advance_ms: 86_400_000 });
    expect(advanced.body.now_iso).toBe('2031-01-02T00:00:00.000Z');
  });

  it('injects a fault, and says what is wrong with one', async () => {
    const scene = await openScene();
    const fault = { kind: 'error', match: { path: '/v1/customers' }, status: 403 };
    await call(scene.double.url, 'POST', 'faults', fault);
    expect(await refusalOf(scene.stripe.customers.create())).toMatchObject({ statusCode: 403 });
    const wrong = await call(scene.double.url, 'POST', 'faults', { kind: 'earthquake' });
    expect(wrong.status).toBe(400);
    expect(wrong.body.error).toMatch(/kind/);
  });

  it('shows the meter events that count and the requests that came', async () => {
    const scene = await openScene();
    await sendEvent(scene, { value: '1.50', identifier: 'one' }, { idempotencyKey: 'key' });
    const events = await call(scene.double.url, 'GET', 'meter_events');
    expect(events.body).toMatchObject([
      { identifier: 'one', value: '1.5', customer: 'cus_acme', event_name: 'usage' },
    ]);
    const requests = await call<object[]>(scene.double.url, 'GET', 'requests');
    expect(requests.body.at(-1)).toMatchObject({
      method: 'POST',
      path: '/v1/billing/meter_events',
      idempotency_key: 'key',
      status: 200,
    });
  });

  it('changes the settings, and adds customers and webhook endpoints', async () => {
    const scene = await openScene();
    const { url, control } = scene.double;
    await call(url, 'POST', 'settings', { summary_lag_ms: 5000, async_validation: false });
    expect(control.settings()).toMatchObject({ summaryLagMs: 5000, asyncValidation: false });
    await call(url, 'POST', 'customers', { id: 'cus_chosen', name: 'Chosen' });
    expect((await scene.stripe.customers.retrieve('cus_chosen')).id).toBe('cus_chosen');
    const endpoint = await call(url, 'POST', 'webhook_endpoints', { url: 'http://127.0.0.1:9/' });
    expect(endpoint.body.secret).toMatch(/^whsec_/);
    const state = await call(url, 'GET', 'state');
    expect(state.body.accounts[0]?.customers).toHaveLength(2);
  });

  it('empties the double', async () => {
    const scene = await openScene({ now: ms('2026-10-15T12:00:00Z') });
    await sendEvent(scene, { value: '1' });
    await scene.double.control.advanceClock(1_000_000_000);
    await call(scene.double.url, 'POST', 'reset');
    expect(scene.double.control.meterEvents()).toEqual([]);
    expect(scene.double.control.now()).toBe(ms('2026-10-15T12:00:00Z'));
    // The seeded customer is there again, the meter is not.
    expect((await scene.stripe.customers.list()).data).toHaveLength(1);
    expect((await scene.stripe.billing.meters.list()).data).toEqual([]);
  });

  it('names what it knows when asked for something else', async () => {
    const { url } = await openDouble();
    const answer = await call(url, 'GET', 'weather');
    expect(answer.status).toBe(404);
    expect(answer.body.known).toContain('POST clock');
  });
});

describe('a key', () => {
  it('of live mode is refused, so that nobody sends a real one to a double', async () => {
    const double = await openDouble();
    const refusal = await refusalOf(clientOf(double, 'sk_live_123').customers.list());
    expect(refusal).toMatchObject({ type: 'StripeAuthenticationError', statusCode: 401 });
    expect(refusal.message).toMatch(/refuses live keys/);
  });

  it.each(['sk_test_a', 'rk_test_b'])(
    'of test mode is an account of its own: %s',
    async (apiKey) => {
      const { double, stripe } = await openScene();
      const other = clientOf(double, apiKey);
      expect((await other.customers.list()).data).toEqual([]);
      await other.customers.create();
      expect((await other.customers.list()).data).toHaveLength(1);
      expect((await stripe.customers.list()).data).toHaveLength(1);
    },
  );

  it('of no known form is refused', async () => {
    const double = await openDouble();
    const refusal = await refusalOf(clientOf(double, 'secret').customers.list());
    expect(refusal).toMatchObject({ statusCode: 401 });
  });

  it('may be a user name, as curl -u sends it', async () => {
    const double = await openDouble();
    const asUser = async (key: string) => {
      const authorization = `Basic ${Buffer.from(`${key}:`).toString('base64')}`;
      return (await fetch(`${double.url}/v1/customers`, { headers: { authorization } })).status;
    };
    expect([await asUser('sk_test_a'), await asUser('sk_live_a'), await asUser('')]).toEqual([
      200, 401, 401,
    ]);
  });
});

it('frees its port when it is closed, and refuses one that is taken', async () => {
  const first = await openDouble();
  await expect(openDouble({ port: first.port })).rejects.toThrow(/EADDRINUSE/);
  await first.close();
  expect((await openDouble({ port: first.port })).port).toBe(first.port);
});

it('answers with the headers that the SDK reads', async () => {
  const { stripe } = await openScene();
  const { lastResponse } = await stripe.customers.create({}, { idempotencyKey: 'key' });
  expect(lastResponse.requestId).toMatch(/^req_/);
  expect(lastResponse.idempotencyKey).toBe('key');
  expect(lastResponse.apiVersion).toBe('2026-10-28.endive');
});

it('says so when a request is for something that it does not serve', async () => {
  const { stripe } = await openScene();
  const refusal = await refusalOf(stripe.coupons.list());
  expect(refusal).toMatchObject({ statusCode: 404 });
  expect(refusal.message).toMatch(/the Stripe double does not serve/);
});
