import type { LayerTable } from '../layer-table.ts';
import {
  FAINT,
  fits,
  PAGE,
  RULE,
  rule,
  type Sheet,
  SOFT,
  startPage,
  within,
  write,
  writeBlock,
  writeRight,
} from './pdf-sheet.ts';

/** The places at which the figures end: below those of the lines. */
const COLUMNS = { tokens: 335, exact: 467 };

const ROW = 13.2;
const CELL = { size: 8.5 };

/** Draws the table of token layers, whole on one page. */
export function drawLayers(sheet: Sheet, layers: LayerTable): void {
  if (!fits(sheet, 64 + layers.rows.length * ROW)) startPage(sheet);
  const heading = { size: 10.5, bold: true, x: PAGE.left, y: sheet.y };
  within(sheet, 'H2', () => write(sheet, layers.title, heading));
  sheet.y += 16;
  const place = { size: 8, color: SOFT, x: PAGE.left, y: sheet.y, width: PAGE.right - PAGE.left };
  sheet.y += writeBlock(sheet, layers.explanation.join(' '), place) + 4;
  within(sheet, 'Table', () => drawRows(sheet, layers.rows));
  sheet.y += 8;
}

function drawRows(sheet: Sheet, rows: LayerTable['rows']): void {
  const cell = (tag: 'TH' | 'TD', draw: () => void) => within(sheet, tag, draw);
  const head = { size: 6.8, bold: true, color: SOFT, y: sheet.y };
  within(sheet, 'TR', () => {
    cell('TH', () => write(sheet, 'LAYER', { ...head, x: PAGE.left }));
    cell('TH', () => writeRight(sheet, 'TOKENS', { ...head, x: COLUMNS.tokens }));
    cell('TH', () => writeRight(sheet, 'EXACT', { ...head, x: COLUMNS.exact }));
  });
  sheet.y += 11;
  rule(sheet, { y: sheet.y, color: RULE });
  for (const row of rows) {
    const y = sheet.y + 3;
    within(sheet, 'TR', () => {
      cell('TD', () => write(sheet, row.name, { ...CELL, x: PAGE.left, y }));
      cell('TD', () => writeRight(sheet, row.tokens, { ...CELL, x: COLUMNS.tokens, y }));
      cell('TD', () => writeRight(sheet, row.exact, { ...CELL, color: SOFT, x: COLUMNS.exact, y }));
    });
    sheet.y += ROW;
    rule(sheet, { y: sheet.y, color: FAINT, from: PAGE.left });
  }
}
