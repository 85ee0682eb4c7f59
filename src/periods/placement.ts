import type { InstantMs } from '../clock.ts';
import type { Calendar, Period } from './calendar.ts';
import { periodContaining } from './calendar.ts';

/** What decides into which period a tenant's usage falls. */
export interface Periods {
  readonly calendar: Calendar;
  /** Where the open time begins: the end of the last period that is sealed or closed. */
  readonly closedUntil: InstantMs | null;
}

export interface Placement {
  readonly period: Period;
  /** The usage happened in a period that is closed, and bills in the open one (R12). */
  readonly late: boolean;
}

export function placeUsage(periods: Periods, occurredAt: InstantMs): Placement {
  const { calendar, closedUntil } = periods;
  if (closedUntil !== null && occurredAt < closedUntil) {
    return { period: periodContaining(calendar, closedUntil), late: true };
  }
  return { period: periodContaining(calendar, occurredAt), late: false };
}
