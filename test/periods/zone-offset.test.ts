import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stretchAt } from '../../src/periods/zone-offset.ts';
import { cases } from '../support/cases.ts';

const at = (text: string): number => Date.parse(text);

test.each([
  ['UTC', '2026-07-01T00:00:00Z', '+00:00:00'],
  ['Asia/Kathmandu', '2026-07-01T00:00:00Z', '+05:45:00'],
  ['America/St_Johns', '2026-07-01T00:00:00Z', '-02:30:00'],
  ['America/St_Johns', '2026-01-01T00:00:00Z', '-03:30:00'],
  // Half an hour of daylight saving.
  ['Australia/Lord_Howe', '2026-01-01T00:00:00Z', '+11:00:00'],
  ['Australia/Lord_Howe', '2026-07-01T00:00:00Z', '+10:30:00'],
  // Liberia kept the time of Monrovia's own sun until 7 January 1972.
  ['Africa/Monrovia', '1972-01-06T23:00:00Z', '-00:44:30'],
  ['Africa/Monrovia', '1972-01-08T00:00:00Z', '+00:00:00'],
])('the clocks of %s at %s are at %s', (timeZone, instant, expected) => {
  expect(written(stretchAt(timeZone, at(instant)).offsetMs)).toBe(expected);
});

test('an offset changes at the millisecond', () => {
  // On 25 October 2026 Berlin's clocks go back from 3:00 to 2:00 at 01:00 UTC.
  const change = at('2026-10-25T01:00:00Z');
  const [before, after] = [
    stretchAt('Europe/Berlin', change - 1),
    stretchAt('Europe/Berlin', change),
  ];
  expect([before.offsetMs, after.offsetMs]).toEqual([2 * HOUR, HOUR]);
  expect([before.endsAt, after.startsAt]).toEqual([change, change]);
});

test('two changes within a week are both seen', () => {
  // Recife had summer time from 8 to 15 October 2000 only.
  const days = ['2000-10-07', '2000-10-09', '2000-10-14', '2000-10-16'];
  const offsets = days.map((day) => stretchAt('America/Recife', at(`${day}T12:00:00Z`)).offsetMs);
  expect(offsets).toEqual([-3 * HOUR, -2 * HOUR, -2 * HOUR, -3 * HOUR]);
});

test('a zone that the runtime does not know is a fault', () => {
  expect(() => stretchAt('Mars/Phobos', 0)).toThrow(RangeError);
});

test('what is forgotten is found again', () => {
  const years = Array.from({ length: 450 }, (_, n) => Date.UTC(1700 + n, 6, 1));
  const first = years.map((year) => stretchAt('Asia/Tokyo', year));
  expect(years.map((year) => stretchAt('Asia/Tokyo', year))).toEqual(first);
});

test('what was found is kept, for two hundred spans of a zone', () => {
  const spans = Array.from({ length: 201 }, (_, n) => Date.UTC(1900, 0, 1) + n * 368 * DAY);
  const [first = 0, ...others] = spans;
  const found = stretchAt('Asia/Seoul', first);
  for (const instant of others.slice(0, -1)) stretchAt('Asia/Seoul', instant);
  expect(stretchAt('Asia/Seoul', first)).toBe(found);
  stretchAt('Asia/Seoul', others.at(-1) ?? 0);
  const again = stretchAt('Asia/Seoul', first);
  expect(again).not.toBe(found);
  expect(again).toEqual(found);
});

test('at any instant of any zone, the offset is that of the clocks, and stretches tile the time', () => {
  const anyZone = fc.constantFrom('UTC', ...Intl.supportedValuesOf('timeZone'));
  const instant = fc.integer({ min: Date.UTC(1970, 0, 1), max: Date.UTC(2100, 0, 1) });
  fc.assert(
    fc.property(anyZone, instant, (timeZone, moment) => {
      const stretch = stretchAt(timeZone, moment);
      expect(stretch.startsAt <= moment && moment < stretch.endsAt).toBe(true);
      const next = stretchAt(timeZone, stretch.endsAt);
      expect(next.startsAt).toBe(stretch.endsAt);
      for (const inside of [stretch.startsAt, moment, stretch.endsAt - 1]) {
        expect(clock('UTC', inside + stretch.offsetMs)).toBe(clock(timeZone, inside));
      }
      expect(clock('UTC', stretch.endsAt + next.offsetMs)).toBe(clock(timeZone, stretch.endsAt));
    }),
    cases(300),
  );
}, 3_600_000);

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function written(offsetMs: number): string {
  const size = new Date(Math.abs(offsetMs)).toISOString().slice(11, 19);
  return `${offsetMs < 0 ? '-' : '+'}${size}`;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Date and time as the runtime writes them, from which nothing is computed. */
function clock(timeZone: string, instant: number): string {
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  formats.set(timeZone, format);
  return format.format(instant);
}
