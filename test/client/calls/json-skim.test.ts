import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  charactersIn,
  elementsOf,
  membersOf,
  readValue,
} from '../../../src/client/calls/json-skim.ts';

const spaced = fc.constantFrom(undefined, 1, '\t', '\r\n ');

describe('a skim of JSON', () => {
  it('finds every member and every element, as a reading of the whole does', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), spaced, (value, space) => {
        const text = JSON.stringify(value, null, space);
        const members = membersOf(text);
        const read = [...(members ?? [])].map(([name, slice]) => [
          JSON.parse(`"${name}"`),
          readValue(text, slice),
        ]);
        expect(read).toEqual(Object.entries(JSON.parse(text)));
        for (const [, slice] of members ?? []) {
          const whole = readValue(text, slice);
          if (!Array.isArray(whole)) continue;
          expect(elementsOf(text, slice).map((element) => readValue(text, element))).toEqual(whole);
        }
      }),
    );
  });

  it('finds nothing in a text that is cut off, and never throws', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(), (value, cut) => {
        const text = JSON.stringify(value);
        expect(membersOf(text.slice(0, cut % text.length))).toBeNull();
      }),
    );
    fc.assert(fc.property(fc.string(), (text) => void membersOf(text)));
  });

  it('counts characters of text, and none of pictures', () => {
    const text = JSON.stringify({
      a: 'four',
      b: [{ c: 'x"\\y' }],
      url: 'data:image/png;base64,AAAA',
    });
    // a b c url + four + the escaped text as it stands
    expect(charactersIn(text, { start: 0, end: text.length })).toBe(1 + 1 + 1 + 3 + 4 + 6);
    const picture = JSON.stringify('iVBORw0KGgo'.repeat(1000));
    expect(charactersIn(picture, { start: 0, end: picture.length })).toBe(0);
  });
});
