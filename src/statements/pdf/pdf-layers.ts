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
  write,
  writeBlock,
  writeRight,
} from './pdf-sheet.ts';

/** The places at which the figures end: below those of the lines. */
const COLUMNS = { tokens: 347, exact: 487 };

const ROW = 13.2;
const CELL = { size: 8.5 };

/** The table of token layers, whole on one page. */
export function drawLayers(sheet: Sheet, layers: LayerTable): void {
  if (!fits(sheet, 64 + layers.rows.length * ROW)) startPage(sheet);
  write(sheet, layers.title, { size: 10.5, bold: true, x: PAGE.left, y: sheet.y });
  sheet.y += 16;
  const place = { size: 8, color: SOFT, x: PAGE.left, y: sheet.y, width: PAGE.right - PAGE.left };
  sheet.y += writeBlock(sheet, layers.explanation.join(' '), place) + 4;
  const head = { size: 6.8, bold: true, color: SOFT, y: sheet.y };
  write(sheet, 'LAYER', { ...head, x: PAGE.left });
  writeRight(sheet, 'TOKENS', { ...head, x: COLUMNS.tokens });
  writeRight(sheet, 'EXACT', { ...head, x: COLUMNS.exact });
  sheet.y += 11;
  rule(sheet, { y: sheet.y, color: RULE });
  for (const row of layers.rows) {
    const y = sheet.y + 3;
    write(sheet, row.name, { ...CELL, x: PAGE.left, y });
    writeRight(sheet, row.tokens, { ...CELL, x: COLUMNS.tokens, y });
    writeRight(sheet, row.exact, { ...CELL, color: SOFT, x: COLUMNS.exact, y });
    sheet.y += ROW;
    rule(sheet, { y: sheet.y, color: FAINT, from: PAGE.left });
  }
  sheet.y += 8;
}
