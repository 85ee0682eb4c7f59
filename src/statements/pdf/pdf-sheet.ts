import type PDFDocument from 'pdfkit';
import { isRightToLeft, splitByFont, type TextRun } from './pdf-fonts.ts';
import { drawShaped } from './pdf-shaped.ts';
import { shareLayouts } from './shared-layouts.ts';

type Doc = InstanceType<typeof PDFDocument>;
type Element = ReturnType<Doc['struct']>;

/** The document being drawn, and how far down its current page. Points from the top left corner. */
export interface Sheet {
  readonly doc: Doc;
  /** The folders of further fonts; those of the system where there is none. */
  readonly folders: readonly string[];
  y: number;
  /** What is drawn belongs to this element of the document's structure; null for what is no content. */
  element: Element | null;
  /** Whether text goes into the element itself, or into a paragraph of its own within it. */
  isLeaf: boolean;
  /** Whether no font had some character so far. */
  missed: boolean;
}

/** Elements that hold their text themselves. */
const LEAVES = ['H1', 'H2', 'P', 'TH', 'TD', 'LI', 'Caption'] as const;
const BRANCHES = ['Sect', 'Table', 'TR', 'L'] as const;
type Tag = (typeof LEAVES)[number] | (typeof BRANCHES)[number];

/** Draws an element of the structure that screen readers follow. */
export function within(sheet: Sheet, tag: Tag, draw: () => void): void {
  const { element: outer, isLeaf } = sheet;
  if (outer === null) {
    draw();
    return;
  }
  const inner = sheet.doc.struct(tag, tag === 'TH' ? SCOPE : {});
  outer.add(inner);
  sheet.element = inner;
  sheet.isLeaf = (LEAVES as readonly string[]).includes(tag);
  draw();
  inner.end();
  sheet.element = outer;
  sheet.isLeaf = isLeaf;
}

const SCOPE = { scope: 'Column' } as object;

/** Draws a picture that is told in words instead. */
export function figure(sheet: Sheet, words: string, draw: () => void): void {
  const { doc, element } = sheet;
  const inner = doc.struct('Figure', { alt: words });
  element?.add(inner);
  const content = doc.markStructureContent('Figure');
  sheet.element = null;
  draw();
  sheet.element = element;
  doc.endMarkedContent();
  inner.add(content);
  inner.end();
}

/** Draws what is no content: rules, and what stands on every page. */
export function artifact(sheet: Sheet, type: 'Layout' | 'Pagination', draw: () => void): void {
  const { doc, element } = sheet;
  // Inside a picture everything is the picture's.
  if (element === null) {
    draw();
    return;
  }
  doc.markContent('Artifact', { type });
  sheet.element = null;
  draw();
  sheet.element = element;
  doc.endMarkedContent();
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

/** Tells whether something of this height still fits on the page. */
export function fits(sheet: Sheet, height: number): boolean {
  return sheet.y + height <= PAGE.bottom;
}

/** Writes one line from `x` to the right. */
export function write(sheet: Sheet, text: string, place: Place): void {
  const runs = runsOf(sheet, text, place);
  mark(sheet, () => drawRuns(sheet, runs, place));
}

/** Writes one line that ends at `x`. */
export function writeRight(sheet: Sheet, text: string, place: Place): void {
  write(sheet, text, { ...place, x: place.x - widthOf(sheet, text, place) });
}

/** Writes one line around `x`. */
export function writeMiddle(sheet: Sheet, text: string, place: Place): void {
  write(sheet, text, { ...place, x: place.x - widthOf(sheet, text, place) / 2 });
}

/** Writes text broken into lines of a width; returns its height. */
export function writeBlock(
  sheet: Sheet,
  text: string,
  place: Place & { readonly width: number },
): number {
  const lines = breakLines(sheet, text, place);
  mark(sheet, () => {
    for (const [index, line] of lines.entries()) {
      const y = place.y + index * lineHeight(place);
      drawRuns(sheet, runsOf(sheet, line, place), { ...place, y });
    }
  });
  return lines.length * lineHeight(place);
}

export function heightOf(
  sheet: Sheet,
  text: string,
  style: Style & { readonly width: number },
): number {
  return breakLines(sheet, text, style).length * lineHeight(style);
}

export function widthOf(sheet: Sheet, text: string, style: Style): number {
  return runsOf(sheet, text, style).reduce((sum, run) => sum + runWidth(sheet, run, style), 0);
}

/** Returns the text, or as much of its beginning as fits, and an ellipsis. */
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
  artifact(sheet, 'Layout', () => {
    sheet.doc
      .moveTo(of.from ?? PAGE.left, of.y)
      .lineTo(PAGE.right, of.y)
      .lineWidth(of.width ?? 0.6)
      .stroke(of.color);
  });
}

export function swatch(
  sheet: Sheet,
  at: { readonly x: number; readonly y: number; readonly color: string },
): void {
  artifact(sheet, 'Layout', () => {
    sheet.doc.roundedRect(at.x, at.y, 6.5, 6.5, 1.4).fill(at.color);
  });
}

/** The text that is drawn here is content of the element at hand. */
function mark(sheet: Sheet, draw: () => void): void {
  const { doc, element, isLeaf } = sheet;
  if (element === null) {
    draw();
    return;
  }
  if (!isLeaf) {
    within(sheet, 'P', () => mark(sheet, draw));
    return;
  }
  const content = doc.markStructureContent('Span');
  draw();
  doc.endMarkedContent();
  element.add(content);
}

function runsOf(sheet: Sheet, text: string, { bold }: Style): readonly TextRun[] {
  const { runs, isWhole } = splitByFont(text, { bold: bold === true, folders: sheet.folders });
  if (!isWhole) sheet.missed = true;
  return runs;
}

/** Above the baseline: what a capital needs, as `y` is the top of a line. */
const ASCENT = 0.735;
const LINE = 1.17;
const LINE_GAP = 0.9;

function lineHeight({ size }: Style): number {
  return size * LINE + LINE_GAP;
}

function drawRuns(sheet: Sheet, runs: readonly TextRun[], place: Place): void {
  let { x } = place;
  for (const run of runs) {
    const width = runWidth(sheet, run, place);
    const baseline = place.y + place.size * ASCENT;
    sheet.doc.fillColor(place.color ?? INK);
    if (run.face.tabular) {
      const options = { ...optionsOf(run), lineBreak: false, baseline: 'alphabetic' as const };
      sheet.doc.text(run.text, x, baseline, options);
    } else {
      const leftward = isRightToLeft(run.text);
      drawShaped(sheet.doc, run.text, { x, y: baseline, size: place.size, leftward });
    }
    x += width;
  }
}

function runWidth({ doc }: Sheet, run: TextRun, { size }: Style): number {
  const { name, source, member } = run.face;
  doc.registerFont(name, source(), member ?? undefined);
  doc.font(name).fontSize(size);
  shareLayouts(doc, name);
  return doc.widthOfString(run.text, optionsOf(run));
}

/**
 * Figures have digits of one width. With a feature, text is laid out as a whole, which scripts that join or
 * turn around need; without one by words, each once.
 */
function optionsOf({ face, text }: TextRun): {
  readonly features?: PDFKit.Mixins.OpenTypeFeatures[];
} {
  if (!face.tabular) return { features: ['kern'] };
  return /\d/.test(text) ? { features: FIGURES } : {};
}

/**
 * Contextual forms are looked for in every place of a text, which takes longer than all the rest of a page, and
 * change no figure. The library's types know only a list of features; its engine takes this form as well.
 */
const FIGURES = { tnum: true, calt: false } as unknown as PDFKit.Mixins.OpenTypeFeatures[];

/** Breaks at spaces, and inside what is longer than a line. */
function breakLines(
  sheet: Sheet,
  text: string,
  style: Style & { readonly width: number },
): readonly string[] {
  const fits = (line: string) => widthOf(sheet, line.trimEnd(), style) <= style.width;
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/(?<=\s)/)) {
    if (fits(line + word)) line += word;
    else {
      if (line !== '') lines.push(line.trimEnd());
      line = '';
      for (const { segment } of GRAPHEMES.segment(word)) {
        if (line !== '' && !fits(line + segment)) {
          lines.push(line);
          line = '';
        }
        line += segment;
      }
    }
  }
  return [...lines, line.trimEnd()];
}

const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' });
