import { DateTime } from 'luxon';
import type { InstantMs } from '../clock.ts';
import type { Parts } from '../parts.ts';

/** A calendar month with its bounds in UTC. */
export interface CalendarMonth {
  /** YYYY-MM */
  readonly name: string;
  readonly startsAt: InstantMs;
  readonly endsAt: InstantMs;
}

/** Returns the newest month that is over in every time zone. */
export function lastEndedMonth({ clock }: Pick<Parts, 'clock'>): CalendarMonth {
  const start = DateTime.fromMillis(clock(), { zone: 'utc' })
    .minus({ days: 1 })
    .startOf('month')
    .minus({ months: 1 });
  return {
    name: start.toFormat('yyyy-MM'),
    startsAt: start.toMillis(),
    endsAt: start.plus({ months: 1 }).toMillis(),
  };
}
