import type { InstantMs } from '../../clock.ts';
import { ForeignCount } from '../../push/destination.ts';
import type { StripeClient } from '../stripe-client.ts';
import { askStripe } from '../stripe-client.ts';

interface SummaryQuestion {
  readonly meterId: string;
  readonly customer: string;
  readonly startsAt: InstantMs;
  readonly endsAt: InstantMs;
}

const MINUTE_MS = 60_000;

/**
 * Reads what Stripe counts for a customer over a period, in micro-dollars. It lags, so that a low
 * figure proves nothing yet. Bounds must lie on whole minutes.
 */
export async function readSummary(
  stripe: StripeClient,
  question: SummaryQuestion,
): Promise<bigint> {
  const floor = (instant: InstantMs) => Math.floor(instant / MINUTE_MS) * 60;
  const page = await askStripe(`the usage of customer ${question.customer}`, () =>
    stripe.billing.meters.listEventSummaries(question.meterId, {
      customer: question.customer,
      start_time: floor(question.startsAt),
      end_time: floor(question.endsAt),
      limit: 100,
    }),
  );
  // Without a grouping window there is one row for the whole range, or none for no usage.
  return page.data.reduce((sum, row) => sum + toMicro(row.aggregated_value), 0n);
}

/** A fraction is somebody else's usage: what we tell is whole, and a double holds 15 digits exactly. */
function toMicro(value: number): bigint {
  if (Number.isSafeInteger(value)) return BigInt(value);
  throw new ForeignCount(
    String(value),
    `Stripe's summary holds ${value}, which is not a whole number of micro-dollars`,
    'find what else reports usage to this meter; only Spanledger may',
  );
}
