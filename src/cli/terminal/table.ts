import { styleText } from 'node:util';
import { harmlessValue } from '../../text/harmless.ts';
import { columnsOf, cutTo, wrapTo } from '../../text/text-width.ts';

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  /** Figures stand on the right, with their decimals one below the other. They are never cut. */
  readonly figure?: boolean;
  /** Where the page is too narrow, such a column is left out, the last one first. */
  readonly spare?: boolean;
  /** Text that nobody may miss, such as a reason: it stands in full below its row. */
  readonly below?: boolean;
}

/** Draws a table for people, as wide as the page is at the most. */
export type DrawTable = <Row>(rows: readonly Row[], columns: readonly Column<Row>[]) => string;

/** So much of a text is always shown; before less is, columns are left out. */
const ENOUGH = 20;
const LEAST = 8;
const GAP = '  ';

/** The width is null where there is no end of the page: nothing is cut then, and nothing left out. */
export function drawTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  width: number | null,
): string {
  const drawn = columns.filter(({ below }) => below !== true).map((column) => draw(rows, column));
  const shown = roomsOf(drawn, width);
  const head = lineOf(shown.map(({ column, title, room }) => pad(title, room, column)));
  const below = columns.filter((column) => column.below === true);
  const lines = rows.flatMap((row, index) => [
    lineOf(shown.map(({ column, cells, room }) => pad(cells[index] ?? '', room, column))),
    ...below.flatMap((column) => belowOf(column.value(row), width)),
  ]);
  return [styleText('bold', head), ...lines, ...noteOf(drawn, shown, width)].join('\n');
}

interface Drawn {
  /** What of the column decides how it is shown. */
  readonly column: { readonly figure?: boolean; readonly spare?: boolean };
  readonly title: string;
  readonly cells: readonly string[];
  /** The width that the whole of it takes. */
  readonly natural: number;
  /** Half of an instant tells nothing, so that it is never cut. */
  readonly isTime: boolean;
}

interface Shown extends Drawn {
  readonly room: number;
}

function draw<Row>(rows: readonly Row[], column: Column<Row>): Drawn {
  const plain = rows.map((row) => harmlessValue(column.value(row)));
  const cells = column.figure === true ? alignDecimals(plain) : plain;
  const natural = Math.max(columnsOf(column.title), ...cells.map(columnsOf));
  const isTime = cells.every((cell) => /^\d{4}-\d\d-\d\dT\S+Z$|^$/.test(cell));
  return { column, title: column.title, cells, natural, isTime };
}

/** Puts spaces after figures that have fewer decimals than others; whatever is no figure stays as it is. */
function alignDecimals(cells: readonly string[]): readonly string[] {
  const parts = cells.map((cell) => /^(-?[\d,]+)(\.\d+)?( .*)?$/.exec(cell));
  const most = Math.max(0, ...parts.map((part) => part?.[2]?.length ?? 0));
  return cells.map((cell, index) => {
    const part = parts[index];
    if (part === null || part === undefined) return cell;
    const [, whole = '', decimals = '', unit = ''] = part;
    return `${whole}${decimals.padEnd(most)}${unit}`;
  });
}

/** Returns the columns for which there is room, and how much each has. */
function roomsOf(all: readonly Drawn[], width: number | null): readonly Shown[] {
  const whole = all.map((one) => ({ ...one, room: one.natural }));
  if (width === null || spanOf(whole) <= width) return whole;
  const spares = all.filter(({ column }) => column.spare === true).reverse();
  const fewer = spares.map((_, index) => without(all, spares.slice(0, index + 1)));
  for (const some of [all, ...fewer]) {
    const squeezed = squeeze(some, ENOUGH, width);
    if (squeezed !== null) return squeezed;
  }
  const needed = fewer.at(-1) ?? all;
  for (let count = needed.length; count > 1; count -= 1) {
    const squeezed = squeeze(needed.slice(0, count), LEAST, width);
    if (squeezed !== null) return squeezed;
  }
  return needed.slice(0, 1).map((one) => ({ ...one, room: Math.min(one.natural, width) }));
}

function without(all: readonly Drawn[], some: readonly Drawn[]): readonly Drawn[] {
  return all.filter((one) => !some.includes(one));
}

/** Takes room from the widest texts until all columns stand on the page; null where that is not enough. */
function squeeze(columns: readonly Drawn[], least: number, width: number): readonly Shown[] | null {
  const rooms = columns.map(({ natural }) => natural);
  const floors = columns.map(({ column, title, natural, isTime }) =>
    column.figure === true || isTime
      ? natural
      : Math.min(natural, Math.max(least, columnsOf(title))),
  );
  for (let over = spanOf(rooms.map((room) => ({ room }))) - width; over > 0; over -= 1) {
    const spare = rooms.map((room, index) => (room > (floors[index] ?? 0) ? room : 0));
    const widest = spare.indexOf(Math.max(...spare));
    if (spare[widest] === 0) return null;
    rooms[widest] = (rooms[widest] ?? 0) - 1;
  }
  return columns.map((one, index) => ({ ...one, room: rooms[index] ?? 0 }));
}

function spanOf(columns: readonly { readonly room: number }[]): number {
  return columns.reduce((sum, { room }) => sum + room + GAP.length, -GAP.length);
}

function pad(value: string, room: number, column: Drawn['column']): string {
  const cut = cutTo(value, room);
  const space = ' '.repeat(Math.max(0, room - columnsOf(cut)));
  return column.figure === true ? space + cut : cut + space;
}

function lineOf(cells: readonly string[]): string {
  return cells.join(GAP).trimEnd();
}

function belowOf(value: string, width: number | null): readonly string[] {
  return value === '' ? [] : wrapTo(harmlessValue(value), width, GAP);
}

/** What a narrow page does not show is named, and how it is shown. */
function noteOf(
  drawn: readonly Drawn[],
  shown: readonly Shown[],
  width: number | null,
): readonly string[] {
  const left = drawn.filter(({ cells }) => !shown.some((one) => one.cells === cells));
  const names = new Set(left.map(({ title }) => title).filter((title) => title !== ''));
  const isCut = shown.some(({ natural, room }) => natural > room);
  const what = [...(names.size === 0 ? [] : [[...names].join(', ')]), ...(isCut ? [CUT] : [])];
  return what.length === 0 ? [] : wrapTo(`(--wide shows ${what.join(' and ')})`, width, '');
}

const CUT = 'what ends in …';
