import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatInstant, lastMonth, parseInstant } from '../src/clock.ts';

/** How Date reads a text; NaN where it is not an instant. */
function byDate(text: string): number {
  return Date.parse(text);
}

function read(text: string): number {
  try {
    return parseInstant(text);
  } catch {
    return Number.NaN;
  }
}

describe('instants', () => {
  it.each([
    '2026-10-15T12:00:00Z',
    '2026-10-15T12:00:00.5Z',
    '2026-10-15T14:00:00.000+02:00',
    '2026-10-15 12:00:00.123+00',
    '2026-10-15T12:00:00.123Z',
    '2024-02-29T23:59:59.999Z',
  ])('reads %s as Date does', (text) => {
    expect(read(text)).toBe(byDate(text.replace(/\+00$/, '+00:00')));
  });

  it('reads what it writes', () => {
    const least = Date.parse('0001-01-01T00:00:00Z');
    const most = Date.parse('9999-12-31T23:59:59.999Z');
    fc.assert(
      fc.property(fc.integer({ min: least, max: most }), (instant) => {
        expect(parseInstant(formatInstant(instant))).toBe(instant);
      }),
    );
  });

  it('reads a spoiled instant as Date does, or not at all', () => {
    const spoiling = fc.record({
      place: fc.nat(23),
      character: fc.constantFrom(...'0123456789-:TZ.x'),
    });
    fc.assert(
      fc.property(fc.array(spoiling, { maxLength: 3 }), (spoilt) => {
        const characters = [...'2026-10-15T12:34:56.789Z'];
        for (const { place, character } of spoilt) characters[place] = character;
        const text = characters.join('');
        expect(read(text)).toBe(byDate(text));
      }),
      { numRuns: 1_000 },
    );
  });
});

it.each([
  ['2026-11-01T13:00:00Z', '2026-10'],
  ['2026-12-31T23:59:59Z', '2026-11'],
  ['2027-01-01T00:00:00Z', '2026-12'],
])('the month before %s is %s', (now, month) => {
  expect(lastMonth(() => parseInstant(now))).toBe(month);
});
