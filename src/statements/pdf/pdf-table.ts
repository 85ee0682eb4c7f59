import { present } from '../../present.ts';
import type { AlignedFigure, LineGroup, LineView } from '../line-groups.ts';
import { SERIES_COLORS } from '../series-colors.ts';
import type { LineSection } from '../words/section-words.ts';
import {
  FAINT,
  fits,
  heightOf,
  PAGE,
  RULE,
  rule,
  type Sheet,
  SOFT,
  startPage,
  swatch,
  widthOf,
  within,
  write,
  writeBlock,
  writeRight,
} from './pdf-sheet.ts';

/** The left edges of the words and the right edges of the figures, and the size in which all have room. */
interface Columns {
  readonly meter: number;
  readonly quantity: number;
  readonly rate: number;
  readonly exact: number;
  readonly size: number;
}

const MODEL_AT = PAGE.left + 12;
const GAP = 13;
const SIZES = [8.5, 8, 7.5, 7, 6.5, 6, 5.5, 5];
const LEAST_FOR_A_NAME = 88;
const FARTHEST_METER = 208;

/** Figures of any length have their room: names get what is left, and everything is smaller before that is too little. */
function columnsOf(sheet: Sheet, { groups }: LineSection, currency: string): Columns {
  const lines = groups.flatMap((group) => group.lines);
  const measured = SIZES.map((size) => {
    const head = { ...HEAD, size: HEAD.size };
    const room = (title: string, texts: readonly string[]) =>
      GAP +
      Math.max(
        widthOf(sheet, title, head),
        ...[...new Set(texts)].map((text) => widthOf(sheet, text, { size })),
      );
    const aligned = ({ text, lacking }: AlignedFigure) => text + '0'.repeat(lacking);
    const exact =
      PAGE.right -
      room(
        'AMOUNT',
        lines.map((line) => line.amount),
      );
    const rate =
      exact -
      room(
        'EXACT',
        lines.map((line) => aligned(line.exact)),
      );
    const rates = lines.map((line) => aligned(line.rate) + line.rateUnit);
    const quantity = rate - room(`${currency} PER 1M`, rates);
    const quantities = room(
      'QUANTITY',
      lines.map((line) => line.quantity),
    );
    const meters = room(
      'METER',
      lines.map((line) => line.meter),
    );
    const meter = Math.min(FARTHEST_METER, quantity - quantities - meters);
    return { size, exact, rate, quantity, meter };
  });
  const roomy = measured.find(({ meter }) => meter - MODEL_AT >= LEAST_FOR_A_NAME);
  return present(roomy ?? measured.at(-1), 'a size of text');
}

const ROW = 12.4;
const HEAD = { size: 6.8, bold: true, color: SOFT };
const SUBTOTAL = { size: 7.5, color: SOFT };

/**
 * Draws the lines of one section; a page that goes on with it repeats the header and the model's
 * name.
 */
export function drawSection(sheet: Sheet, section: LineSection, currency: string): void {
  const width = PAGE.right - PAGE.left;
  if (!fits(sheet, 60)) startPage(sheet);
  const heading = { size: 10.5, bold: true, x: PAGE.left, y: sheet.y };
  within(sheet, 'H2', () => write(sheet, section.title, heading));
  sheet.y += 16;
  if (section.explanation !== null) {
    const place = { size: 8, color: SOFT, x: PAGE.left, y: sheet.y, width };
    sheet.y += writeBlock(sheet, section.explanation, place) + 4;
  }
  for (const { label, amount } of section.remarks) {
    const place = { size: 8, x: PAGE.left, y: sheet.y, width };
    sheet.y += writeBlock(sheet, `• ${label} (${amount})`, place) + 4;
  }
  if (section.groups.length === 0) {
    sheet.y += 8;
    return;
  }
  const table = { currency, columns: columnsOf(sheet, section, currency) };
  within(sheet, 'Table', () => {
    drawHeader(sheet, table);
    for (const group of section.groups) drawGroup(sheet, group, table);
  });
  sheet.y += 8;
}

interface Table {
  readonly currency: string;
  readonly columns: Columns;
}

function drawHeader(sheet: Sheet, { currency, columns }: Table): void {
  const head = { ...HEAD, y: sheet.y };
  const cell = (draw: () => void) => within(sheet, 'TH', draw);
  within(sheet, 'TR', () => {
    cell(() => write(sheet, 'MODEL', { ...head, x: PAGE.left }));
    cell(() => write(sheet, 'METER', { ...head, x: columns.meter }));
    cell(() => writeRight(sheet, 'QUANTITY', { ...head, x: columns.quantity }));
    cell(() => writeRight(sheet, `${currency} PER 1M`, { ...head, x: columns.rate }));
    cell(() => writeRight(sheet, 'EXACT', { ...head, x: columns.exact }));
    cell(() => writeRight(sheet, 'AMOUNT', { ...head, x: PAGE.right }));
  });
  sheet.y += 11;
  rule(sheet, { y: sheet.y, color: RULE });
}

function drawGroup(sheet: Sheet, group: LineGroup, table: Table): void {
  const { columns } = table;
  const goOn = () => {
    startPage(sheet);
    drawHeader(sheet, table);
  };
  if (!fits(sheet, Math.max(nameHeight(sheet, group, columns), 2 * ROW))) goOn();
  let end = 0;
  let isNamed = false;
  for (const [index, line] of group.lines.entries()) {
    if (!fits(sheet, ROW)) {
      goOn();
      isNamed = false;
    }
    within(sheet, 'TR', () => {
      within(sheet, 'TD', () => {
        if (!isNamed) end = drawName(sheet, group, columns);
      });
      drawLine(sheet, line, columns);
    });
    isNamed = true;
    sheet.y += ROW;
    const isLast = index === group.lines.length - 1;
    if (isLast) sheet.y = Math.max(sheet.y, end);
    rule(sheet, { y: sheet.y, color: FAINT, from: isLast ? PAGE.left : columns.meter - 8 });
  }
}

function nameHeight(sheet: Sheet, group: LineGroup, columns: Columns): number {
  const name = heightOf(sheet, group.model, nameStyle(columns)) + 4.5;
  if (group.subtotal === null) return name;
  return name + heightOf(sheet, together(group.subtotal), subtotalStyle(columns));
}

function together(subtotal: string): string {
  return `${subtotal} together`;
}

function subtotalStyle({ size, meter }: Columns) {
  return { ...SUBTOTAL, size: Math.min(SUBTOTAL.size, size), width: meter - MODEL_AT - 10 };
}

function nameStyle({ size, meter }: Columns) {
  return { size, width: meter - MODEL_AT - 10 };
}

/** Draws it beside the first line, and returns where it ends. */
function drawName(sheet: Sheet, group: LineGroup, columns: Columns): number {
  const y = sheet.y + 3;
  if (group.series !== null) {
    const color = SERIES_COLORS[group.series] ?? SOFT;
    swatch(sheet, { x: PAGE.left, y: y - 0.2, color });
  }
  const height = writeBlock(sheet, group.model, { ...nameStyle(columns), x: MODEL_AT, y });
  if (group.subtotal !== null) {
    const place = { ...subtotalStyle(columns), x: MODEL_AT, y: y + height + 0.5 };
    writeBlock(sheet, together(group.subtotal), place);
  }
  return sheet.y + nameHeight(sheet, group, columns);
}

function drawLine(sheet: Sheet, line: LineView, columns: Columns): void {
  const y = sheet.y + 3;
  const cell = (draw: () => void) => within(sheet, 'TD', draw);
  const unit = widthOf(sheet, line.rateUnit, columns);
  cell(() => write(sheet, line.meter, { size: columns.size, color: SOFT, x: columns.meter, y }));
  cell(() => writeRight(sheet, line.quantity, { size: columns.size, x: columns.quantity, y }));
  cell(() => {
    drawAligned(sheet, line.rate, { size: columns.size, x: columns.rate - unit, y });
    writeRight(sheet, line.rateUnit, { size: columns.size, x: columns.rate, y });
  });
  cell(() =>
    drawAligned(sheet, line.exact, { size: columns.size, color: SOFT, x: columns.exact, y }),
  );
  cell(() => writeRight(sheet, line.amount, { size: columns.size, x: PAGE.right, y }));
}

/** Leaves room for the digits that it lacks, so that the points stand below each other. */
function drawAligned(
  sheet: Sheet,
  figure: AlignedFigure,
  place: Parameters<typeof writeRight>[2],
): void {
  const room = widthOf(sheet, '0'.repeat(figure.lacking), place);
  writeRight(sheet, figure.text, { ...place, x: place.x - room });
}
