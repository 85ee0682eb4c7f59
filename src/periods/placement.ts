import type { InstantMs } from '../clock.ts';
import type { Calendar, Period } from './calendar.ts';
import { periodContaining } from './calendar.ts';

/** What decides into which period a tenant's usage falls. */
export interface Periods {
  readonly calendar: Calendar;
  /**
   * The instant at which the open time begins: the end of the last period that is shut or closed.
   */
  readonly closedUntil: InstantMs | null;
}

export interface Placement {
  readonly period: Period;
  /** The usage happened in a period that is closed, and bills in the open one (R12). */
  readonly late: boolean;
}

/**
 * The period that usage of an instant falls into. Calendar arithmetic is slow beside everything else
 * in posting, and most usage of a tenant shares a period, so the last answers are kept by the very
 * object that they were given for; a changed calendar or a period that is shut comes in another object.
 */
export function placeUsage(periods: Periods, occurredAt: InstantMs): Placement {
  const known = lastPlacements.get(periods) ?? { current: null, late: null };
  lastPlacements.set(periods, known);
  const { calendar, closedUntil } = periods;
  if (closedUntil !== null && occurredAt < closedUntil) {
    known.late ??= { period: periodContaining(calendar, closedUntil), late: true };
    return known.late;
  }
  if (known.current === null || !contains(known.current.period, occurredAt)) {
    known.current = { period: periodContaining(calendar, occurredAt), late: false };
  }
  return known.current;
}

interface LastPlacements {
  current: Placement | null;
  late: Placement | null;
}

const lastPlacements = new WeakMap<Periods, LastPlacements>();

function contains(period: Period, instant: InstantMs): boolean {
  return period.startsAt <= instant && instant < period.endsAt;
}
