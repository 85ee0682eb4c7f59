import type { InstantMs } from '../clock.ts';
import type { Calendar, Period } from './calendar.ts';
import { periodContaining } from './calendar.ts';

/** The facts that decide into which period a tenant's usage falls. */
export interface Periods {
  readonly calendar: Calendar;
  /**
   * The instant at which the open time begins: the end of the last period that is shut or closed.
   */
  readonly closedUntil: InstantMs | null;
  /** How what is shut or closed was billed, the oldest first; times of one mode that follow one another are one. */
  readonly closedTimes: readonly ClosedTime[];
}

export interface ClosedTime {
  readonly until: InstantMs;
  /** The date on which the last of its periods begins. */
  readonly lastStart: string;
  readonly mode: 'shadow' | 'live';
  /** What of them is due of months that were billed goes on to a bill; false of a shadow that was closed before it did. */
  readonly carriesDue: boolean;
}

export interface Placement {
  readonly period: Period;
  /** The usage happened in a period that is closed, and bills in the open one (R12). */
  readonly late: boolean;
  /** False for what happened in a period that was closed in shadow: no bill takes it in (R19). */
  readonly due: boolean;
}

/**
 * Finds the period that usage of an instant falls into. Calendar arithmetic is slow beside
 * everything else in posting, and most usage of a tenant shares a period, so the last answers are
 * kept by the very object that they were given for; a changed calendar or a period that is shut
 * comes in another object.
 */
export function placeUsage(periods: Periods, occurredAt: InstantMs): Placement {
  const known = lastPlacements.get(periods) ?? { current: null, late: null, notDue: null };
  lastPlacements.set(periods, known);
  const { calendar, closedUntil } = periods;
  if (closedUntil !== null && occurredAt < closedUntil) {
    const { mode } = periods.closedTimes.find(({ until }) => occurredAt < until) ?? LIVE;
    if (mode === 'live') {
      known.late ??= { period: periodContaining(calendar, closedUntil), late: true, due: true };
      return known.late;
    }
    known.notDue ??= { period: periodContaining(calendar, closedUntil), late: true, due: false };
    return known.notDue;
  }
  if (known.current === null || !contains(known.current.period, occurredAt)) {
    known.current = { period: periodContaining(calendar, occurredAt), late: false, due: true };
  }
  return known.current;
}

const LIVE = { mode: 'live', carriesDue: true } as const;

/**
 * Finds where that falls which takes an entry back. What nobody was billed for is taken back from
 * no bill: an entry that was not due, or one that stands in a period which was closed in shadow, unless
 * it was late there and is carried to a bill.
 */
export function placeReversal(
  periods: Periods,
  entry: {
    readonly occurredAt: InstantMs;
    readonly periodStart: string;
    readonly late: boolean;
    readonly due: boolean;
  },
): Placement {
  const placement = placeUsage(periods, entry.occurredAt);
  if (!placement.late) return placement;
  const { mode, carriesDue } =
    periods.closedTimes.find(({ lastStart }) => entry.periodStart <= lastStart) ?? LIVE;
  const due = entry.due && (mode === 'live' || (entry.late && carriesDue));
  return due === placement.due ? placement : { ...placement, due };
}

interface LastPlacements {
  current: Placement | null;
  late: Placement | null;
  notDue: Placement | null;
}

const lastPlacements = new WeakMap<Periods, LastPlacements>();

function contains(period: Period, instant: InstantMs): boolean {
  return period.startsAt <= instant && instant < period.endsAt;
}
