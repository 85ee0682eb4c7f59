import type Stripe from 'stripe';
import { z } from 'zod';
import { type Account, found } from './account.ts';
import { invalidRequest } from './api-failure.ts';
import { type Endpoint, endpoint, pathId } from './endpoint.ts';
import { listPage, newestFirst } from './list-page.ts';
import { newId } from './object-id.ts';
import { expandable, pageParams, text } from './params.ts';

const PATH = '/v1/billing/meters';
const EVENT_NAME_LENGTH_MAX = 100;

const createParams = z.strictObject({
  ...expandable,
  display_name: text,
  event_name: text.max(EVENT_NAME_LENGTH_MAX),
  default_aggregation: z.strictObject({ formula: z.enum(['sum', 'count', 'last']) }),
  customer_mapping: z
    .strictObject({ event_payload_key: text, type: z.literal('by_id') })
    .default({ event_payload_key: 'stripe_customer_id', type: 'by_id' }),
  event_time_window: z.enum(['hour', 'day']).optional(),
  value_settings: z
    .strictObject({ event_payload_key: text })
    .default({ event_payload_key: 'value' }),
});

/** Stripe's meters: everything but the display name is fixed once a meter exists. */
export const meterEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'POST',
    path: PATH,
    params: createParams,
    run: ({ account }, params) => createMeter(account, params),
  }),
  endpoint({
    method: 'GET',
    path: PATH,
    params: z.strictObject({ ...pageParams, status: z.enum(['active', 'inactive']).optional() }),
    run: ({ account }, params) => {
      const meters = newestFirst(account.meters.values());
      const wanted = meters.filter(
        (meter) => params.status === undefined || meter.status === params.status,
      );
      return listPage(wanted, params, PATH);
    },
  }),
  endpoint({
    method: 'GET',
    path: `${PATH}/:id`,
    params: z.strictObject(expandable),
    run: (call) => meterOf(call.account, pathId(call)),
  }),
  endpoint({
    method: 'POST',
    path: `${PATH}/:id`,
    params: z.strictObject({ ...expandable, display_name: text.optional() }),
    run: (call, params) => {
      const meter = meterOf(call.account, pathId(call));
      return replaceMeter(call.account, {
        ...meter,
        display_name: params.display_name ?? meter.display_name,
      });
    },
  }),
  endpoint({
    method: 'POST',
    path: `${PATH}/:id/deactivate`,
    params: z.strictObject(expandable),
    run: (call) => deactivate(call.account, meterOf(call.account, pathId(call))),
  }),
  endpoint({
    method: 'POST',
    path: `${PATH}/:id/reactivate`,
    params: z.strictObject(expandable),
    run: (call) => reactivate(call.account, meterOf(call.account, pathId(call))),
  }),
];

/** Returns the meter that takes events of that name now, or undefined. */
export function activeMeter(account: Account, eventName: string): Stripe.Billing.Meter | undefined {
  const meters = [...account.meters.values()];
  return meters.find((meter) => meter.event_name === eventName && meter.status === 'active');
}

export function meterOf(
  account: Account,
  id: { readonly id: string; readonly param?: string },
): Stripe.Billing.Meter {
  return found(account.meters, 'meter', id);
}

function createMeter(account: Account, params: z.infer<typeof createParams>): Stripe.Billing.Meter {
  refuseSecondMeter(account, params.event_name);
  const created = account.clock.nowSeconds();
  const meter = {
    id: newId('mtr_test'),
    object: 'billing.meter',
    created,
    customer_mapping: params.customer_mapping,
    default_aggregation: params.default_aggregation,
    display_name: params.display_name,
    event_name: params.event_name,
    event_time_window: params.event_time_window ?? null,
    livemode: false,
    status: 'active',
    status_transitions: { deactivated_at: null },
    updated: created,
    value_settings: params.value_settings,
  } satisfies Stripe.Billing.Meter;
  account.meters.set(meter.id, meter);
  return meter;
}

function deactivate(account: Account, meter: Stripe.Billing.Meter): Stripe.Billing.Meter {
  if (meter.status !== 'active') throw invalidRequest('This meter is already inactive.');
  const deactivatedAt = account.clock.nowSeconds();
  return replaceMeter(account, {
    ...meter,
    status: 'inactive',
    status_transitions: { deactivated_at: deactivatedAt },
  });
}

function reactivate(account: Account, meter: Stripe.Billing.Meter): Stripe.Billing.Meter {
  if (meter.status === 'active') throw invalidRequest('This meter is already active.');
  refuseSecondMeter(account, meter.event_name);
  return replaceMeter(account, {
    ...meter,
    status: 'active',
    status_transitions: { deactivated_at: null },
  });
}

/** One event name belongs to one active meter. */
function refuseSecondMeter(account: Account, eventName: string): void {
  const other = activeMeter(account, eventName);
  if (other === undefined) return;
  const message = `An active meter (${other.id}) already exists with event_name ${eventName}.`;
  throw invalidRequest(message, { param: 'event_name' });
}

function replaceMeter(account: Account, meter: Stripe.Billing.Meter): Stripe.Billing.Meter {
  const updated = { ...meter, updated: account.clock.nowSeconds() };
  account.meters.set(meter.id, updated);
  return updated;
}
