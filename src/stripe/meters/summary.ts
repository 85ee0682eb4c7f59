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
 * figure proves nothing yet.
 */
export async function readSummary(
  stripe: StripeClient,
  question: SummaryQuestion,
): Promise<bigint> {
  const { startsAt, endsAt } = minutesOf(question);
  if (startsAt >= endsAt) return 0n;
  const page = await askStripe(`the usage of customer ${question.customer}`, () =>
    stripe.billing.meters.listEventSummaries(question.meterId, {
      customer: question.customer,
      start_time: startsAt / 1000,
      end_time: endsAt / 1000,
      limit: 100,
    }),
  );
  // Without a grouping window there is one row for the whole range, or none for no usage.
  return page.data.reduce((sum, row) => sum + toMicro(row.aggregated_value), 0n);
}

type Bounds = Pick<SummaryQuestion, 'startsAt' | 'endsAt'>;

/**
 * Returns the whole minutes that stand for a period, since a summary has no finer bounds. Usage is told at its end, so
 * that the minute in which a customer left belongs to what ended there, and the next period begins with the next minute.
 */
function minutesOf({ startsAt, endsAt }: Bounds): Bounds {
  const up = (instant: InstantMs) => Math.ceil(instant / MINUTE_MS) * MINUTE_MS;
  return { startsAt: up(startsAt), endsAt: up(endsAt) };
}

/** Whether a summary of a period counts what is told of it at that second, and takes it for no other period's. */
export function hasOwnMinute(period: Bounds, eventTimestamp: number): boolean {
  const { startsAt, endsAt } = minutesOf(period);
  const at = eventTimestamp * 1000;
  return startsAt <= at && at < endsAt;
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
