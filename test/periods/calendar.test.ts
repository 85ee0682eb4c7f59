import { describe, expect, test } from 'vitest';
import {
  beginOfDay,
  type Calendar,
  changeCalendar,
  isTimeZone,
  monthsOf,
  nextPeriod,
  periodContaining,
  periodsBeginningIn,
} from '../../src/periods/calendar.ts';
import { Refusal } from '../../src/refusal.ts';

const at = (text: string): number => Date.parse(text);
const iso = (instant: number): string => new Date(instant).toISOString();

function since(timeZone: string, anchorDay: number): Calendar {
  return [{ effectiveFrom: null, timeZone, anchorDay }];
}

function beginningIn(calendar: Calendar, ...months: string[]): string[] {
  return months
    .flatMap((month) => periodsBeginningIn(calendar, month))
    .map(({ startDate, startsAt, endsAt }) => `${startDate}: ${iso(startsAt)} to ${iso(endsAt)}`);
}

describe('an anchor day that a month does not have falls on its last day', () => {
  test.each([
    // Day 31: January to May of a common year, of a leap year, and of 2100, which is none.
    [31, '2026', ['01-31', '02-28', '03-31', '04-30', '05-31']],
    [31, '2028', ['01-31', '02-29', '03-31', '04-30', '05-31']],
    [31, '2100', ['01-31', '02-28', '03-31', '04-30', '05-31']],
    [31, '2000', ['01-31', '02-29', '03-31', '04-30', '05-31']],
    [30, '2026', ['01-30', '02-28', '03-30', '04-30', '05-30']],
    [30, '2028', ['01-30', '02-29', '03-30', '04-30', '05-30']],
    [29, '2026', ['01-29', '02-28', '03-29', '04-29', '05-29']],
    [29, '2028', ['01-29', '02-29', '03-29', '04-29', '05-29']],
    [28, '2028', ['01-28', '02-28', '03-28', '04-28', '05-28']],
    [1, '2026', ['01-01', '02-01', '03-01', '04-01', '05-01']],
  ])('day %i in %s: %j', (anchorDay, year, expected) => {
    const calendar = since('UTC', anchorDay);
    let period = periodContaining(calendar, at(`${year}-01-31T12:00:00Z`));
    const dates = [period.startDate];
    while (dates.length < expected.length) {
      period = nextPeriod(calendar, period);
      dates.push(period.startDate);
    }
    expect(dates).toEqual(expected.map((date) => `${year}-${date}`));
  });

  test('the last instant before the anchor date is in the period before it', () => {
    const calendar = since('UTC', 31);
    expect(periodContaining(calendar, at('2026-02-27T23:59:59.999Z')).startDate).toBe('2026-01-31');
    expect(periodContaining(calendar, at('2026-02-28T00:00:00.000Z')).startDate).toBe('2026-02-28');
  });
});

describe('a boundary is the first instant of the anchor date or later', () => {
  test.each<[string, string, number, string, string[]]>([
    [
      'in a zone with 45 minutes',
      'Asia/Kathmandu',
      1,
      '2026-10',
      ['2026-10-01: 2026-09-30T18:15:00.000Z to 2026-10-31T18:15:00.000Z'],
    ],
    [
      // Clocks go forward from 2:00 on 8 March: the period is 31 days less an hour.
      'over the start of daylight saving',
      'America/New_York',
      1,
      '2026-03',
      ['2026-03-01: 2026-03-01T05:00:00.000Z to 2026-04-01T04:00:00.000Z'],
    ],
    [
      // Half an hour of daylight saving: +11:00 becomes +10:30 on 5 April.
      'over the end of daylight saving on Lord Howe Island',
      'Australia/Lord_Howe',
      1,
      '2026-04',
      ['2026-04-01: 2026-03-31T13:00:00.000Z to 2026-04-30T13:30:00.000Z'],
    ],
    [
      // 4 November 2018 began at 1:00; there was no midnight.
      'where daylight saving skipped midnight',
      'America/Sao_Paulo',
      4,
      '2018-11',
      ['2018-11-04: 2018-11-04T03:00:00.000Z to 2018-12-04T02:00:00.000Z'],
    ],
    [
      // At 1:00 summer time, 05:00 UTC, clocks went back to 0:00: midnight at 04:00 and 05:00 UTC.
      'where midnight came twice',
      'America/Havana',
      4,
      '2018-11',
      ['2018-11-04: 2018-11-04T04:00:00.000Z to 2018-12-04T05:00:00.000Z'],
    ],
    [
      // At 0:00 on 18 February, 02:00 UTC, clocks went back to 23:00 on the 17th: the 18th began after it.
      'where the day before went on for an hour at midnight',
      'America/Sao_Paulo',
      18,
      '2018-02',
      ['2018-02-18: 2018-02-18T03:00:00.000Z to 2018-03-18T03:00:00.000Z'],
    ],
    [
      // The clocks go back at 2:00, 15:00 UTC, after the period has begun at 13:00 UTC.
      'on the very day of a change, far to the east',
      'Australia/Lord_Howe',
      5,
      '2026-04',
      ['2026-04-05: 2026-04-04T13:00:00.000Z to 2026-05-04T13:30:00.000Z'],
    ],
    [
      // Clocks went back from 0:01 on the 29th to 23:01 on the 28th, which came to its end twice.
      'where a date began, and was taken back after a minute',
      'America/St_Johns',
      29,
      '2006-10',
      ['2006-10-29: 2006-10-29T02:30:00.000Z to 2006-11-29T03:30:00.000Z'],
    ],
    [
      // Samoa crossed the date line: 29 December 2011 was followed by the 31st.
      'where the zone skipped the anchor date',
      'Pacific/Apia',
      30,
      '2011-12',
      ['2011-12-31: 2011-12-30T10:00:00.000Z to 2012-01-29T10:00:00.000Z'],
    ],
    [
      // The Line Islands skipped 31 December 1994, so that December's boundary begins January.
      'where the zone skipped the last day of a month',
      'Pacific/Kiritimati',
      31,
      '1995-01',
      [
        '1995-01-01: 1994-12-31T10:00:00.000Z to 1995-01-30T10:00:00.000Z',
        '1995-01-31: 1995-01-30T10:00:00.000Z to 1995-02-27T10:00:00.000Z',
      ],
    ],
    ['where nothing begins in the month for that reason', 'Pacific/Kiritimati', 31, '1994-12', []],
  ])('%s', (_, timeZone, anchorDay, month, expected) => {
    expect(beginningIn(since(timeZone, anchorDay), month)).toEqual(expected);
  });

  test('the hour that comes again after the boundary stays in the new period', () => {
    // 02:30 UTC is 0:00 on 1 November, 02:31 UTC is 23:01 on 31 October once more.
    const calendar = since('America/St_Johns', 1);
    for (const time of ['02:30:00', '02:31:00', '03:29:59', '03:30:00']) {
      const period = periodContaining(calendar, at(`2009-11-01T${time}Z`));
      expect(period.startDate).toBe('2009-11-01');
      expect(iso(period.endsAt)).toBe('2009-12-01T03:30:00.000Z');
    }
    expect(periodContaining(calendar, at('2009-11-01T02:29:59Z')).startDate).toBe('2009-10-01');
  });
});

describe('a change takes effect at the end of the present period', () => {
  const june = at('2026-06-10T09:00:00Z');

  test('a new anchor day makes a stub up to its first date', () => {
    const calendar = changeCalendar(since('UTC', 1), {
      asOf: june,
      timeZone: 'UTC',
      anchorDay: 15,
    });
    expect(beginningIn(calendar, '2026-06', '2026-07', '2026-08')).toEqual([
      '2026-06-01: 2026-06-01T00:00:00.000Z to 2026-07-01T00:00:00.000Z',
      '2026-07-01: 2026-07-01T00:00:00.000Z to 2026-07-15T00:00:00.000Z',
      '2026-07-15: 2026-07-15T00:00:00.000Z to 2026-08-15T00:00:00.000Z',
      '2026-08-15: 2026-08-15T00:00:00.000Z to 2026-09-15T00:00:00.000Z',
    ]);
  });

  test('a zone to the west makes a stub of the hours until its own midnight', () => {
    const change = { asOf: june, timeZone: 'America/New_York', anchorDay: 1 };
    expect(beginningIn(changeCalendar(since('UTC', 1), change), '2026-06', '2026-07')).toEqual([
      '2026-06-01: 2026-06-01T00:00:00.000Z to 2026-07-01T00:00:00.000Z',
      '2026-06-30: 2026-07-01T00:00:00.000Z to 2026-07-01T04:00:00.000Z',
      '2026-07-01: 2026-07-01T04:00:00.000Z to 2026-08-01T04:00:00.000Z',
    ]);
  });

  test('a zone to the east shortens the first period by the hours that have passed there', () => {
    const change = { asOf: june, timeZone: 'Europe/Berlin', anchorDay: 1 };
    expect(beginningIn(changeCalendar(since('UTC', 1), change), '2026-06', '2026-07')).toEqual([
      '2026-06-01: 2026-06-01T00:00:00.000Z to 2026-07-01T00:00:00.000Z',
      '2026-07-01: 2026-07-01T00:00:00.000Z to 2026-07-31T22:00:00.000Z',
    ]);
  });

  test('over the date line, the start date goes back two days and is still later', () => {
    const change = { asOf: june, timeZone: 'Pacific/Pago_Pago', anchorDay: 1 };
    const calendar = changeCalendar(since('Pacific/Kiritimati', 1), change);
    expect(beginningIn(calendar, '2026-06', '2026-07')).toEqual([
      '2026-06-01: 2026-05-31T10:00:00.000Z to 2026-06-30T10:00:00.000Z',
      '2026-06-29: 2026-06-30T10:00:00.000Z to 2026-07-01T11:00:00.000Z',
      '2026-07-01: 2026-07-01T11:00:00.000Z to 2026-08-01T11:00:00.000Z',
    ]);
  });

  test('a start that would not have a later date is passed over: the stub before it goes on', () => {
    // Given a stub of one day, 1 July on Kiritimati;
    const first = { asOf: june, timeZone: 'Pacific/Kiritimati', anchorDay: 2 };
    const withStub = changeCalendar(since('Pacific/Kiritimati', 1), first);
    expect(beginningIn(withStub, '2026-07')).toEqual([
      '2026-07-01: 2026-06-30T10:00:00.000Z to 2026-07-01T10:00:00.000Z',
      '2026-07-02: 2026-07-01T10:00:00.000Z to 2026-08-01T10:00:00.000Z',
    ]);
    // when during that day the zone changes to one where its end is 30 June, 23:00,
    const second = {
      asOf: at('2026-07-01T00:00:00Z'),
      timeZone: 'Pacific/Pago_Pago',
      anchorDay: 1,
    };
    // then neither 30 June nor 1 July can begin a period after the one of 1 July.
    const calendar = changeCalendar(withStub, second);
    expect(beginningIn(calendar, '2026-06', '2026-07', '2026-08')).toEqual([
      '2026-06-01: 2026-05-31T10:00:00.000Z to 2026-06-30T10:00:00.000Z',
      '2026-07-01: 2026-06-30T10:00:00.000Z to 2026-08-01T11:00:00.000Z',
      '2026-08-01: 2026-08-01T11:00:00.000Z to 2026-09-01T11:00:00.000Z',
    ]);
    for (const passedOver of [
      '2026-07-01T10:00:00Z',
      '2026-07-01T11:00:00Z',
      '2026-07-20T00:00:00Z',
    ]) {
      expect(periodContaining(calendar, at(passedOver)).startDate).toBe('2026-07-01');
    }
  });

  test('a second change in the same period replaces the first', () => {
    const first = { asOf: june, timeZone: 'Asia/Tokyo', anchorDay: 15 };
    const second = { asOf: june + 1, timeZone: 'Europe/Berlin', anchorDay: 10 };
    const once = changeCalendar(since('UTC', 1), second);
    expect(changeCalendar(changeCalendar(since('UTC', 1), first), second)).toEqual(once);
  });

  test('a change to what holds already is none, and withdraws one that is to come', () => {
    const same = { asOf: june, timeZone: 'UTC', anchorDay: 1 };
    expect(changeCalendar(since('UTC', 1), same)).toEqual(since('UTC', 1));
    const pending = changeCalendar(since('UTC', 1), { ...same, anchorDay: 15 });
    expect(changeCalendar(pending, same)).toEqual(since('UTC', 1));
  });

  test.each([
    [{ timeZone: 'UTC+3', anchorDay: 1 }, '"UTC+3" is not a time zone', 'such as Europe/Berlin'],
    [{ timeZone: 'UTC', anchorDay: 0 }, '0 is not an anchor day', 'from 1 to 31'],
    [{ timeZone: 'UTC', anchorDay: 32 }, '32 is not an anchor day', 'from 1 to 31'],
    [{ timeZone: 'UTC', anchorDay: 1.5 }, '1.5 is not an anchor day', 'from 1 to 31'],
  ])('%j is refused', (change, message, remedy) => {
    const refused = refusalOf(() => changeCalendar(since('UTC', 1), { asOf: june, ...change }));
    expect(refused).toMatchObject({ kind: 'bad_request', message });
    expect(refused.remedy.join()).toContain(remedy);
  });
});

describe('names and months', () => {
  test.each([
    ['UTC', true],
    ['Etc/UTC', true],
    ['Europe/Berlin', true],
    ['Asia/Kolkata', true],
    ['Asia/Calcutta', true],
    ['America/Argentina/Buenos_Aires', true],
    ['America/Port-au-Prince', true],
    ['UTC+3', false],
    ['+03:00', false],
    ['GMT+3', false],
    ['BST', false],
    ['PST', false],
    ['europe/berlin', false],
    ['aFRICA/Cairo', false],
    ['SystemV/AST4', false],
    ['Mars/Phobos', false],
    ['local', false],
    ['', false],
  ])('%j as a time zone: %s', (name, expected) => {
    expect(isTimeZone(name)).toBe(expected);
  });

  test('every zone that the runtime lists is one', () => {
    expect(Intl.supportedValuesOf('timeZone').filter((name) => !isTimeZone(name))).toEqual([]);
  });

  test.each(['2026-13', '2026-00', '2026-1', '26-01', '2026', '2026-01-01', 'July', ''])(
    'the month %j is refused',
    (month) => {
      const refused = refusalOf(() => periodsBeginningIn(since('UTC', 1), month));
      expect(refused).toMatchObject({ kind: 'bad_request', message: `"${month}" is not a month` });
      expect(refused.remedy.join()).toContain('YYYY-MM');
    },
  );

  test('a calendar without a rule since ever is a fault', () => {
    expect(() => periodContaining([], 0)).toThrow('a calendar begins with a rule');
  });
});

function refusalOf(refused: () => unknown): Refusal {
  try {
    refused();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

test.each([
  ['0500-06-20T00:00:00Z', '0500-06-15', '0500-07-15'],
  ['0999-12-31T00:00:00Z', '0999-12-15', '1000-01-15'],
  ['0001-02-20T00:00:00Z', '0001-02-15', '0001-03-15'],
])('a producer whose clock was never set has periods, too: %s', (instant, startsOn, endsOn) => {
  const { startDate, startsAt, endsAt } = periodContaining(since('UTC', 15), at(instant));
  expect(startDate).toBe(startsOn);
  expect([iso(startsAt), iso(endsAt)]).toEqual([
    `${startsOn}T00:00:00.000Z`,
    `${endsOn}T00:00:00.000Z`,
  ]);
});

test('instants fall into months by the periods that hold them, from the first to the last', () => {
  const calendar = since('Europe/Vienna', 15);
  const months = (from: string, to: string) => monthsOf(calendar, at(from), at(to));
  expect(months('2026-10-14T21:59:59.999Z', '2026-10-14T21:59:59.999Z')).toEqual(['2026-09']);
  expect(months('2026-10-14T21:59:59.999Z', '2026-10-14T22:00:00Z')).toEqual([
    '2026-09',
    '2026-10',
  ]);
  expect(months('2026-10-20T00:00:00Z', '2027-01-01T00:00:00Z')).toEqual([
    '2026-10',
    '2026-11',
    '2026-12',
  ]);
});

test('a day begins where its zone says so, by the rule that holds then', () => {
  const calendar = [
    ...since('UTC', 1),
    { effectiveFrom: at('2026-11-01T00:00:00Z'), timeZone: 'Asia/Kathmandu', anchorDay: 1 },
  ];
  const begin = (instant: string) => iso(beginOfDay(calendar, at(instant)));
  expect(begin('2026-10-15T23:59:59Z')).toBe('2026-10-15T00:00:00.000Z');
  // Five and three quarters of an hour before UTC.
  expect(begin('2026-11-15T18:14:59Z')).toBe('2026-11-14T18:15:00.000Z');
  expect(begin('2026-11-15T18:15:00Z')).toBe('2026-11-15T18:15:00.000Z');
});
