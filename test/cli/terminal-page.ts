import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';

/** The recorded page of all commands: `SPANLEDGER_RECORD=1 npx vitest run test/cli/terminal-page.test.ts` writes it. */
const FILE = new URL('./terminal-page.txt', import.meta.url);

export const isRecording = process.env['SPANLEDGER_RECORD'] === '1';

/** What one command printed, and its exit code. */
export interface PageOfCommand {
  readonly command: string;
  readonly exitCode: number;
  readonly text: string;
}

const HEAD = `What every command prints on a terminal of 80 columns, in this order on one ledger. Words in {braces} differ
from run to run; CAPITALS in a command stand for what an earlier one made. An exit code that is not 0 is said.`;

const PROMPT = '$ spanledger ';
const EXIT = /\n\[exit code (\d+)\]$/;

export function readPages(): ReadonlyMap<string, PageOfCommand> {
  if (!existsSync(FILE)) return new Map();
  const [, ...parts] = readFileSync(FILE, 'utf8').split(`\n\n${PROMPT}`);
  const pages = parts.map((part) => {
    const [command = '', ...lines] = part.trimEnd().split('\n');
    const said = ['', ...lines].join('\n');
    const exitCode = Number(EXIT.exec(said)?.[1] ?? 0);
    return { command, exitCode, text: said.replace(EXIT, '').trimStart() };
  });
  return new Map(pages.map((page) => [page.command, page]));
}

export function savePages(pages: readonly PageOfCommand[]): void {
  const parts = pages.map(({ command, exitCode, text }) =>
    [`${PROMPT}${command}`, ...(text === '' ? [] : [text])]
      .concat(exitCode === 0 ? [] : [`[exit code ${exitCode}]`])
      .join('\n'),
  );
  writeFileSync(FILE, `${[HEAD, ...parts].join('\n\n')}\n`);
}

/** So many lines of a long answer, such as a book of prices, show its form. */
const MOST_LINES = 40;

/** The text without what differs by run or machine: a word in braces stands for each of those. */
export function likeEveryRun(
  text: string,
  known: readonly (readonly [word: string, value: string])[],
): string {
  let read = stripVTControlCharacters(text).replaceAll(/ +$/gm, '').trim();
  // Where a line breaks before or after the folder of the project depends on its length.
  const here = `${process.cwd()}/`;
  if (read.includes(here)) read = read.replaceAll(/\n +(?=\S)/g, ' ').replaceAll(here, '');
  read = read.replaceAll(INSTANT, (instant) =>
    isOfThisHour(instant) ? '{now}'.padEnd(20) : instant,
  );
  for (const [word, value] of known) {
    if (value !== '') read = replaced(read, literally(value), word.toLowerCase());
  }
  for (const [word, pattern] of MADE) read = replaced(read, pattern, word);
  const lines = read.split('\n');
  const left = lines.length - MOST_LINES;
  return left > 1 ? [...lines.slice(0, MOST_LINES), '…'].join('\n') : read;
}

const INSTANT = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g;

/** The database writes down what it sees by its own clock. */
function isOfThisHour(instant: string): boolean {
  return Math.abs(Date.now() - Date.parse(instant)) < 3_600_000;
}

/** What a run makes up: ids, secrets, digests and the time that it took. */
const MADE: readonly (readonly [word: string, pattern: RegExp])[] = [
  ['entry', /\bent_\d+\b/g],
  ['secret', /\b(?:whsec|spk|slk)_[\w+/=-]{16,}/g],
  ['id', /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g],
  ['secret', /(?<=_\{(?:key|link)\}_)[\w-]{20,}/g],
  ['rules', /(?<=migrations \()[\d,]+(?=\s)/g],
  ['meter', /\bmtr_test_[0-9a-f]+\b/g],
  ['price', /\bprice_[0-9a-f]{16,}\b/g],
  ['digest', /\b[0-9a-f]{12,}\b/g],
  ['no such host', /getaddrinfo \w+ [\w.]+/g],
  ['seconds', /\b\d+(?:\.\d+)? (?:s|ms)\b/g],
];

/** Where a gap between columns follows, it takes up the difference, so that they stay below one another. */
function replaced(text: string, pattern: RegExp, word: string): string {
  return text.replace(new RegExp(`(${pattern.source})( {2,})?`, 'g'), (whole, _, gap?: string) =>
    gap === undefined ? `{${word}}` : `{${word}}`.padEnd(whole.length),
  );
}

function literally(value: string): RegExp {
  return new RegExp(value.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&'), 'g');
}
