import { expect, test } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import type { Periods } from '../../src/periods/placement.ts';
import { placeReversal, placeUsage } from '../../src/periods/placement.ts';

const at = (text: string) => parseInstant(text);

const calendar = [{ effectiveFrom: null, timeZone: 'UTC', anchorDay: 1 }];

function periods(closedUntil: string | null): Periods {
  if (closedUntil === null) return { calendar, closedUntil: null, closedTimes: [] };
  const until = at(closedUntil);
  return {
    calendar,
    closedUntil: until,
    closedTimes: [{ until, lastStart: '2026-10-01', mode: 'live', carriesDue: true }],
  };
}

/** September was closed in shadow and October when the tenant was live; then came shadow again. */
const CHANGING: Periods = {
  calendar,
  closedUntil: at('2026-12-01T00:00:00Z'),
  closedTimes: [
    {
      until: at('2026-10-01T00:00:00Z'),
      lastStart: '2026-09-01',
      mode: 'shadow',
      carriesDue: false,
    },
    { until: at('2026-11-01T00:00:00Z'), lastStart: '2026-10-01', mode: 'live', carriesDue: true },
    {
      until: at('2026-12-01T00:00:00Z'),
      lastStart: '2026-11-01',
      mode: 'shadow',
      carriesDue: true,
    },
  ],
};

/** Where usage of an instant falls, as start date and lateness. */
function placed(of: Periods, instant: string): string {
  const { period, late } = placeUsage(of, at(instant));
  return `${period.startDate}${late ? ' late' : ''}`;
}

test('usage falls into the period of its instant, whichever came before it', () => {
  const open = periods(null);
  // One object is asked again and again, as posting does, so that remembered answers are seen to change.
  expect(placed(open, '2026-10-15T00:00:00Z')).toBe('2026-10-01');
  expect(placed(open, '2026-11-01T00:00:00Z')).toBe('2026-11-01');
  expect(placed(open, '2026-10-31T23:59:59.999Z')).toBe('2026-10-01');
  expect(placed(open, '2026-10-01T00:00:00Z')).toBe('2026-10-01');
  expect(placed(open, '2026-09-30T23:59:59.999Z')).toBe('2026-09-01');
});

test('usage of a closed period bills in the one that is open, late, however old it is', () => {
  const closed = periods('2026-11-01T00:00:00Z');
  expect(placed(closed, '2026-10-31T23:59:59.999Z')).toBe('2026-11-01 late');
  expect(placed(closed, '2020-02-29T00:00:00Z')).toBe('2026-11-01 late');
  expect(placed(closed, '2026-11-01T00:00:00Z')).toBe('2026-11-01');
  expect(placed(closed, '2026-12-01T00:00:00Z')).toBe('2026-12-01');
  expect(placed(closed, '2026-10-01T00:00:00Z')).toBe('2026-11-01 late');
});

test.each([
  ['2026-01-15T00:00:00Z', 'not due', 'before the first close belongs to it'],
  ['2026-09-30T23:59:59.999Z', 'not due', 'of a month in shadow'],
  ['2026-10-01T00:00:00Z', 'due', 'of a month that was billed'],
  ['2026-11-15T00:00:00Z', 'not due', 'of a month in shadow after it'],
  ['2026-12-01T00:00:00Z', 'due', 'of the open month'],
])('usage of %s is %s: it is %s', (instant, due) => {
  expect(placeUsage(CHANGING, at(instant)).due ? 'due' : 'not due').toBe(due);
  // On a bill or not, it stands in the open month.
  expect(placed(CHANGING, instant)).toMatch(/^2026-12-01/);
});

test('what is not due is late in the open month as what is due', () => {
  expect(placed(CHANGING, '2026-09-30T23:59:59.999Z')).toBe('2026-12-01 late');
  expect(placed(CHANGING, '2026-10-15T00:00:00Z')).toBe('2026-12-01 late');
});

const LATE = { late: true, due: true };

test.each([
  [
    'an entry of a month that was billed',
    '2026-10-15',
    '2026-10-01',
    { late: false, due: true },
    true,
  ],
  ['an entry of a month in shadow', '2026-09-15', '2026-09-01', { late: false, due: true }, false],
  ['late usage of shadow', '2026-09-15', '2026-10-01', { late: true, due: false }, false],
  // Before entries knew of it, late usage of a month in shadow was billed.
  ['what was billed all the same', '2026-09-15', '2026-10-01', LATE, true],
  ['late usage that shadow carries to a bill', '2026-10-15', '2026-11-01', LATE, true],
  ['late usage that a shadow of before left to nobody', '2026-08-15', '2026-09-01', LATE, false],
  ['what came late into the open month', '2026-10-15', '2026-12-01', LATE, true],
  ['an entry of the open month', '2026-12-15', '2026-12-01', { late: false, due: true }, true],
])('what takes back %s is on a bill only where that was', (_, occurred, periodStart, as, taken) => {
  const entry = { occurredAt: at(`${occurred}T00:00:00Z`), periodStart, ...as };
  expect(placeReversal(CHANGING, entry).due).toBe(taken);
});

test('answers are remembered for the object that they were given for, and for no other', () => {
  const open = periods(null);
  const first = placeUsage(open, at('2026-10-15T00:00:00Z'));
  // The same object, since making it again is what the memory saves.
  expect(placeUsage(open, at('2026-10-20T00:00:00Z'))).toBe(first);
  const closed = periods('2026-11-01T00:00:00Z');
  expect(placed(closed, '2026-10-15T00:00:00Z')).toBe('2026-11-01 late');
  const late = placeUsage(closed, at('2026-10-15T00:00:00Z'));
  expect(placeUsage(closed, at('2026-09-15T00:00:00Z'))).toBe(late);
  expect(placeUsage(open, at('2026-10-15T00:00:00Z'))).toBe(first);
});
