import { DateTime, type DurationLike } from 'luxon';

export type Interval = 'day' | 'week' | 'month' | 'year';

/**
 * The boundaries at which the billing periods of a subscription begin: an instant, and the day
 * wanted of each month.
 */
export interface Anchor {
  /** Unix seconds of one boundary. */
  readonly at: number;
  /** 1 to 31; a shorter month has its boundary on its last day, and the next is back on the 31st. */
  readonly dayOfMonth: number;
  readonly interval: Interval;
  readonly intervalCount: number;
}

/** `billing_cycle_anchor_config` of the API. UTC. */
export interface AnchorConfig {
  readonly day_of_month: number;
  readonly hour?: number | undefined;
  readonly minute?: number | undefined;
  readonly second?: number | undefined;
  readonly month?: number | undefined;
}

/** Returns the first boundary after an instant. All in unix seconds, UTC. */
export function nextBoundary(anchor: Anchor, after: number): number {
  const base = utc(anchor.at);
  const elapsed = utc(after).diff(base, `${anchor.interval}s`).as(`${anchor.interval}s`);
  let count = Math.floor(elapsed / anchor.intervalCount) - 1;
  while (boundary(anchor, count) <= after) count += 1;
  return boundary(anchor, count);
}

function boundary(anchor: Anchor, count: number): number {
  const step: DurationLike = { [`${anchor.interval}s`]: count * anchor.intervalCount };
  const moved = utc(anchor.at).plus(step);
  const isMonthly = anchor.interval === 'month' || anchor.interval === 'year';
  return (isMonthly ? onDay(moved, anchor.dayOfMonth) : moved).toUnixInteger();
}

/**
 * Returns the first instant from `from` on that fits the configuration. What it leaves out (hour,
 * minute, second) is taken from `from`; that is an assumption.
 */
export function configuredAnchor(config: AnchorConfig, from: number): number {
  const start = utc(from);
  const month = start.set({
    day: 1,
    ...(config.month === undefined ? {} : { month: config.month }),
  });
  const step: DurationLike = config.month === undefined ? { months: 1 } : { years: 1 };
  const inMonth = (first: DateTime<true>) =>
    onDay(first, config.day_of_month)
      .set({
        hour: config.hour ?? start.hour,
        minute: config.minute ?? start.minute,
        second: config.second ?? start.second,
      })
      .toUnixInteger();
  const anchor = inMonth(month);
  return anchor >= from ? anchor : inMonth(month.plus(step));
}

export function dayOfMonth(at: number): number {
  return utc(at).day;
}

function onDay(date: DateTime<true>, day: number): DateTime<true> {
  return date.set({ day: Math.min(day, date.daysInMonth) });
}

function utc(at: number): DateTime<true> {
  const date = DateTime.fromSeconds(at, { zone: 'utc' });
  if (!date.isValid) throw new Error(`${at} is not an instant in unix seconds`);
  return date;
}
