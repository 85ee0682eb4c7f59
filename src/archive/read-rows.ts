import type { Cell } from './archived-entry.ts';

/**
 * Reads rows of RFC 4180 as they come, so that a file larger than a string may be read. A cell without quotes and
 * without a character is absent. One apostrophe at the head of a quoted cell is what keeps spreadsheets from running
 * it, and is taken off.
 */
export async function* readRows(pieces: AsyncIterable<string>): AsyncIterable<readonly Cell[]> {
  let rest = '';
  for await (const piece of pieces) {
    rest += piece;
    let read = 0;
    for (let row = rowAt(rest, read); row !== null; row = rowAt(rest, read)) {
      yield row.cells;
      read = row.end;
    }
    rest = rest.slice(read);
  }
  if (rest !== '') throw new Error('it ends in the middle of a row');
}

interface Row {
  readonly cells: readonly Cell[];
  /** The place after its line end. */
  readonly end: number;
}

/** A cell in quotes, in which two are one; or without them; and what ends it. */
const CELL = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;

/** Returns the row that begins at a place of a text; null where it goes on after the text. */
function rowAt(text: string, start: number): Row | null {
  const cells: Cell[] = [];
  CELL.lastIndex = start;
  for (let match = CELL.exec(text); match !== null; match = CELL.exec(text)) {
    const [, quoted, plain = '', after] = match;
    cells.push(quoted === undefined ? plainCell(plain) : quotedCell(quoted));
    if (after !== ',') return { cells, end: CELL.lastIndex };
  }
  return null;
}

function plainCell(text: string): Cell {
  return text === '' ? null : text;
}

function quotedCell(text: string): string {
  return text.replaceAll('""', '"').replace(/^'/, '');
}
