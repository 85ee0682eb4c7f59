import fc from 'fast-check';
import { expect, it } from 'vitest';
import { inVisualOrder, levelsOf } from '../../../src/statements/pdf/bidi-order.ts';

it.each([
  ['Latin alone', 0, 'gpt-4o, 1,250.50 USD (late)', 'gpt-4o, 1,250.50 USD (late)'],
  ['a number and then a Latin word after Hebrew', 1, 'אבג 128 gpt', 'gpt 128 גבא'],
  ['a Latin word and then a number after Hebrew', 1, 'אבג gpt-4 128', 'gpt-4 128 גבא'],
  ['a number and then a Latin word after Arabic', 1, 'شركة 1,250.50 USD', 'USD 1,250.50 ةكرش'],
  ['digits of Arabic', 1, 'شركة ١٢٬٥٠٠ gpt', 'gpt ١٢٬٥٠٠ ةكرش'],
  ['a percentage', 1, 'אבג 12% דהו', 'והד 12% גבא'],
  ['Hebrew with a number among Latin words', 0, 'Acme אבג 128 דהו end', 'Acme והד 128 גבא end'],
  ['Latin words in brackets', 1, 'אבג (Acme 7) דהו', 'והד (Acme 7) גבא'],
] as const)('%s stands in its order from left to right', (_, base, text, visual) => {
  expect(shown(text, base)).toBe(visual);
});

it('whatever a text is made of, every character of it stands once', () => {
  const some = fc.constantFrom('a', 'b', 'א', 'ب', '1', '٢', ' ', ',', '-', '(', '%');
  fc.assert(
    fc.property(fc.array(some), fc.constantFrom(0, 1), (graphemes, base) => {
      const order = [...shown(graphemes.join(''), base as 0 | 1)];
      expect(order.map((sign) => (sign === ')' ? '(' : sign)).sort()).toEqual(
        [...graphemes].sort(),
      );
    }),
  );
});

/** What a reader sees, a character at a time; a bracket that runs to the left is drawn as its mirror image. */
function shown(text: string, base: 0 | 1): string {
  const graphemes = [...text];
  const levels = levelsOf(graphemes, base);
  const pieces = graphemes.map((each, index) => ({ text: each, level: levels[index] ?? 0 }));
  return inVisualOrder(pieces)
    .map((piece) => (piece.level % 2 === 1 ? (MIRROR[piece.text] ?? piece.text) : piece.text))
    .join('');
}

const MIRROR: Readonly<Record<string, string>> = { '(': ')', ')': '(' };
