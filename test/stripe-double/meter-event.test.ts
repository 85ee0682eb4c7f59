import { describe, expect, it } from 'vitest';
import { clientOf, HOUR_MS, ms, openScene, refusalOf, sendEvent, unix, usageOf } from './scene.ts';

const NOW = ms('2026-10-15T12:00:00Z');
const DAY = ['2026-10-15T00:00:00Z', '2026-10-16T00:00:00Z'] as const;

describe('a meter event', () => {
  it('is answered as it was sent, without an id', async () => {
    const scene = await openScene({ now: NOW });
    const event = await sendEvent(scene, {
      value: '42',
      identifier: 'first',
      at: '2026-10-15T11:00:00Z',
    });
    expect(event).toMatchObject({
      object: 'billing.meter_event',
      event_name: 'usage',
      identifier: 'first',
      livemode: false,
      payload: { stripe_customer_id: 'cus_acme', value: '42' },
      timestamp: unix('2026-10-15T11:00:00Z'),
    });
    expect(event).not.toHaveProperty('id');
  });

  it('gets an identifier and the present as its timestamp when it brings none', async () => {
    const scene = await openScene({ now: NOW });
    const event = await sendEvent(scene, { value: '1' });
    expect(event.identifier).not.toBe('');
    expect(event.timestamp).toBe(NOW / 1000);
  });

  it('with an identifier sent before is a 400 that only its message tells, and is not to be retried', async () => {
    const scene = await openScene({ now: NOW });
    await sendEvent(scene, { value: '1', identifier: 'same' });
    const refusal = await refusalOf(sendEvent(scene, { value: '2', identifier: 'same' }));
    expect(refusal).toMatchObject({
      type: 'StripeInvalidRequestError',
      statusCode: 400,
      message: 'An event already exists with identifier same.',
      code: undefined,
    });
    expect(refusal.headers?.['stripe-should-retry']).toBe('false');
    expect(scene.double.control.meterEvents()).toHaveLength(1);
  });

  it('is a duplicate within 24 hours, and counts again after them', async () => {
    const scene = await openScene({ now: NOW });
    const event = { value: '10', identifier: 'same', at: '2026-10-15T11:00:00Z' };
    await sendEvent(scene, event);

    await scene.double.control.advanceClock(24 * HOUR_MS - 1);
    expect(await refusalOf(sendEvent(scene, event))).toMatchObject({ statusCode: 400 });
    expect(await usageOf(scene, ...DAY)).toBe(10);

    await scene.double.control.advanceClock(1);
    await sendEvent(scene, event);
    expect(await usageOf(scene, ...DAY)).toBe(20);
  });

  it('may have the identifier of an event of another account', async () => {
    const scene = await openScene({ now: NOW });
    await sendEvent(scene, { value: '1', identifier: 'same' });
    const other = clientOf(scene.double, 'sk_test_other');
    const { id } = await other.customers.create();
    await other.billing.meters.create({
      display_name: 'Usage',
      event_name: 'usage',
      default_aggregation: { formula: 'sum' },
    });
    await other.billing.meterEvents.create({
      event_name: 'usage',
      identifier: 'same',
      payload: { stripe_customer_id: id, value: '1' },
    });
    expect(scene.double.control.meterEvents().map(({ apiKey }) => apiKey)).toEqual([
      'sk_test_double',
      'sk_test_other',
    ]);
  });

  it('is refused when it is over 35 days old, with the oldest timestamp that is taken', async () => {
    const scene = await openScene({ now: NOW });
    const refusal = await refusalOf(sendEvent(scene, { value: '1', at: '2026-09-10T11:59:59Z' }));
    expect(refusal.message).toMatch(
      /^The event timestamp cannot be more than 35 days in past\. Expected a timestamp greater than or equal to \d+\.$/,
    );
    expect(refusal.message).toContain(String(unix('2026-09-10T12:00:00Z')));
    await sendEvent(scene, { value: '1', at: '2026-09-10T12:00:00Z' });
  });

  it('is refused when it is more than five minutes ahead', async () => {
    const scene = await openScene({ now: NOW });
    await sendEvent(scene, { value: '1', at: '2026-10-15T12:05:00Z' });
    const refusal = await refusalOf(sendEvent(scene, { value: '1', at: '2026-10-15T12:05:01Z' }));
    expect(refusal).toMatchObject({ statusCode: 400 });
    expect(refusal.message).toMatch(/5 minutes in the future/);
  });

  it.each(['123456789012345', '0.123456789012345', '-12345.6789012345', '123456789012345000'])(
    'may have 15 significant digits: %s',
    async (value) => {
      const scene = await openScene({ now: NOW });
      await sendEvent(scene, { value });
      expect(scene.double.control.meterEvents()[0]?.value).toBe(value);
    },
  );

  it.each(['1234567890123456', '1.234567890123456'])(
    'may not have 16 significant digits: %s',
    async (value) => {
      const scene = await openScene({ now: NOW });
      const refusal = await refusalOf(sendEvent(scene, { value }));
      expect(refusal).toMatchObject({ statusCode: 400, code: undefined });
      expect(refusal.message).toMatch(/15 significant digits/);
    },
  );

  it('is added exactly, where a float would not be', async () => {
    const scene = await openScene({ now: NOW });
    for (const value of ['0.1', '0.2', '-0.3']) await sendEvent(scene, { value });
    expect(await usageOf(scene, ...DAY)).toBe(0);
  });

  it('of a name that no active meter has is refused at once', async () => {
    const scene = await openScene({ now: NOW });
    const call = scene.stripe.billing.meterEvents.create({
      event_name: 'unheard',
      payload: { stripe_customer_id: 'cus_acme', value: '1' },
    });
    expect((await refusalOf(call)).message).toMatch(/^No active meter found/);

    await scene.stripe.billing.meters.deactivate(scene.meter.id);
    const inactive = await refusalOf(sendEvent(scene, { value: '1' }));
    expect(inactive.message).toMatch(/^No active meter found/);
  });

  it('has a name and an identifier of at most 100 characters', async () => {
    const scene = await openScene({ now: NOW });
    await sendEvent(scene, { value: '1', identifier: 'x'.repeat(100) });
    const refusal = await refusalOf(sendEvent(scene, { value: '1', identifier: 'x'.repeat(101) }));
    expect(refusal).toMatchObject({ statusCode: 400, param: 'identifier' });
  });

  it('may carry other keys in its payload', async () => {
    const scene = await openScene({ now: NOW });
    await scene.stripe.billing.meterEvents.create({
      event_name: 'usage',
      payload: { stripe_customer_id: 'cus_acme', value: '3', model: 'gpt-4o' },
    });
    expect(await usageOf(scene, ...DAY)).toBe(3);
  });
});

describe('two calls at once for one customer and meter', () => {
  it('conflict: the second is a 409, and may be sent again with the same key', async () => {
    // given a call that is in flight
    const scene = await openScene({ now: NOW });
    const { control } = scene.double;
    control.injectFault({ kind: 'hold', match: { path: '/v1/billing/meter_events' } });
    const first = sendEvent(scene, { value: '1', identifier: 'first' });
    await untilHeld(control);

    // when another one comes
    const second = { value: '2', identifier: 'second' };
    const conflict = await refusalOf(sendEvent(scene, second, { idempotencyKey: 'second' }));

    // then it is refused, and accepted once the first is done
    expect(conflict).toMatchObject({ statusCode: 409, type: 'StripeAPIError' });
    control.releaseHeld();
    await first;
    await sendEvent(scene, second, { idempotencyKey: 'second' });
    expect(await usageOf(scene, ...DAY)).toBe(3);
  });

  it('do not conflict when the customers differ', async () => {
    const customers = [{ id: 'cus_acme' }, { id: 'cus_other' }];
    const scene = await openScene({ now: NOW, seed: { customers } });
    const { control } = scene.double;
    control.injectFault({ kind: 'hold', match: { path: '/v1/billing/meter_events' } });
    const first = sendEvent(scene, { value: '1' });
    await untilHeld(control);
    await sendEvent(scene, { value: '2', customer: 'cus_other' });
    control.releaseHeld();
    await first;
    expect(control.meterEvents().map(({ value }) => value)).toEqual(['2', '1']);
  });

  it('meet without a fault too, since a call takes a while', async () => {
    const scene = await openScene({ now: NOW, latencyMs: 200 });
    const calls = [sendEvent(scene, { value: '1' }), sendEvent(scene, { value: '1' })];
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});

describe('a canceled event', () => {
  it('is no longer counted', async () => {
    const scene = await openScene({ now: NOW });
    await sendEvent(scene, { value: '5', identifier: 'keep' });
    await sendEvent(scene, { value: '7', identifier: 'cancel' });
    await cancel('cancel');
    expect(await usageOf(scene, ...DAY)).toBe(5);

    function cancel(identifier: string) {
      return scene.stripe.billing.meterEventAdjustments.create({
        event_name: 'usage',
        type: 'cancel',
        cancel: { identifier },
      });
    }
  });

  it('must have been received within the last 24 hours', async () => {
    const scene = await openScene({ now: NOW });
    await sendEvent(scene, { value: '7', identifier: 'late' });
    await scene.double.control.advanceClock(24 * HOUR_MS);
    const call = scene.stripe.billing.meterEventAdjustments.create({
      event_name: 'usage',
      type: 'cancel',
      cancel: { identifier: 'late' },
    });
    expect(await refusalOf(call)).toMatchObject({ statusCode: 400 });
  });
});

describe('a meter event of API v2', () => {
  it('has its times as text', async () => {
    const scene = await openScene({ now: NOW });
    const event = await scene.stripe.v2.billing.meterEvents.create({
      event_name: 'usage',
      identifier: 'v2',
      payload: { stripe_customer_id: 'cus_acme', value: '8' },
      timestamp: '2026-10-15T10:00:00.000Z',
    });
    expect(event).toMatchObject({
      object: 'v2.billing.meter_event',
      timestamp: '2026-10-15T10:00:00.000Z',
    });
    expect(await usageOf(scene, ...DAY)).toBe(8);
  });

  it('shares the identifiers of v1, and has a code for a duplicate', async () => {
    const scene = await openScene({ now: NOW });
    await sendEvent(scene, { value: '1', identifier: 'same' });
    const call = scene.stripe.v2.billing.meterEvents.create({
      event_name: 'usage',
      identifier: 'same',
      payload: { stripe_customer_id: 'cus_acme', value: '1' },
    });
    expect(await refusalOf(call)).toMatchObject({ statusCode: 400, code: 'duplicate_meter_event' });
  });
});

/** Resolves once a request is in flight; the loop ends by the test's own time limit at the latest. */
async function untilHeld(control: { held(): number }): Promise<void> {
  while (control.held() === 0) await new Promise((resolve) => setImmediate(resolve));
}
