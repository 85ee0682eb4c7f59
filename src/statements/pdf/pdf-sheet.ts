import type PDFDocument from 'pdfkit';

/** The document being drawn, and how far down its current page. Points from the top left corner. */
export interface Sheet {
  readonly doc: InstanceType<typeof PDFDocument>;
  y: number;
}

/** A4 with room for the footer below `bottom`. */
export const PAGE = { left: 50, right: 545, top: 40, bottom: 804, footer: 816 } as const;

export const INK = '#1f2328';
export const SOFT = '#6a737d';
export const RULE = '#d9dde2';
export const FAINT = '#eceff2';

export interface Style {
  readonly size: number;
  readonly bold?: boolean;
  readonly color?: string;
}

export interface Place extends Style {
  readonly x: number;
  readonly y: number;
}

export function startPage(sheet: Sheet): void {
  sheet.doc.addPage();
  sheet.y = PAGE.top;
}

/** Whether something of this height still fits on the page. */
export function fits(sheet: Sheet, height: number): boolean {
  return sheet.y + height <= PAGE.bottom;
}

/** One line from `x` to the right. */
export function write(sheet: Sheet, text: string, place: Place): void {
  setStyle(sheet, place);
  sheet.doc.text(toWinAnsi(text), place.x, place.y, { lineBreak: false });
}

/** One line that ends at `x`. Helvetica's digits are all of one width, so figures line up. */
export function writeRight(sheet: Sheet, text: string, place: Place): void {
  setStyle(sheet, place);
  const width = sheet.doc.widthOfString(toWinAnsi(text));
  sheet.doc.text(toWinAnsi(text), place.x - width, place.y, { lineBreak: false });
}

/** One line around `x`. */
export function writeMiddle(sheet: Sheet, text: string, place: Place): void {
  writeRight(sheet, text, { ...place, x: place.x + widthOf(sheet, text, place) / 2 });
}

/** Text broken into lines of a width; returns its height. */
export function writeBlock(
  sheet: Sheet,
  text: string,
  place: Place & { readonly width: number },
): number {
  setStyle(sheet, place);
  const options = { width: place.width, lineGap: LINE_GAP };
  sheet.doc.text(toWinAnsi(text), place.x, place.y, options);
  return sheet.doc.heightOfString(toWinAnsi(text), options);
}

export function heightOf(
  sheet: Sheet,
  text: string,
  style: Style & { readonly width: number },
): number {
  setStyle(sheet, style);
  return sheet.doc.heightOfString(toWinAnsi(text), { width: style.width, lineGap: LINE_GAP });
}

export function widthOf(sheet: Sheet, text: string, style: Style): number {
  setStyle(sheet, style);
  return sheet.doc.widthOfString(toWinAnsi(text));
}

/** The text, or as much of its beginning as fits, and an ellipsis. */
export function shorten(
  sheet: Sheet,
  text: string,
  style: Style & { readonly width: number },
): string {
  if (widthOf(sheet, text, style) <= style.width) return text;
  let kept = [...text];
  while (kept.length > 0 && widthOf(sheet, `${kept.join('')}…`, style) > style.width) {
    kept = kept.slice(0, -1);
  }
  return `${kept.join('')}…`;
}

export function rule(
  sheet: Sheet,
  of: {
    readonly y: number;
    readonly from?: number;
    readonly color: string;
    readonly width?: number;
  },
): void {
  sheet.doc
    .moveTo(of.from ?? PAGE.left, of.y)
    .lineTo(PAGE.right, of.y)
    .lineWidth(of.width ?? 0.6)
    .stroke(of.color);
}

export function swatch(
  sheet: Sheet,
  at: { readonly x: number; readonly y: number; readonly color: string },
): void {
  sheet.doc.roundedRect(at.x, at.y, 6.5, 6.5, 1.4).fill(at.color);
}

const LINE_GAP = 1.2;

function setStyle({ doc }: Sheet, style: Style): void {
  doc.font(style.bold === true ? 'Helvetica-Bold' : 'Helvetica');
  doc.fontSize(style.size).fillColor(style.color ?? INK);
}

/** What the fonts that every reader has can show beside Latin-1. */
const FURTHER_CHARACTERS = '€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ';

/**
 * Anything else is written as its code point: a name may look odd then, but it cannot be taken for
 * another one. The minus sign has the en dash's shape.
 */
function toWinAnsi(text: string): string {
  return [...text.replaceAll('−', '–')]
    .map((character) => {
      const code = character.codePointAt(0) ?? 0;
      const shown =
        (code >= 0x20 && code < 0x7f) || (code >= 0xa0 && code <= 0xff && code !== 0xad);
      if (shown || FURTHER_CHARACTERS.includes(character)) return character;
      return `\\u{${code.toString(16)}}`;
    })
    .join('');
}
