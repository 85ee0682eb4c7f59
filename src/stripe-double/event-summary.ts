import type Stripe from 'stripe';
import { z } from 'zod';
import { type Account, found } from './account.ts';
import { invalidRequest } from './api-failure.ts';
import { type Endpoint, endpoint, pathId } from './endpoint.ts';
import { writeDecimal } from './exact-decimal.ts';
import { checkPage, listPage } from './list-page.ts';
import { meterOf } from './meter.ts';
import { derivedId } from './object-id.ts';
import { pageParams, text, unixSeconds } from './params.ts';
import { aggregateUsage } from './usage-book.ts';

const STEP_SECONDS = { minute: 60, hour: 3600, day: 86_400 } as const;

const params = z.strictObject({
  ...pageParams,
  customer: text,
  start_time: unixSeconds,
  end_time: unixSeconds,
  value_grouping_window: z.enum(['hour', 'day']).optional(),
});

type SummaryParams = z.infer<typeof params>;

/**
 * A customer's usage of a meter: one row for the range, or one for each UTC hour or day, the empty
 * ones too. They lag: what arrived less than `summaryLagMs` ago is not in them yet. Three things
 * are assumptions: `end_time` is exclusive, empty rows are listed, and the newest row comes first.
 */
export const eventSummaryEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'GET',
    path: '/v1/billing/meters/:id/event_summaries',
    params,
    check: (_, given) => {
      checkPage(given);
      checkRange(given);
    },
    run: (call, given) => {
      const meter = meterOf(call.account, pathId(call));
      found(call.account.customers, 'customer', { id: given.customer, param: 'customer' });
      const rows = summaryRows(call.account, meter, given);
      return listPage(rows, given, `/v1/billing/meters/${meter.id}/event_summaries`);
    },
  }),
];

function checkRange(given: SummaryParams): void {
  const window = given.value_grouping_window ?? 'minute';
  for (const param of ['start_time', 'end_time'] as const) {
    if (given[param] % STEP_SECONDS[window] === 0) continue;
    throw invalidRequest(`${param} must be aligned with the ${window} (UTC).`, { param });
  }
  if (given.start_time >= given.end_time) {
    throw invalidRequest('start_time must be before end_time.', { param: 'start_time' });
  }
}

function summaryRows(
  account: Account,
  meter: Stripe.Billing.Meter,
  given: SummaryParams,
): Stripe.Billing.MeterEventSummary[] {
  const window = given.value_grouping_window;
  const step = window === undefined ? given.end_time - given.start_time : STEP_SECONDS[window];
  const rows: Stripe.Billing.MeterEventSummary[] = [];
  for (let end = given.end_time; end > given.start_time; end -= step) {
    rows.push(summaryRow(account, meter, { customer: given.customer, start: end - step, end }));
  }
  return rows;
}

function summaryRow(
  account: Account,
  meter: Stripe.Billing.Meter,
  range: { readonly customer: string; readonly start: number; readonly end: number },
): Stripe.Billing.MeterEventSummary {
  const receivedBy = account.clock.now() - account.settings.summaryLagMs;
  const value = aggregateUsage(account.usage, meter, { ...range, receivedBy });
  return {
    id: derivedId('mtrusg_test', meter.id, range.customer, range.start, range.end),
    object: 'billing.meter_event_summary',
    // The API gives a JSON number, so a sum of more than 15 digits is no longer exact here.
    aggregated_value: Number(writeDecimal(value)),
    end_time: range.end,
    livemode: false,
    meter: meter.id,
    start_time: range.start,
  } satisfies Stripe.Billing.MeterEventSummary;
}
