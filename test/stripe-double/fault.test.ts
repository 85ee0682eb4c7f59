import { expect, it } from 'vitest';
import type { FaultSpec } from '../../src/stripe-double/fault.ts';
import { openScene, refusalOf, sendEvent } from './scene.ts';

const METER_EVENTS = { method: 'POST', path: '/v1/billing/meter_events' };
const event = { value: '1', identifier: 'only' };
const key = { idempotencyKey: 'only' };

async function hitBy(fault: FaultSpec) {
  const scene = await openScene();
  scene.double.control.injectFault({ match: METER_EVENTS, ...fault });
  return scene;
}

// The SDK retries once by itself after a reset, even with maxNetworkRetries: 0.
it('resets the connection before anything is done', async () => {
  const scene = await hitBy({ kind: 'reset_before_apply', times: 2 });
  expect(await refusalOf(sendEvent(scene, event, key))).toMatchObject({
    type: 'StripeConnectionError',
    detail: { code: 'ECONNRESET' },
  });
  expect(scene.double.control.meterEvents()).toEqual([]);
  await sendEvent(scene, event, key);
  expect(scene.double.control.meterEvents()).toHaveLength(1);
});

it('does what was asked and then resets the connection: a resend is answered as if by the first', async () => {
  const scene = await hitBy({ kind: 'apply_then_reset', times: 2 });
  expect(await refusalOf(sendEvent(scene, event, key))).toMatchObject({
    type: 'StripeConnectionError',
  });
  expect(scene.double.control.meterEvents()).toHaveLength(1);
  expect((await sendEvent(scene, event, key)).identifier).toBe('only');
  const other = await refusalOf(sendEvent(scene, event, { idempotencyKey: 'other' }));
  expect(other.message).toBe('An event already exists with identifier only.');
  expect(scene.double.control.meterEvents()).toHaveLength(1);
});

it('cuts the body, so that a success looks like a broken connection', async () => {
  const scene = await hitBy({ kind: 'cut_body' });
  expect(await refusalOf(sendEvent(scene, event, key))).toMatchObject({
    type: 'StripeConnectionError',
  });
  expect(scene.double.control.meterEvents()).toHaveLength(1);
});

it('limits the rate without a word, or names the limit', async () => {
  const scene = await hitBy({ kind: 'rate_limit' });
  const bare = await refusalOf(sendEvent(scene, event, key));
  expect(bare).toMatchObject({ type: 'StripeRateLimitError', statusCode: 429 });
  expect(bare.headers).not.toHaveProperty('stripe-rate-limited-reason');

  scene.double.control.injectFault({ kind: 'rate_limit', reason: 'endpoint-rate' });
  const named = await refusalOf(sendEvent(scene, event, key));
  expect(named.headers?.['stripe-rate-limited-reason']).toBe('endpoint-rate');
  expect(scene.double.control.meterEvents()).toEqual([]);
});

it('times out on a lock with a 429 that says to retry', async () => {
  const scene = await hitBy({ kind: 'lock_timeout' });
  const refusal = await refusalOf(sendEvent(scene, event, key));
  expect(refusal).toMatchObject({ statusCode: 429, code: 'lock_timeout' });
  expect(refusal.headers?.['stripe-should-retry']).toBe('true');
});

it('answers 500 after the work was done: the key replays the 500, the identifier is taken', async () => {
  const scene = await hitBy({ kind: 'stored_500', applied: true });
  expect(await refusalOf(sendEvent(scene, event, key))).toMatchObject({ statusCode: 500 });
  expect(scene.double.control.meterEvents()).toHaveLength(1);
  expect(await refusalOf(sendEvent(scene, event, key))).toMatchObject({ statusCode: 500 });
  const other = await refusalOf(sendEvent(scene, event, { idempotencyKey: 'other' }));
  expect(other.message).toBe('An event already exists with identifier only.');
});

it('answers 503 in HTML, which the SDK cannot read', async () => {
  const scene = await hitBy({ kind: 'html_503' });
  const refusal = await refusalOf(sendEvent(scene, event, key));
  expect(refusal).toMatchObject({ type: 'StripeAPIError', statusCode: undefined });
  expect(refusal.message).toMatch(/Invalid JSON/);
  expect(scene.double.control.meterEvents()).toEqual([]);
});

it('answers any other error that a test asks for', async () => {
  const scene = await hitBy({ kind: 'error', status: 403, code: 'forbidden', message: 'No.' });
  expect(await refusalOf(sendEvent(scene, event, key))).toMatchObject({
    type: 'StripePermissionError',
    code: 'forbidden',
    message: 'No.',
  });
});

it('hits only the requests that match, after as many as it lets through', async () => {
  const scene = await openScene();
  const { control } = scene.double;
  control.injectFault({ kind: 'error', match: { path: '/v1/customers*' }, after: 1, times: 2 });
  const calls = [];
  for (let index = 0; index < 4; index += 1) {
    const call = scene.stripe.customers.retrieve(scene.customer);
    calls.push(await call.then(() => 200).catch((error) => error.statusCode));
  }
  await scene.stripe.products.list();
  expect(calls).toEqual([200, 500, 500, 200]);
  expect(control.faults()).toEqual([]);
});
