import { stripVTControlCharacters, styleText } from 'node:util';
import { harmless, harmlessValue } from './harmless.ts';
import type { Terminal } from './terminal.ts';

/**
 * The place where a command's answer goes: one JSON document with `--json`, else lines for people.
 */
export interface Output {
  readonly json: boolean;
  /** The answer itself: `document` with `--json`, otherwise the text. Called once. */
  answer(document: unknown, text: string): void;
  /** A line on the way, for people only; never with `--json`. */
  say(line: string): void;
  /** A bar on a terminal's stderr; nothing elsewhere. */
  progress(label: string, done: number, all: number): void;
}

export function openOutput({ stdout, stderr }: Terminal, json: boolean): Output {
  const isTerminal = stderr.isTTY === true;
  let barShown = false;
  const clearBar = () => {
    if (barShown) stderr.write('\r\u001b[K');
    barShown = false;
  };
  return {
    json,
    answer(document, text) {
      clearBar();
      stdout.write(json ? `${toJson(document)}\n` : withLineEnd(harmless(text)));
    },
    say(line) {
      clearBar();
      if (!json) stdout.write(`${harmless(line)}\n`);
    },
    progress(label, done, all) {
      if (!isTerminal) return;
      stderr.write(`\r\u001b[K${bar(label, done, all)}`);
      barShown = true;
    },
  };
}

function withLineEnd(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}

/** A reader such as `head` may have enough; what a command does is done to its end all the same. */
export function passOverClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

/** Whole numbers beyond 2⁵³ and amounts are strings; a bigint becomes one too. */
function toJson(document: unknown): string {
  return JSON.stringify(
    document,
    (_, value) => (typeof value === 'bigint' ? String(value) : value),
    2,
  );
}

const BAR_WIDTH = 30;

function bar(label: string, done: number, all: number): string {
  const share = all === 0 ? 1 : Math.min(1, done / all);
  const filled = Math.round(share * BAR_WIDTH);
  const drawn = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
  return `${label} ${drawn} ${done.toLocaleString('en-US')} / ${all.toLocaleString('en-US')}`;
}

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  /** Figures stand on the right. */
  readonly figure?: boolean;
}

/** A table for people; column widths follow the longest value. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const cells = rows.map((row) => columns.map((column) => harmlessValue(column.value(row))));
  const widths = columns.map((column, index) =>
    Math.max(column.title.length, ...cells.map((line) => visibleLength(line[index] ?? ''))),
  );
  const line = (values: readonly string[]) =>
    values
      .map((value, index) => pad(value, widths[index] ?? 0, columns[index]?.figure === true))
      .join('  ')
      .trimEnd();
  const head = line(columns.map((column) => column.title));
  return [styleText('bold', head), ...cells.map(line)].join('\n');
}

function pad(value: string, width: number, right: boolean): string {
  const space = ' '.repeat(Math.max(0, width - visibleLength(value)));
  return right ? space + value : value + space;
}

function visibleLength(value: string): number {
  return stripVTControlCharacters(value).length;
}

/** A whole number with its thousands apart; one that may pass 2⁵³ comes as a text. */
export function figureOf(whole: number | string): string {
  return BigInt(whole).toLocaleString('en-US');
}
