import type Stripe from 'stripe';
import { expect, it } from 'vitest';
import { openReceiver } from './receiver.ts';
import { ms, openScene, refusalOf, sendEvent, usageOf } from './scene.ts';

const NOW = ms('2026-10-15T12:00:00Z');
const DAY = ['2026-10-15T00:00:00Z', '2026-10-16T00:00:00Z'] as const;

it('accepts an event of an unknown customer, and reports it later by a thin event', async () => {
  // given an endpoint for the reports
  const scene = await openScene({ now: NOW });
  const receiver = await openReceiver();
  const { secret } = scene.double.control.addWebhookEndpoint({
    url: receiver.url,
    enabledEvents: ['v1.billing.meter.error_report_triggered'],
  });

  // when an event names nobody
  await sendEvent(
    scene,
    { value: '5', customer: 'cus_unknown', identifier: 'lost' },
    { idempotencyKey: 'lost' },
  );

  // then it is neither counted nor reported at once
  await scene.double.control.settle();
  expect(scene.double.control.meterEvents()).toEqual([]);
  expect(receiver.received).toEqual([]);

  // and the report comes without its data, which is fetched
  await scene.double.control.advanceClock(10_000);
  const [call] = receiver.received;
  expect(JSON.parse(call?.body ?? '')).not.toHaveProperty('data');
  const notification = scene.stripe.parseEventNotification(
    call?.body ?? '',
    call?.signature ?? '',
    secret,
  ) as Stripe.Events.V1BillingMeterErrorReportTriggeredEventNotification;
  expect(notification.related_object.id).toBe(scene.meter.id);
  const { data } = await notification.fetchEvent();
  expect(data.reason).toMatchObject({
    error_count: 1,
    error_types: [
      {
        code: 'meter_event_customer_not_found',
        error_count: 1,
        sample_errors: [{ request: { identifier: 'lost' } }],
      },
    ],
  });
  expect((await notification.fetchRelatedObject()).id).toBe(scene.meter.id);
});

it('gives samples in a report, and the true count beside them', async () => {
  const scene = await openScene({ now: NOW });
  for (let index = 0; index < 8; index += 1) {
    await sendEvent(scene, { value: '1', customer: `cus_unknown_${index}` });
  }
  await sendEvent(scene, { value: 'much' });
  await scene.double.control.advanceClock(10_000);
  const { data } = await scene.stripe.v2.core.events.list({ object_id: scene.meter.id });
  expect(data).toHaveLength(1);
  const report = data[0] as Stripe.Events.V1BillingMeterErrorReportTriggeredEvent;
  expect(report.data.reason.error_count).toBe(9);
  const [unknown, invalid] = report.data.reason.error_types;
  expect(unknown).toMatchObject({ error_count: 8 });
  expect(unknown?.sample_errors.length).toBeLessThan(8);
  expect(invalid).toMatchObject({ code: 'meter_event_invalid_value', error_count: 1 });
});

it.each([
  [{ stripe_customer_id: 'cus_acme', value: '1e3' }, 'meter_event_invalid_value'],
  [{ stripe_customer_id: 'cus_acme' }, 'meter_event_invalid_value'],
  [{ value: '1' }, 'meter_event_no_customer_defined'],
] as Stripe.Billing.MeterEventCreateParams['payload'][][])(
  'reports a payload of %j',
  async (payload, code) => {
    const scene = await openScene({ now: NOW });
    await scene.stripe.billing.meterEvents.create({ event_name: 'usage', payload: payload ?? {} });
    await scene.double.control.advanceClock(10_000);
    const { data } = await scene.stripe.v2.core.events.list();
    const report = data[0] as Stripe.Events.V1BillingMeterErrorReportTriggeredEvent;
    expect(report.data.reason.error_types[0]?.code).toBe(code);
    expect(await usageOf(scene, ...DAY)).toBe(0);
  },
);

it('takes the identifier of a rejected event as used', async () => {
  const scene = await openScene({ now: NOW });
  await sendEvent(scene, { value: '5', customer: 'cus_unknown', identifier: 'lost' });
  const again = await refusalOf(sendEvent(scene, { value: '5', identifier: 'lost' }));
  expect(again.message).toBe('An event already exists with identifier lost.');
});

it('can be told to validate at once: an unknown customer is a 400 then', async () => {
  const scene = await openScene({ now: NOW, asyncValidation: false });
  const refusal = await refusalOf(sendEvent(scene, { value: '5', customer: 'cus_unknown' }));
  expect(refusal).toMatchObject({ statusCode: 400, message: "No such customer: 'cus_unknown'" });
});

it('reports an event that no meter takes by no_meter_found, when it looks for the meter later', async () => {
  // given an endpoint for such reports
  const scene = await openScene({ now: NOW, asyncMeterLookup: true });
  const receiver = await openReceiver();
  const { secret } = scene.double.control.addWebhookEndpoint({
    url: receiver.url,
    enabledEvents: ['v1.billing.meter.no_meter_found'],
  });

  // when an event has a name that no meter has
  const payload = { stripe_customer_id: 'cus_acme', value: '1' };
  await scene.stripe.billing.meterEvents.create(
    { event_name: 'mistyped', payload, identifier: 'lost' },
    { idempotencyKey: 'lost' },
  );
  await scene.double.control.advanceClock(10_000);

  // then the notification is of no object, and the fetched event names the request
  const [call] = receiver.received;
  const notification = scene.stripe.parseEventNotification(
    call?.body ?? '',
    call?.signature ?? '',
    secret,
  ) as Stripe.Events.V1BillingMeterNoMeterFoundEventNotification;
  expect(notification).not.toHaveProperty('related_object.id');
  const { data } = await notification.fetchEvent();
  expect(data.reason).toMatchObject({
    error_count: 1,
    error_types: [{ code: 'no_meter', sample_errors: [{ request: { identifier: 'lost' } }] }],
  });
  expect(scene.double.control.meterEvents()).toEqual([]);
});

it('reports an event of an inactive meter as archived, when it looks for the meter later', async () => {
  const scene = await openScene({ now: NOW, asyncMeterLookup: true });
  await scene.stripe.billing.meters.deactivate(scene.meter.id);
  await sendEvent(scene, { value: '1' });
  await scene.double.control.advanceClock(10_000);
  const { data } = await scene.stripe.v2.core.events.list({ object_id: scene.meter.id });
  const report = data[0] as Stripe.Events.V1BillingMeterErrorReportTriggeredEvent;
  expect(report.data.reason.error_types[0]?.code).toBe('archived_meter');
});
