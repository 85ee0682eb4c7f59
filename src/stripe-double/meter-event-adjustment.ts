import type Stripe from 'stripe';
import { z } from 'zod';
import type { Account } from './account.ts';
import { invalidRequest } from './api-failure.ts';
import { type Endpoint, endpoint } from './endpoint.ts';
import { expandable, text } from './params.ts';

/** Stripe's docs: an event can be canceled within 24 hours of its receipt. */
const CANCEL_WINDOW_MS = 24 * 60 * 60 * 1000;

/** Cancels one event by its identifier. The identifier stays taken; that is an assumption. */
export const meterEventAdjustmentEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'POST',
    path: '/v1/billing/meter_event_adjustments',
    params: z.strictObject({
      ...expandable,
      event_name: text,
      type: z.literal('cancel'),
      cancel: z.strictObject({ identifier: text }),
    }),
    run: ({ account }, params) => {
      cancelEvent(account, params.event_name, params.cancel.identifier);
      return {
        object: 'billing.meter_event_adjustment',
        cancel: params.cancel,
        event_name: params.event_name,
        livemode: false,
        status: 'pending',
        type: 'cancel',
      } satisfies Stripe.Billing.MeterEventAdjustment;
    },
  }),
];

function cancelEvent(account: Account, eventName: string, identifier: string): void {
  const event = account.usage
    .all()
    .findLast(
      (candidate) =>
        candidate.identifier === identifier &&
        account.meters.get(candidate.meterId)?.event_name === eventName,
    );
  if (event === undefined || account.clock.now() - event.receivedAt >= CANCEL_WINDOW_MS) {
    throw invalidRequest(
      `No event with identifier ${identifier} was received in the last 24 hours.`,
    );
  }
  event.canceled = true;
}
