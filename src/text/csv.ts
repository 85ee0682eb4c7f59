/**
 * Writes one text as a cell of RFC 4180. Text that a spreadsheet would run as a formula gets an
 * apostrophe before it, and so does text that begins with one: whoever reads the file by program
 * takes one leading apostrophe off.
 */
export function textCell(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return DIVIDES.test(safe) || safe !== text ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** What ends a cell, here or where a list is written with semicolons or tabs. */
const DIVIDES = /[",;\t\r\n]/;

/** Beginnings that spreadsheets take for a formula, or strip before they look for one, such as a byte-order mark. */
const FORMULA = /^(?:['=+\-@＝＋－＠]|[\p{Cc}\p{Cf}\p{Z}])/u;

/**
 * Writes one row as RFC 4180 with its line end. Cells of `figures` are decimal figures of ours,
 * whose minus sign is a sign; every other cell is a text.
 */
export function csvRow<Column extends string>(
  columns: readonly Column[],
  row: Readonly<Record<Column, string>>,
  figures: ReadonlySet<string>,
): string {
  const cells = columns.map((column) =>
    figures.has(column) ? row[column] : textCell(row[column]),
  );
  return `${cells.join(',')}\r\n`;
}
