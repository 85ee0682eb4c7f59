import { COPY_COLUMNS } from '../ledger/entries/copy-line.ts';
import { escapeText, NULL, unescapeText } from '../ledger/entries/copy-text.ts';
import {
  HIDDEN_COLUMNS,
  LATER_HIDDEN_COLUMNS,
  LATER_SHOWN_COLUMNS,
  SHOWN_COLUMNS,
} from '../ledger/entries/entry-columns.ts';
import { hashHidden } from '../seals/entry-hash.ts';
import { textCell } from '../text/csv.ts';

/** The columns of an archived entry: everything that the ledger has of it, and the salt of its batch. */
export const ARCHIVE_COLUMNS: readonly string[] = [...COPY_COLUMNS.split(', '), 'salt'];

/** A cell as CSV has it: what is absent is empty, and an empty text stands in quotes. */
export type Cell = string | null;

/** Returns the cells of an entry's row, from its line for COPY. */
export function cellsOf(copyLine: string, salt: string): readonly Cell[] {
  return [...copyLine.slice(0, -1).split('\t').map(unescapeText), salt];
}

export function archiveRow(cells: readonly Cell[]): string {
  return `${cells.map(cellText).join(',')}\r\n`;
}

/** The first row of the file. */
export const ARCHIVE_HEAD = `${ARCHIVE_COLUMNS.join(',')}\r\n`;

/** The part of an entry that a proof shows, made from its row alone: the text, and the hash of what it hides. */
export function provenEntry(row: readonly Cell[]): {
  readonly shown: string;
  readonly hidden: string;
} {
  const textOf = (column: string): string => {
    const cell = row[ARCHIVE_COLUMNS.indexOf(column)];
    return cell === null || cell === undefined ? NULL : escapeText(cell);
  };
  const later = LATER_HIDDEN_COLUMNS.map(textOf);
  const hidden = HIDDEN_COLUMNS.map(textOf).concat(later.every(isNull) ? [] : later);
  return {
    shown: withoutLastNulls(SHOWN_COLUMNS.map(textOf), LATER_SHOWN_COLUMNS.map(textOf)).join('\t'),
    hidden: hashHidden({
      salt: textOf('salt'),
      entryId: textOf('entry_id'),
      hidden: hidden.join('\t'),
    }),
  };
}

/** The last of the later columns that are null leave no trace in the hash. */
function withoutLastNulls(columns: readonly string[], later: readonly string[]): readonly string[] {
  const kept = later.findLastIndex((text) => !isNull(text)) + 1;
  return [...columns, ...later.slice(0, kept)];
}

function isNull(text: string): boolean {
  return text === NULL;
}

function cellText(cell: Cell): string {
  if (cell === null) return '';
  return cell === '' ? '""' : textCell(cell);
}
