import type { AlignedFigure, LineGroup, LineView } from '../line-groups.ts';
import { SERIES_COLORS } from '../series-colors.ts';
import type { LineSection } from '../statement-view.ts';
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
  write,
  writeBlock,
  writeRight,
} from './pdf-sheet.ts';

/** The left edges of the words and the right edges of the figures. */
const COLUMNS = { model: 62, meter: 208, quantity: 347, rate: 411, exact: 487, amount: PAGE.right };

const ROW = 13.2;
const CELL = { size: 8.5 };
const NAME = { ...CELL, width: COLUMNS.meter - COLUMNS.model - 12 };
const SUBTOTAL = { size: 7.5, color: SOFT };

/** The lines of one section; a page that goes on with it repeats the header and the model's name. */
export function drawSection(sheet: Sheet, section: LineSection, currency: string): void {
  const width = PAGE.right - PAGE.left;
  if (!fits(sheet, 60)) startPage(sheet);
  write(sheet, section.title, { size: 10.5, bold: true, x: PAGE.left, y: sheet.y });
  sheet.y += 16;
  if (section.explanation !== null) {
    const place = { size: 8, color: SOFT, x: PAGE.left, y: sheet.y, width };
    sheet.y += writeBlock(sheet, section.explanation, place) + 4;
  }
  if (section.groups.length === 0) return;
  drawHeader(sheet, currency);
  for (const group of section.groups) drawGroup(sheet, group, currency);
  sheet.y += 8;
}

function drawHeader(sheet: Sheet, currency: string): void {
  const head = { size: 6.8, bold: true, color: SOFT, y: sheet.y };
  write(sheet, 'MODEL', { ...head, x: PAGE.left });
  write(sheet, 'METER', { ...head, x: COLUMNS.meter });
  writeRight(sheet, 'QUANTITY', { ...head, x: COLUMNS.quantity });
  writeRight(sheet, `${currency} PER 1M`, { ...head, x: COLUMNS.rate });
  writeRight(sheet, 'EXACT', { ...head, x: COLUMNS.exact });
  writeRight(sheet, 'AMOUNT', { ...head, x: COLUMNS.amount });
  sheet.y += 11;
  rule(sheet, { y: sheet.y, color: RULE });
}

function drawGroup(sheet: Sheet, group: LineGroup, currency: string): void {
  const goOn = () => {
    startPage(sheet);
    drawHeader(sheet, currency);
  };
  if (!fits(sheet, Math.max(nameHeight(sheet, group), 2 * ROW))) goOn();
  let end = drawName(sheet, group);
  for (const [index, line] of group.lines.entries()) {
    if (!fits(sheet, ROW)) {
      goOn();
      end = drawName(sheet, group);
    }
    drawLine(sheet, line);
    sheet.y += ROW;
    const isLast = index === group.lines.length - 1;
    if (isLast) sheet.y = Math.max(sheet.y, end);
    rule(sheet, { y: sheet.y, color: FAINT, from: isLast ? PAGE.left : COLUMNS.meter - 8 });
  }
}

function nameHeight(sheet: Sheet, group: LineGroup): number {
  return heightOf(sheet, group.model, NAME) + (group.subtotal === null ? 4.5 : 14);
}

/** Draws it beside the first line, and returns where it ends. */
function drawName(sheet: Sheet, group: LineGroup): number {
  const y = sheet.y + 3;
  if (group.series !== null) {
    const color = SERIES_COLORS[group.series] ?? SOFT;
    swatch(sheet, { x: PAGE.left, y: y - 0.2, color });
  }
  const height = writeBlock(sheet, group.model, { ...NAME, x: COLUMNS.model, y });
  if (group.subtotal !== null) {
    const place = { ...SUBTOTAL, x: COLUMNS.model, y: y + height + 0.5 };
    write(sheet, `${group.subtotal} together`, place);
  }
  return sheet.y + nameHeight(sheet, group);
}

function drawLine(sheet: Sheet, line: LineView): void {
  const y = sheet.y + 3;
  write(sheet, line.meter, { ...CELL, color: SOFT, x: COLUMNS.meter, y });
  writeRight(sheet, line.quantity, { ...CELL, x: COLUMNS.quantity, y });
  const unit = widthOf(sheet, line.rateUnit, CELL);
  drawAligned(sheet, line.rate, { ...CELL, x: COLUMNS.rate - unit, y });
  writeRight(sheet, line.rateUnit, { ...CELL, x: COLUMNS.rate, y });
  drawAligned(sheet, line.exact, { ...CELL, color: SOFT, x: COLUMNS.exact, y });
  writeRight(sheet, line.amount, { ...CELL, x: COLUMNS.amount, y });
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
