import { DateTime } from 'luxon';
import type { InstantMs } from '../../clock.ts';
import type { Calendar, Period } from '../../periods/calendar.ts';
import { nextPeriod, periodContaining } from '../../periods/calendar.ts';

/**
 * The anchor at which Stripe begins a subscription's billing periods: a day of each month and a
 * time of day, UTC.
 */
export interface CycleAnchor {
  /** 1 to 31; a shorter month has its boundary on its last day. */
  readonly dayOfMonth: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** Periods that a cycle is tried against: two years show every month, twice, and every clock change. */
const PERIODS_TRIED = 24;

/**
 * Returns the anchor for a tenant's calendar. Stripe's boundaries stand still in UTC while the
 * tenant's move with daylight saving and with the length of months, so they cannot be the same;
 * they need not be. The one event of a period is dated a second before its end: a cycle bills right
 * if each of its periods holds exactly one such event, so if one boundary falls into each [end,
 * next end), and soon after that end. Of the times of day and days at which the tenant's periods end
 * over two years, the first that fits is taken. Null where none does, as after a change of calendar
 * that is still to come.
 */
export function cycleAnchorFor(calendar: Calendar, now: InstantMs): CycleAnchor | null {
  const periods = periodsFrom(calendar, now);
  const candidates = new Map(
    periods
      .map((period) => anchorAt(period.endsAt))
      .map((anchor) => [JSON.stringify(anchor), anchor]),
  );
  const fits = (anchor: CycleAnchor) =>
    firstMisfit(anchor, periods) === null && firstLate(anchor, periods) === null;
  return [...candidates.values()].find(fits) ?? null;
}

/**
 * Finds the first period that a cycle would bill together with another, or a month late; null when
 * none.
 */
export function findMisfit(anchor: CycleAnchor, calendar: Calendar, now: InstantMs): Period | null {
  return firstMisfit(anchor, periodsFrom(calendar, now));
}

/** A cycle's boundary follows the end of a period within hours, or days where months have unlike lengths. */
const LATEST_BOUNDARY_MS = 4 * 24 * 60 * 60 * 1000;

/**
 * Finds the first period that a cycle bills weeks after its end, though with no other; null when
 * none.
 */
export function findLate(anchor: CycleAnchor, calendar: Calendar, now: InstantMs): Period | null {
  return firstLate(anchor, periodsFrom(calendar, now));
}

function firstLate(anchor: CycleAnchor, periods: readonly Period[]): Period | null {
  const isLate = ({ endsAt }: Period) => boundaryFrom(anchor, endsAt) - endsAt > LATEST_BOUNDARY_MS;
  return periods.find(isLate) ?? null;
}

/** Returns the anchor that an instant stands for, as Stripe reads a `billing_cycle_anchor`. */
export function anchorAt(instant: InstantMs): CycleAnchor {
  const at = DateTime.fromMillis(instant, { zone: 'utc' });
  return { dayOfMonth: at.day, hour: at.hour, minute: at.minute, second: at.second };
}

function periodsFrom(calendar: Calendar, now: InstantMs): readonly Period[] {
  const periods = [periodContaining(calendar, now)];
  while (periods.length < PERIODS_TRIED) {
    const last = periods.at(-1);
    if (last === undefined) break;
    periods.push(nextPeriod(calendar, last));
  }
  return periods;
}

function firstMisfit(anchor: CycleAnchor, periods: readonly Period[]): Period | null {
  for (const [index, period] of periods.entries()) {
    const next = periods[index + 1];
    if (next === undefined) return null;
    const boundary = boundaryFrom(anchor, period.endsAt);
    if (boundary >= next.endsAt) return period;
    // With a second boundary before its end, the next period misses its own and is billed late.
    if (boundaryAfter(anchor, boundary) < next.endsAt) return next;
  }
  return null;
}

/** Returns the first boundary at an instant or after it. */
function boundaryFrom(anchor: CycleAnchor, instant: InstantMs): InstantMs {
  const month = DateTime.fromMillis(instant, { zone: 'utc' }).startOf('month');
  const boundary = boundaryIn(anchor, month);
  return boundary >= instant ? boundary : boundaryIn(anchor, month.plus({ months: 1 }));
}

function boundaryAfter(anchor: CycleAnchor, boundary: InstantMs): InstantMs {
  const month = DateTime.fromMillis(boundary, { zone: 'utc' }).startOf('month');
  return boundaryIn(anchor, month.plus({ months: 1 }));
}

function boundaryIn(anchor: CycleAnchor, month: DateTime): InstantMs {
  const { hour, minute, second } = anchor;
  const day = Math.min(anchor.dayOfMonth, month.daysInMonth ?? anchor.dayOfMonth);
  return month.set({ day, hour, minute, second }).toMillis();
}
