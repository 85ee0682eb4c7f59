import type { StatementView } from '../statement-view.ts';
import type { ShareTable } from '../words/share-table.ts';
import {
  FAINT,
  fits,
  INK,
  PAGE,
  RULE,
  rule,
  type Sheet,
  SOFT,
  shorten,
  startPage,
  within,
  write,
  writeBlock,
  writeRight,
} from './pdf-sheet.ts';

const WIDTH = PAGE.right - PAGE.left;
const ROW = 13.2;
const CELL = { size: 8.5 };
const CALLS_AT = 440;
const HEADING = { size: 10.5, bold: true, x: PAGE.left };

/** A comparison with two lines of models. */
export const COMPARISON_HEIGHT = 64;

export function drawComparison(sheet: Sheet, comparison: StatementView['comparison']): void {
  if (comparison === null) return;
  sheet.y += 4;
  within(sheet, 'H2', () =>
    write(sheet, 'Compared with the period before', { ...HEADING, y: sheet.y }),
  );
  sheet.y += 15;
  const { summary, models } = comparison;
  sheet.y += writeBlock(sheet, summary, { ...CELL, x: PAGE.left, y: sheet.y, width: WIDTH }) + 2;
  if (models.length > 0) {
    const changes = models.map(({ label, amount }) => `${label} ${amount}`).join(', ');
    const place = { ...CELL, color: SOFT, x: PAGE.left, y: sheet.y, width: WIDTH };
    sheet.y += writeBlock(sheet, changes, place) + 2;
  }
  sheet.y += 9;
}

/**
 * Draws a table by feature or by user. A short one stays whole; a longer one goes on, below its
 * repeated header, on a page that has its last rows and the total at least, and what comes `after`
 * the table too.
 */
export function drawShares(sheet: Sheet, table: ShareTable, after: number): void {
  const { rows } = table;
  const isShort = rows.length <= 2 * FEWEST;
  const first = isShort ? (rows.length + 1) * ROW + after : FEWEST * ROW;
  if (!fits(sheet, 36 + first)) startPage(sheet);
  within(sheet, 'H2', () => write(sheet, table.title, { ...HEADING, y: sheet.y }));
  sheet.y += 16;
  within(sheet, 'Table', () => drawRows(sheet, table, isShort ? null : after));
  sheet.y += 9;
}

/** So many rows at the least stand on each side of a break. */
const FEWEST = 2;

/** What comes after is null for a table that does not break. */
function drawRows(sheet: Sheet, table: ShareTable, after: number | null): void {
  const { rows, total } = table;
  drawHeader(sheet, table);
  for (const [index, row] of rows.entries()) {
    const left = rows.length - index + 1;
    const needed = left === FEWEST + 1 ? left * ROW + (after ?? 0) : ROW;
    if (after !== null && !fits(sheet, needed)) {
      startPage(sheet);
      drawHeader(sheet, table);
    }
    drawRow(sheet, row, false);
  }
  drawRow(sheet, total, true);
}

function drawHeader(sheet: Sheet, { of }: ShareTable): void {
  const head = { size: 6.8, bold: true, color: SOFT, y: sheet.y };
  within(sheet, 'TR', () => {
    within(sheet, 'TH', () => write(sheet, of.toUpperCase(), { ...head, x: PAGE.left }));
    within(sheet, 'TH', () => writeRight(sheet, 'CALLS', { ...head, x: CALLS_AT }));
    within(sheet, 'TH', () => writeRight(sheet, 'AMOUNT', { ...head, x: PAGE.right }));
  });
  sheet.y += 11;
  rule(sheet, { y: sheet.y, color: RULE });
}

function drawRow(sheet: Sheet, { name, calls, amount }: ShareTable['total'], bold: boolean): void {
  const y = sheet.y + 3;
  const style = { ...CELL, bold };
  within(sheet, 'TR', () => {
    within(sheet, 'TD', () => {
      const text = shorten(sheet, name, { ...style, width: CALLS_AT - PAGE.left - 60 });
      write(sheet, text, { ...style, x: PAGE.left, y });
    });
    const soft = bold ? INK : SOFT;
    within(sheet, 'TD', () => writeRight(sheet, calls, { ...style, color: soft, x: CALLS_AT, y }));
    within(sheet, 'TD', () => writeRight(sheet, amount, { ...style, x: PAGE.right, y }));
  });
  sheet.y += ROW;
  rule(sheet, { y: sheet.y, color: FAINT });
}
