import type { InstantMs } from '../clock.ts';
import { monthAfter, utcDay } from '../clock.ts';
import type { ArchiveRequest } from './archive-answer.ts';

/** The days between which a period must begin: from the first, which null leaves open, to before the other. */
export interface DaysWanted {
  readonly first: string | null;
  readonly before: string;
}

/** Months are those of UTC: which of them a period belongs to is said by the day on which it begins. */
export function daysWanted(
  { month, older_than_months: age }: Pick<ArchiveRequest, 'month' | 'older_than_months'>,
  now: InstantMs,
): DaysWanted {
  if (month !== null) return { first: `${month}-01`, before: `${monthAfter(month)}-01` };
  return { first: null, before: `${monthAfter(utcDay(now).slice(0, 7), 1 - (age ?? 0))}-01` };
}
