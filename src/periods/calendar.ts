import { DateTime, IANAZone } from 'luxon';
import { DAY_MS, type InstantMs, parseInstant, utcDay } from '../clock.ts';
import { Refusal } from '../refusal.ts';
import { stretchAt } from './zone-offset.ts';

/**
 * A tenant's billing calendar (R16): which instants make up one period.
 *
 * A boundary of a rule is the first instant whose local date is the month's anchor date or later. So
 * a midnight that daylight saving skips, a whole day that a zone skipped, and a midnight that comes
 * twice each give one instant, and periods tile time whatever the clocks do.
 *
 * A period is known by its `startDate`, so start dates ascend strictly. A change of zone can move the
 * local date back by up to two days (Pacific/Kiritimati to Pacific/Pago_Pago); after a stub of a day
 * or two, a period begun by the change could then have the date of the stub, or one before it. Such a
 * start is passed over: the period before it goes on until the next start with a later date. That
 * lengthens only a period that had not ended when the change was made, so never a closed one.
 */

export interface CalendarRule {
  /**
   * It is null for a rule that holds since ever, and otherwise the end of a period under the rule
   * before.
   */
  readonly effectiveFrom: InstantMs | null;
  readonly timeZone: string;
  /** 1-31; in a month that is shorter, its last day. */
  readonly anchorDay: number;
}

/** The first rule has effectiveFrom null; later rules ascend. */
export type Calendar = readonly CalendarRule[];

/** Half-open: `startsAt` belongs to the period, `endsAt` to the next one. */
export interface Period {
  /** Local date of startsAt in the rule's zone, YYYY-MM-DD. */
  readonly startDate: string;
  readonly startsAt: InstantMs;
  readonly endsAt: InstantMs;
  readonly timeZone: string;
}

/** Throws on a calendar that breaks its own rules, which is a programmer's error. */
export function periodContaining(calendar: Calendar, instant: InstantMs): Period {
  const start = lastStart(calendar, instant);
  return { ...start, endsAt: startAfter(calendar, start).startsAt };
}

/**
 * Returns the periods whose startDate lies in that month, ascending: usually one; two after a
 * change of anchor day or zone; none where a zone skipped the anchor date at a month's end or a
 * start was passed over. Refuses a month that is not written YYYY-MM.
 */
export function periodsBeginningIn(calendar: Calendar, month: string): readonly Period[] {
  const first = DateTime.fromFormat(month, 'yyyy-MM', { zone: 'utc' });
  if (!first.isValid) {
    throw new Refusal(
      'bad_request',
      `"${month}" is not a month`,
      'write it as YYYY-MM, such as 2026-10',
    );
  }
  // A day before the month begins in UTC, it has begun in no zone.
  let period = periodContaining(calendar, first.toMillis() - DAY_MS);
  const periods: Period[] = [];
  while (period.startDate.slice(0, 7) <= month) {
    if (period.startDate.startsWith(month)) periods.push(period);
    period = nextPeriod(calendar, period);
  }
  return periods;
}

/**
 * Returns the months in which those periods begin that hold the instants from one to another; what
 * occurred then is priced again month by month.
 */
export function monthsOf(calendar: Calendar, from: InstantMs, to: InstantMs): readonly string[] {
  const months = new Set<string>();
  let period = periodContaining(calendar, from);
  while (period.startsAt <= to) {
    months.add(period.startDate.slice(0, 7));
    period = nextPeriod(calendar, period);
  }
  return [...months];
}

export function nextPeriod(calendar: Calendar, period: Period): Period {
  return periodContaining(calendar, period.endsAt);
}

/**
 * Returns the calendar with a change of zone or anchor day (or both) that takes effect at the end
 * of the period that contains `asOf`, which is the present. A change that is still to come is
 * replaced. Refuses a zone or an anchor day that does not exist.
 */
export function changeCalendar(
  calendar: Calendar,
  change: { asOf: InstantMs; timeZone: string; anchorDay: number },
): Calendar {
  const { asOf, timeZone, anchorDay } = change;
  assertTimeZone(timeZone);
  assertAnchorDay(anchorDay);
  const inEffect = calendar.slice(0, ruleIndexAt(calendar, asOf) + 1);
  const current = inEffect.at(-1);
  if (current?.timeZone === timeZone && current.anchorDay === anchorDay) return inEffect;
  const effectiveFrom = periodContaining(inEffect, asOf).endsAt;
  return [...inEffect, { effectiveFrom, timeZone, anchorDay }];
}

/** Returns the first instant of the local day that contains an instant. */
export function beginOfDay(calendar: Calendar, instant: InstantMs): InstantMs {
  const { timeZone } = ruleAt(calendar, ruleIndexAt(calendar, instant));
  return firstInstantOf(timeZone, parseInstant(`${localDate(timeZone, instant)}T00:00:00Z`));
}

/**
 * Tells whether a name is an IANA zone, written as `Area/Location` or `UTC`. The runtime would also
 * take offsets and abbreviations, but an offset has no daylight saving, and the abbreviation BST,
 * for one, is Bangladesh's time to it.
 */
export function isTimeZone(name: string): boolean {
  if (name === 'UTC') return true;
  return (
    /^[A-Z][A-Za-z]*\//.test(name) && !name.startsWith('SystemV/') && IANAZone.create(name).isValid
  );
}

interface Start {
  readonly startDate: string;
  readonly startsAt: InstantMs;
  readonly timeZone: string;
}

/** The width is more than the offset of any zone at any time (Manila's was once -15:56). */
const WIDEST_OFFSET_MS = 16 * 3_600_000;

/** Returns the start of the period that contains the instant. */
function lastStart(calendar: Calendar, instant: InstantMs): Start {
  const rule = ruleAt(calendar, ruleIndexAt(calendar, instant));
  const boundary = lastBoundary(rule, instant);
  if (rule.effectiveFrom === null) return startUnder(rule, boundary);
  // Within a rule the dates ascend: when the latest start is passed over, so are those before it.
  const start = startUnder(rule, Math.max(boundary, rule.effectiveFrom));
  const before = lastStart(calendar, rule.effectiveFrom - 1);
  return start.startDate > before.startDate ? start : before;
}

/** Returns the first start after another one, passing over those that do not have a later date. */
function startAfter(calendar: Calendar, start: Start): Start {
  let next = start;
  do {
    const index = ruleIndexAt(calendar, next.startsAt);
    const boundary = nextBoundary(ruleAt(calendar, index), next.startsAt);
    const change = calendar[index + 1]?.effectiveFrom ?? Number.POSITIVE_INFINITY;
    const startsAt = Math.min(boundary, change);
    next = startUnder(ruleAt(calendar, change <= boundary ? index + 1 : index), startsAt);
  } while (next.startDate <= start.startDate);
  return next;
}

function startUnder(rule: CalendarRule, startsAt: InstantMs): Start {
  return { startDate: localDate(rule.timeZone, startsAt), startsAt, timeZone: rule.timeZone };
}

function ruleIndexAt(calendar: Calendar, instant: InstantMs): number {
  return calendar.findLastIndex((rule) => (rule.effectiveFrom ?? instant) <= instant);
}

function ruleAt(calendar: Calendar, index: number): CalendarRule {
  const rule = calendar[index];
  if (rule === undefined) throw new Error('a calendar begins with a rule in effect since ever');
  return rule;
}

/**
 * Returns the latest boundary of a rule at or before the instant. The next month's can be before it
 * although its date is not: where clocks go back from 00:01 to 23:01, the last hour of the day
 * comes again.
 */
function lastBoundary(rule: CalendarRule, instant: InstantMs): InstantMs {
  let month = localMonth(rule.timeZone, instant) + 1;
  let boundary = boundaryIn(rule, month);
  while (boundary > instant) {
    month -= 1;
    boundary = boundaryIn(rule, month);
  }
  return boundary;
}

/** Returns the earliest boundary of a rule after the instant. */
function nextBoundary(rule: CalendarRule, instant: InstantMs): InstantMs {
  let month = localMonth(rule.timeZone, instant);
  let boundary = boundaryIn(rule, month);
  while (boundary <= instant) {
    month += 1;
    boundary = boundaryIn(rule, month);
  }
  return boundary;
}

/** Returns the boundary of a month, which is counted from January 1970. */
function boundaryIn(rule: CalendarRule, month: number): InstantMs {
  const first = firstDayOf(month);
  const days = (firstDayOf(month + 1) - first) / DAY_MS;
  const anchorDate = first + (Math.min(rule.anchorDay, days) - 1) * DAY_MS;
  return firstInstantOf(rule.timeZone, anchorDate);
}

/**
 * The map holds every month that was asked for: a few hundred, since hardly any usage is older than
 * 1970.
 */
const firstDays = new Map<number, InstantMs>();

function firstDayOf(month: number): InstantMs {
  const known = firstDays.get(month);
  if (known !== undefined) return known;
  const years = Math.floor(month / 12);
  const year = String(1970 + years).padStart(4, '0');
  const inYear = String(month - years * 12 + 1).padStart(2, '0');
  const first = parseInstant(`${year}-${inYear}-01T00:00:00.000Z`);
  firstDays.set(month, first);
  return first;
}

/**
 * Returns the first instant at which the zone's clocks show a local time or later. The local time
 * is given as the milliseconds that it would be in UTC.
 */
function firstInstantOf(timeZone: string, localTime: number): InstantMs {
  let stretch = stretchAt(timeZone, localTime - WIDEST_OFFSET_MS);
  while (stretch.endsAt + stretch.offsetMs <= localTime) {
    stretch = stretchAt(timeZone, stretch.endsAt);
  }
  return Math.max(stretch.startsAt, localTime - stretch.offsetMs);
}

function localMonth(timeZone: string, instant: InstantMs): number {
  const date = localDate(timeZone, instant);
  return (Number(date.slice(0, 4)) - 1970) * 12 + Number(date.slice(5, 7)) - 1;
}

function localDate(timeZone: string, instant: InstantMs): string {
  return utcDay(instant + stretchAt(timeZone, instant).offsetMs);
}

function assertTimeZone(timeZone: string): void {
  if (isTimeZone(timeZone)) return;
  const remedy = 'give the name of an IANA zone, such as Europe/Berlin or UTC';
  throw new Refusal('bad_request', `"${timeZone}" is not a time zone`, remedy);
}

function assertAnchorDay(anchorDay: number): void {
  if (Number.isInteger(anchorDay) && anchorDay >= 1 && anchorDay <= 31) return;
  const remedy =
    'give a day of the month from 1 to 31; a shorter month then ends the period on its last day';
  throw new Refusal('bad_request', `${anchorDay} is not an anchor day`, remedy);
}
