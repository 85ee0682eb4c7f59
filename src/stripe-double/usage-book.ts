import type Stripe from 'stripe';
import type { InstantMs } from '../clock.ts';
import { addDecimals, type ExactDecimal, ZERO } from './exact-decimal.ts';

/** A meter event that was accepted and is counted, unless it was canceled since. */
interface CountedEvent {
  readonly meterId: string;
  readonly customer: string;
  readonly identifier: string;
  /** Unix seconds; decides the period and the window. */
  readonly timestamp: number;
  readonly value: ExactDecimal;
  readonly receivedAt: InstantMs;
  /** Order of arrival within the account. */
  readonly sequence: number;
  canceled: boolean;
}

/** The counted events of an account. */
export interface UsageBook {
  add(event: Omit<CountedEvent, 'sequence' | 'canceled'>): void;
  of(meterId: string, customer: string): readonly CountedEvent[];
  all(): readonly CountedEvent[];
}

export function openUsageBook(): UsageBook {
  const all: CountedEvent[] = [];
  const byMeterAndCustomer = new Map<string, CountedEvent[]>();
  const keyOf = (meterId: string, customer: string) => `${meterId} ${customer}`;
  return {
    add: (event) => {
      const counted = { ...event, sequence: all.length, canceled: false };
      all.push(counted);
      const key = keyOf(event.meterId, event.customer);
      const events = byMeterAndCustomer.get(key) ?? [];
      byMeterAndCustomer.set(key, events);
      events.push(counted);
    },
    of: (meterId, customer) => byMeterAndCustomer.get(keyOf(meterId, customer)) ?? [],
    all: () => all,
  };
}

/** The usage that is asked for: half-open in unix seconds, and what had arrived by an instant. */
export interface UsageRange {
  readonly customer: string;
  readonly start: number;
  readonly end: number;
  readonly receivedBy: InstantMs;
}

/**
 * Returns a customer's usage of a meter, by its formula and its window. Exact; zero when there is
 * none.
 */
export function aggregateUsage(
  book: UsageBook,
  meter: Stripe.Billing.Meter,
  range: UsageRange,
): ExactDecimal {
  const inRange = book
    .of(meter.id, range.customer)
    .filter((event) => !event.canceled && event.receivedAt <= range.receivedBy)
    .filter((event) => event.timestamp >= range.start && event.timestamp < range.end);
  const events = newestOfEachWindow(inRange, meter.event_time_window);
  switch (meter.default_aggregation.formula) {
    case 'count':
      return { digits: BigInt(events.length), scale: 0 };
    case 'last':
      return latest(events)?.value ?? ZERO;
    default:
      return events.reduce((sum, event) => addDecimals(sum, event.value), ZERO);
  }
}

const WINDOW_SECONDS: Readonly<Record<string, number>> = { hour: 3600, day: 86_400 };

/**
 * A pre-aggregated meter takes the newest event of each UTC hour or day; a newer one overwrites.
 * That "newest" means the order of arrival is an assumption: Stripe's docs do not say.
 */
function newestOfEachWindow(
  events: readonly CountedEvent[],
  window: string | null,
): readonly CountedEvent[] {
  const seconds = window === null ? undefined : WINDOW_SECONDS[window];
  if (seconds === undefined) return events;
  const newest = new Map<number, CountedEvent>();
  for (const event of events) newest.set(Math.floor(event.timestamp / seconds), event);
  return [...newest.values()];
}

/**
 * Returns the latest event by its timestamp, and among equal ones the last to arrive; an assumption
 * too.
 */
function latest(events: readonly CountedEvent[]): CountedEvent | undefined {
  return events.reduce<CountedEvent | undefined>(
    (last, event) => (last === undefined || event.timestamp >= last.timestamp ? event : last),
    undefined,
  );
}
