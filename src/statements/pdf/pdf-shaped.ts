import type PDFDocument from 'pdfkit';

type Doc = InstanceType<typeof PDFDocument>;

/**
 * What the library keeps of the font at hand. Its own text says of each glyph one set of characters for all, which is
 * wrong where letters share their glyphs, and it has no room for more within the text.
 */
interface FontAtHand {
  readonly id: string;
  layout(text: string, features: readonly string[]): { readonly glyphs: readonly Glyph[] };
  encode(
    text: string,
    features: readonly string[],
  ): readonly [codes: readonly string[], positions: readonly Position[]];
  ref(): unknown;
}

interface Glyph {
  readonly codePoints: readonly number[];
  readonly advanceWidth: number;
}

interface Position {
  readonly xAdvance: number;
  readonly xOffset: number;
  readonly yOffset: number;
}

interface Inside {
  readonly _font: FontAtHand;
  readonly page: { readonly height: number; readonly fonts: Record<string, unknown> };
}

/**
 * Draws one line, from the baseline, of a script whose glyphs join, split or change their places. Characters cannot
 * be read back from such glyphs, so each part says its own to whoever copies, searches or reads aloud: a text that
 * runs to the right as a whole, and one that runs to the left glyph by glyph, as readers turn those around.
 */
export function drawShaped(
  doc: Doc,
  text: string,
  at: { readonly x: number; readonly y: number; readonly size: number; readonly leftward: boolean },
): void {
  const { _font: font, page } = doc as unknown as Inside;
  const [codes, positions] = font.encode(text, FEATURES);
  page.fonts[font.id] ??= font.ref();
  doc.save();
  doc.transform(1, 0, 0, -1, 0, page.height);
  doc.addContent('BT');
  doc.addContent(`/${font.id} ${rounded(at.size)} Tf`);
  const says = at.leftward
    ? letterByGlyph(text, font.layout(text, FEATURES).glyphs)
    : [text, ...codes.slice(1).map(() => null)];
  const unit = at.size / 1000;
  let x = at.x;
  for (const [index, code] of codes.entries()) {
    const { xAdvance = 0, xOffset = 0, yOffset = 0 } = positions[index] ?? {};
    const place = [x + xOffset * unit, page.height - at.y + yOffset * unit].map(rounded);
    const said = says[index] ?? null;
    if (said !== null) {
      if (index > 0) doc.addContent('EMC');
      doc.addContent(`/Span <</ActualText <${utf16(said)}>>> BDC`);
    }
    doc.addContent(`1 0 0 1 ${place.join(' ')} Tm`);
    doc.addContent(`[<${code}>] TJ`);
    x += xAdvance * unit;
  }
  if (codes.length > 0) doc.addContent('EMC');
  doc.addContent('ET');
  doc.restore();
}

/** With a feature named, the library lays out a text as a whole and not by words. */
const FEATURES = ['kern'];

/**
 * What each glyph from left to right says: a letter that goes on is its own, a dot or a mark, which takes no room,
 * is a part of one and says nothing, and what stands for more than one letter, as of lam and alef, says all of them
 * from left to right, too, since a reader turns around characters and not glyphs. The library knows only of how many
 * letters it is: glyphs that letters share have the characters of one of them.
 */
function letterByGlyph(text: string, glyphs: readonly Glyph[]): readonly string[] {
  const letters = [...LETTERS.segment(text)].map(({ segment }) => segment);
  const last = glyphs.findLastIndex(({ advanceWidth }) => advanceWidth > 0);
  return glyphs.map(({ advanceWidth, codePoints }, index) => {
    if (advanceWidth === 0) return '';
    const count = index === last ? letters.length : Math.max(1, codePoints.length);
    return letters.splice(-count, count).reverse().join('');
  });
}

const LETTERS = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Text as a document writes it in hexadecimal digits. */
function utf16(text: string): string {
  return Buffer.from(`\ufeff${text}`, 'utf16le').swap16().toString('hex');
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
