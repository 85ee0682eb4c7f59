import { expect, test } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import type { Periods } from '../../src/periods/placement.ts';
import { placeUsage } from '../../src/periods/placement.ts';

const at = (text: string) => parseInstant(text);

function periods(closedUntil: string | null): Periods {
  const calendar = [{ effectiveFrom: null, timeZone: 'UTC', anchorDay: 1 }];
  return { calendar, closedUntil: closedUntil === null ? null : at(closedUntil) };
}

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
