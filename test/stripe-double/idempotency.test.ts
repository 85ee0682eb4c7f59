import { expect, it } from 'vitest';
import { HOUR_MS, ms, openScene, refusalOf, sendEvent } from './scene.ts';

const NOW = ms('2026-10-15T12:00:00Z');
const key = { idempotencyKey: 'key-1' };

it('gives the same key and parameters the first answer again, and does nothing', async () => {
  const scene = await openScene({ now: NOW });
  const first = await scene.stripe.customers.create({ name: 'Acme' }, key);
  const second = await scene.stripe.customers.create({ name: 'Acme' }, key);
  expect(second.id).toBe(first.id);
  expect(second.lastResponse.headers['idempotent-replayed']).toBe('true');
  expect(second.lastResponse.idempotencyKey).toBe('key-1');
  expect((await scene.stripe.customers.list()).data).toHaveLength(2);
});

it('refuses a key that comes with other parameters', async () => {
  const scene = await openScene({ now: NOW });
  await sendEvent(scene, { value: '1', identifier: 'a', at: '2026-10-15T11:00:00Z' }, key);
  const other = { value: '1', identifier: 'a', at: '2026-10-15T11:00:01Z' };
  expect(await refusalOf(sendEvent(scene, other, key))).toMatchObject({
    type: 'StripeIdempotencyError',
    rawType: 'idempotency_error',
    statusCode: 400,
  });
});

it('refuses a key that comes with another path', async () => {
  const { stripe } = await openScene({ now: NOW });
  await stripe.customers.create({ name: 'Acme' }, key);
  const refusal = await refusalOf(stripe.products.create({ name: 'Acme' }, key));
  expect(refusal).toMatchObject({ rawType: 'idempotency_error' });
});

it('answers 409 while the first request with the key is in flight', async () => {
  const scene = await openScene({ now: NOW });
  const { control } = scene.double;
  control.injectFault({ kind: 'hold' });
  const first = scene.stripe.customers.create({ name: 'Acme' }, key);
  while (control.held() === 0) await new Promise((resolve) => setImmediate(resolve));

  expect(await refusalOf(scene.stripe.customers.create({ name: 'Acme' }, key))).toMatchObject({
    statusCode: 409,
    code: 'idempotency_key_in_use',
  });

  control.releaseHeld();
  const { id } = await first;
  expect((await scene.stripe.customers.create({ name: 'Acme' }, key)).id).toBe(id);
});

it('forgets a key after 24 hours: the same request then starts anew', async () => {
  const scene = await openScene({ now: NOW });
  const first = await scene.stripe.customers.create({ name: 'Acme' }, key);
  await scene.double.control.advanceClock(24 * HOUR_MS - 1);
  expect((await scene.stripe.customers.create({ name: 'Acme' }, key)).id).toBe(first.id);
  await scene.double.control.advanceClock(1);
  expect((await scene.stripe.customers.create({ name: 'Acme' }, key)).id).not.toBe(first.id);
});

it('replays a 500 of an endpoint that had started executing', async () => {
  const scene = await openScene({ now: NOW });
  scene.double.control.injectFault({ kind: 'stored_500' });
  const call = () => sendEvent(scene, { value: '1', identifier: 'a' }, key);
  expect(await refusalOf(call())).toMatchObject({ statusCode: 500 });
  const replayed = await refusalOf(call());
  expect(replayed.statusCode).toBe(500);
  expect(replayed.headers?.['idempotent-replayed']).toBe('true');
  expect(scene.double.control.meterEvents()).toEqual([]);
});

it('replays a refusal of an endpoint that had started executing', async () => {
  const scene = await openScene({ now: NOW });
  await sendEvent(scene, { value: '1', identifier: 'a' });
  const call = () => sendEvent(scene, { value: '1', identifier: 'a' }, key);
  expect(await refusalOf(call())).toMatchObject({ statusCode: 400 });
  expect((await refusalOf(call())).headers?.['idempotent-replayed']).toBe('true');
});

it('does not save a failure of validation: the key is free for the mended request', async () => {
  const scene = await openScene({ now: NOW });
  const tooOld = { value: '1', identifier: 'a', at: '2026-01-01T00:00:00Z' };
  expect(await refusalOf(sendEvent(scene, tooOld, key))).toMatchObject({ statusCode: 400 });
  await sendEvent(scene, { value: '1', identifier: 'a', at: '2026-10-15T11:00:00Z' }, key);
  expect(scene.double.control.meterEvents()).toHaveLength(1);
});

it.each([{ kind: 'rate_limit' }, { kind: 'error', status: 401 }, { kind: 'html_503' }] as const)(
  'does not save what came before the endpoint executed: $kind',
  async (fault) => {
    const scene = await openScene({ now: NOW });
    scene.double.control.injectFault(fault);
    await refusalOf(sendEvent(scene, { value: '1', identifier: 'a' }, key));
    const event = await sendEvent(scene, { value: '1', identifier: 'a' }, key);
    expect(event.identifier).toBe('a');
  },
);

it('refuses a key of over 255 characters', async () => {
  const { stripe } = await openScene({ now: NOW });
  const call = stripe.customers.create({}, { idempotencyKey: 'k'.repeat(256) });
  expect(await refusalOf(call)).toMatchObject({ statusCode: 400 });
});

it('replays only what succeeded in API v2', async () => {
  const scene = await openScene({ now: NOW });
  scene.double.control.injectFault({ kind: 'stored_500' });
  const call = () =>
    scene.stripe.v2.billing.meterEvents.create(
      { event_name: 'usage', payload: { stripe_customer_id: scene.customer, value: '1' } },
      key,
    );
  expect(await refusalOf(call())).toMatchObject({ statusCode: 500 });
  const { identifier } = await call();
  expect((await call()).identifier).toBe(identifier);
  expect(scene.double.control.meterEvents()).toHaveLength(1);
});

it('keeps the keys of each account apart', async () => {
  const { double, stripe } = await openScene({ now: NOW });
  const { id } = await stripe.customers.create({}, key);
  const other = await stripe.customers.create({}, { ...key, apiKey: 'sk_test_other' });
  expect(other.id).not.toBe(id);
  expect(double.control.requests().at(-1)).toMatchObject({
    apiKey: 'sk_test_other',
    idempotencyKey: 'key-1',
    status: 200,
  });
});
