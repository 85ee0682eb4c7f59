import { harmless, harmlessDocument } from '../../text/harmless.ts';
import { foldLines, wrapTo } from '../../text/text-width.ts';
import { inSeconds } from './figures.ts';
import { openProgress } from './progress.ts';
import { type DrawTable, drawTable } from './table.ts';
import type { Terminal } from './terminal.ts';

/**
 * The place where a command's answer goes: one JSON document with `--json`, else lines for people.
 */
export interface Output {
  readonly json: boolean;
  /** Draws a table as wide as the page: a terminal's width, 80 columns elsewhere, no end with `--wide`. */
  readonly table: DrawTable;
  /** The text in lines no wider than the page, each after the indentation. */
  wrap(text: string, indent: string): string;
  /**
   * The answer itself: the document with `--json`, otherwise the text. Called once. What makes its text from a
   * document is given one whose texts have no controls and no line ends, since anybody may have written them.
   */
  answer<Document>(document: Document, text: string | ((shown: Document) => string)): void;
  /** The same where the text is data, such as CSV or a script: it stays as it is, however wide. */
  give(document: unknown, text: string): void;
  /** A line on the way, for people only; never with `--json`. */
  say(line: string): void;
  /** A bar on a terminal's stderr, with an estimate, once a command takes long; nothing elsewhere. */
  progress(label: string, done: number, all: number): void;
  /** The command goes on until it is told to stop, so that no sign of work is shown. */
  runsOn(): void;
  /** Whatever is shown on the way is taken away. */
  end(): void;
}

export interface PageForm {
  readonly json: boolean;
  readonly wide: boolean;
}

/** The width of a page that is no terminal, and the least that is laid out for. */
const USUAL_WIDTH = 80;
const LEAST_WIDTH = 40;

export function openOutput({ stdout, stderr }: Terminal, { json, wide }: PageForm): Output {
  const progress = openProgress(stderr);
  const columns = stdout.isTTY === true ? (stdout.columns ?? USUAL_WIDTH) : USUAL_WIDTH;
  const width = wide ? null : Math.max(LEAST_WIDTH, columns);
  return {
    json,
    table: (rows, of) => drawTable(rows, of, width),
    wrap: (text, indent) => wrapTo(text, width, indent).join('\n'),
    answer(document, text) {
      progress.end();
      if (json) return void stdout.write(`${toJson(document)}\n`);
      const told = typeof text === 'string' ? text : text(harmlessDocument(document));
      const lines = foldLines(inSeconds(harmless(told)), stdout.isTTY === true ? width : null);
      stdout.write(withLineEnd(lines));
    },
    give(document, text) {
      progress.end();
      stdout.write(json ? `${toJson(document)}\n` : withLineEnd(harmless(text)));
    },
    say(line) {
      progress.clear();
      if (!json)
        stdout.write(`${foldLines(harmless(line), stdout.isTTY === true ? width : null)}\n`);
    },
    progress: progress.show,
    runsOn: progress.end,
    end: progress.end,
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
