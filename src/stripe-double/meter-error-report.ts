import type Stripe from 'stripe';
import { formatInstant, type InstantMs } from '../clock.ts';
import type { Account } from './account.ts';
import { emitThinEvent } from './event-log.ts';
import type { Rejection, ReportData } from './stripe-object.ts';

/** A report gives samples, not all: `error_count` is the truth. How many is an assumption. */
const SAMPLES_MAX = 5;

export function rejectEvent(account: Account, rejection: Omit<Rejection, 'rejectedAt'>): void {
  account.rejections.push({ ...rejection, rejectedAt: account.clock.now() });
}

/**
 * Returns the instant at which the next report is due: so long after the first rejection that no
 * report has named.
 */
export function nextReportAt(account: Account): InstantMs | null {
  const [first] = account.rejections;
  return first === undefined ? null : first.rejectedAt + account.settings.validationLagMs;
}

/** Reports every rejection so far, in one thin event for each meter, and one for what has none. */
export function reportRejections(account: Account): void {
  const rejections = account.rejections.splice(0);
  for (const [meterId, ofMeter] of Map.groupBy(rejections, (each) => each.meterId)) {
    const data = reportData(account, ofMeter);
    if (meterId === null) {
      emitThinEvent(account, { type: 'v1.billing.meter.no_meter_found', data });
      continue;
    }
    emitThinEvent(account, {
      type: 'v1.billing.meter.error_report_triggered',
      related_object: { id: meterId, type: 'billing.meter', url: `/v1/billing/meters/${meterId}` },
      data,
    });
  }
}

/** Both kinds of report have the same data. */
function reportData(
  account: Account,
  rejections: readonly Rejection[],
): ReportData & Stripe.Events.V1BillingMeterNoMeterFoundEvent.Data {
  const byCode = Map.groupBy(rejections, (rejection) => rejection.code);
  const noun = rejections.length === 1 ? 'event' : 'events';
  return {
    developer_message_summary: `There is ${rejections.length} invalid ${noun}.`,
    reason: {
      error_count: rejections.length,
      error_types: [...byCode].map(([code, ofCode]) => ({
        code,
        error_count: ofCode.length,
        sample_errors: ofCode.slice(0, SAMPLES_MAX).map((rejection) => ({
          error_message: rejection.message,
          request: { identifier: rejection.requestIdentifier },
        })),
      })),
    },
    validation_start: formatInstant(rejections[0]?.rejectedAt ?? account.clock.now()),
    validation_end: formatInstant(account.clock.now()),
  };
}
