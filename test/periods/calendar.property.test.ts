import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Calendar,
  changeCalendar,
  nextPeriod,
  type Period,
  periodContaining,
  periodsBeginningIn,
} from '../../src/periods/calendar.ts';
import { cases } from '../support/cases.ts';

const ZONES = [
  'UTC',
  'Africa/Cairo',
  'Africa/Casablanca',
  'America/Argentina/Buenos_Aires',
  'America/Caracas',
  'America/Havana',
  'America/Los_Angeles',
  'America/New_York',
  'America/Sao_Paulo',
  'America/Scoresbysund',
  'America/St_Johns',
  'Antarctica/Troll',
  'Asia/Amman',
  'Asia/Beirut',
  'Asia/Gaza',
  'Asia/Kathmandu',
  'Asia/Kolkata',
  'Asia/Pyongyang',
  'Asia/Tehran',
  'Asia/Tokyo',
  'Atlantic/Azores',
  'Australia/Eucla',
  'Australia/Lord_Howe',
  'Europe/Berlin',
  'Europe/Dublin',
  'Europe/London',
  'Pacific/Apia',
  'Pacific/Auckland',
  'Pacific/Chatham',
  'Pacific/Kiritimati',
  'Pacific/Kwajalein',
  'Pacific/Marquesas',
  'Pacific/Pago_Pago',
];

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const instant = fc.integer({ min: Date.UTC(1990, 0, 1), max: Date.UTC(2100, 0, 1) });
/** Half of them the two ends of the world's clocks, between which the local date moves by two days. */
const zone = fc.oneof(
  fc.constantFrom(...ZONES),
  fc.constantFrom('Pacific/Kiritimati', 'Pacific/Pago_Pago'),
);

/** Half of them close to one another, for stubs of a day or two. */
const anchorDay = fc.oneof(fc.integer({ min: 1, max: 31 }), fc.integer({ min: 1, max: 3 }));
const rule = fc.record({ timeZone: zone, anchorDay });

/** Changes that follow on one another within hours are as likely as those years apart. */
const waitMs = fc.oneof(
  fc.integer({ min: 0, max: 3 * DAY }),
  fc.integer({ min: 25 * DAY, max: 35 * DAY }),
  fc.integer({ min: 0, max: 3000 * DAY }),
);

interface Change {
  readonly asOf: number;
  readonly timeZone: string;
  readonly anchorDay: number;
}

const history = fc
  .record({
    first: rule,
    startsAt: instant,
    later: fc.array(fc.record({ waitMs, change: rule }), { maxLength: 6, size: 'max' }),
  })
  .map(({ first, startsAt, later }) => {
    let asOf = startsAt;
    const changes: Change[] = [];
    for (const { waitMs, change } of later) {
      asOf += waitMs;
      changes.push({ asOf, ...change });
    }
    return { calendar: unchanging(first), changes };
  });

/** A change in the course of a stub of a day or two: where start dates could meet. */
const stubbed = fc
  .record({ asOf: instant, day: fc.integer({ min: 1, max: 25 }), stubDays: fc.constantFrom(1, 2) })
  .chain(({ asOf, day, stubDays }) => {
    const timeZone = 'Pacific/Kiritimati';
    const calendar = changeCalendar(unchanging({ timeZone, anchorDay: day }), {
      asOf,
      timeZone,
      anchorDay: day + stubDays,
    });
    const stubFrom = calendar.at(-1)?.effectiveFrom ?? 0;
    const near = fc.integer({ min: Math.max(day - 2, 1), max: day + 2 });
    return fc
      .record({ into: fc.integer({ min: 0, max: DAY - 1 }), timeZone: zone, anchorDay: near })
      .map(({ into, ...next }) => changeCalendar(calendar, { asOf: stubFrom + into, ...next }));
  });

const changedCalendar = fc.oneof(
  history.map(({ calendar, changes }) => changes.reduce(changeCalendar, calendar)),
  stubbed,
);

/** Any instant, or one within days of a change, where the rules meet. */
const moment = fc
  .record({
    at: instant,
    change: fc.integer({ min: 1, max: 6 }),
    offset: fc.integer({ min: -2 * DAY, max: 3 * DAY }),
  })
  .map(({ at, change, offset }) => (calendar: Calendar): number => {
    const effectiveFrom = calendar[change]?.effectiveFrom ?? null;
    return effectiveFrom === null ? at : effectiveFrom + offset;
  });

const longRun = { timeout: 3_600_000 };

describe('the periods of any calendar', longRun, () => {
  test('contain every instant, once', () => {
    fc.assert(
      fc.property(changedCalendar, moment, (calendar, momentIn) => {
        const at = momentIn(calendar);
        const period = periodContaining(calendar, at);
        expect(period.startsAt <= at && at < period.endsAt).toBe(true);
        for (const inside of [period.startsAt, period.endsAt - 1, middle(period)]) {
          expect(periodContaining(calendar, inside)).toEqual(period);
        }
        expect(periodContaining(calendar, period.startsAt - 1).endsAt).toBe(period.startsAt);
        expect(periodContaining(calendar, period.endsAt).startsAt).toBe(period.endsAt);
      }),
      cases(120),
    );
  });

  test('tile the time around every change with ascending start dates', () => {
    fc.assert(
      fc.property(changedCalendar, (calendar) => {
        for (const { effectiveFrom } of calendar) {
          const periods = walk(calendar, (effectiveFrom ?? 0) - 40 * DAY, 5);
          const untidy = periods.filter((period, index) => {
            const next = periods[index + 1];
            if (next === undefined) return false;
            const tiles = next.startsAt === period.endsAt && next.startDate > period.startDate;
            return !tiles || period.endsAt - period.startsAt >= 66 * DAY;
          });
          expect(untidy).toEqual([]);
        }
      }),
      cases(120),
    );
  });

  test('carry the local date of their start', () => {
    fc.assert(
      fc.property(changedCalendar, moment, (calendar, momentIn) => {
        const { startDate, startsAt, timeZone } = periodContaining(calendar, momentIn(calendar));
        expect(startDate).toBe(localDate(timeZone, startsAt));
      }),
      cases(120),
    );
  });

  test('are found by the month in which they begin', () => {
    fc.assert(
      fc.property(changedCalendar, instant, (calendar, at) => {
        const about = calendar.at(-1)?.effectiveFrom ?? at;
        const periods = walk(calendar, about - 100 * DAY, 10);
        const months = new Set(periods.map(monthOf));
        // The walk may have begun or stopped in the middle of a month.
        for (const end of [periods.at(0)!, periods.at(-1)!]) months.delete(monthOf(end));
        for (const month of months) {
          const expected = periods.filter(({ startDate }) => startDate.startsWith(month));
          expect(periodsBeginningIn(calendar, month)).toEqual(expected);
        }
      }),
      cases(120),
    );
  });
});

describe('a calendar that never changes', longRun, () => {
  test('begins a period at the first instant of the anchor date or later, and not before', () => {
    fc.assert(
      fc.property(rule, instant, (first, at) => {
        const { startsAt } = periodContaining(unchanging(first), at);
        const begins = localDate(first.timeZone, startsAt);
        const anchorDate = anchorDateBefore(first.anchorDay, begins);
        expect(begins >= anchorDate).toBe(true);
        // Every quarter of an hour of the two days before; an expectation for each would take longest.
        const quarters = Array.from({ length: 192 }, (_, n) => startsAt - 1 - n * (HOUR / 4));
        const reached = (earlier: number) => localDate(first.timeZone, earlier) >= anchorDate;
        expect(quarters.filter(reached)).toEqual([]);
      }),
      cases(100),
    );
  });

  test('has periods of 28 to 31 days, give or take what the clocks or the zone shift', () => {
    fc.assert(
      fc.property(rule, instant, (first, at) => {
        const { startsAt, endsAt } = periodContaining(unchanging(first), at);
        expect(endsAt - startsAt).toBeGreaterThanOrEqual(27 * DAY - HOUR);
        expect(endsAt - startsAt).toBeLessThanOrEqual(32 * DAY + HOUR);
      }),
      cases(120),
    );
  });
});

describe('a change of calendar', longRun, () => {
  test('leaves every period that had ended as it was, and the start of the one that had not', () => {
    fc.assert(
      fc.property(history, ({ calendar, changes }) => {
        let current = calendar;
        for (const change of changes) {
          const open = periodContaining(current, change.asOf);
          const past = walk(current, open.startsAt - 100 * DAY, 4).filter(
            ({ endsAt }) => endsAt <= open.startsAt,
          );
          current = changeCalendar(current, change);
          for (const period of past) {
            expect(periodContaining(current, period.startsAt)).toEqual(period);
          }
          const { startsAt, startDate, timeZone } = periodContaining(current, change.asOf);
          expect({ startsAt, startDate, timeZone }).toEqual({
            startsAt: open.startsAt,
            startDate: open.startDate,
            timeZone: open.timeZone,
          });
        }
      }),
      cases(120),
    );
  });

  test('has the new rule in effect from the end of the present period', () => {
    fc.assert(
      fc.property(rule, instant, rule, (first, asOf, next) => {
        const before = unchanging(first);
        const after = changeCalendar(before, { asOf, ...next });
        const present = periodContaining(before, asOf);
        expect(periodContaining(after, asOf)).toEqual(present);
        const following = nextPeriod(after, present);
        expect(following).toMatchObject({ startsAt: present.endsAt, timeZone: next.timeZone });
        // The stub ends where a tenant who always had the new rule begins a period.
        expect(periodContaining(unchanging(next), following.endsAt).startsAt).toBe(
          following.endsAt,
        );
      }),
      cases(120),
    );
  });
});

function unchanging(first: { timeZone: string; anchorDay: number }): Calendar {
  return [{ effectiveFrom: null, ...first }];
}

function walk(calendar: Calendar, from: number, count: number): Period[] {
  const periods = [periodContaining(calendar, from)];
  while (periods.length < count) {
    periods.push(nextPeriod(calendar, periods.at(-1)!));
  }
  return periods;
}

function monthOf(period: Period): string {
  return period.startDate.slice(0, 7);
}

function middle(period: Period): number {
  return Math.floor((period.startsAt + period.endsAt) / 2);
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** The runtime's own word for the local date, which the code under test does not ask. */
function localDate(timeZone: string, at: number): string {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' });
    formats.set(timeZone, format);
  }
  return format.format(at);
}

/** The latest anchor date that is not after a date, counted in plain days of the calendar. */
function anchorDateBefore(day: number, date: string): string {
  const year = Number(date.slice(0, 4));
  const month = Number(date.slice(5, 7));
  const dates = [month, month - 1].map((each) => {
    const last = new Date(Date.UTC(year, each, 0)).getUTCDate();
    return new Date(Date.UTC(year, each - 1, Math.min(day, last))).toISOString().slice(0, 10);
  });
  return dates.find((each) => each <= date) ?? 'none';
}
