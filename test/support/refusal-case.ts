import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT_CODES } from '../../src/cli/terminal/exit-codes.ts';
import type { RefusalKind } from '../../src/refusal.ts';
import { REFUSAL_SITES, type RefusalSite } from './refusal-sites.ts';
import { ROOT } from './source-files.ts';

/** A command that is refused, and what it then says. Words in {braces} stand for what a run gives them. */
export interface RefusalCase {
  readonly name: string;
  readonly args: readonly string[];
  /** Which database `DATABASE_URL` names; `none` is a variable that is not set. */
  readonly database: 'ledger' | 'empty' | 'none';
  readonly environment?: Readonly<Record<string, string>>;
  /** Written into {folder} first. */
  readonly files?: Readonly<Record<string, unknown>>;
  readonly kind: RefusalKind;
  /** What stands on stderr; where nothing does, on stdout. */
  readonly says: readonly string[];
}

/** A refusal that no command of the catalogue causes, by a part of its message as it is written. */
export interface Uncaused {
  readonly message: string;
  readonly why: string;
}

const FOLDER = join(ROOT, 'test/cli/refusals');
const PAGE = join(ROOT, 'src/REFUSALS.md');
const UNCAUSED_FILE = 'without-a-command.json';

export const CASES: readonly RefusalCase[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json') && file !== UNCAUSED_FILE)
  .sort()
  .map((file) => ({ name: file.slice(0, -'.json'.length), ...readJson(file) }));

export const UNCAUSED: readonly Uncaused[] = readJson(UNCAUSED_FILE);

function readJson(file: string) {
  return JSON.parse(readFileSync(join(FOLDER, file), 'utf8'));
}

export function saveCase({ name, ...rest }: RefusalCase): void {
  writeFileSync(join(FOLDER, `${name}.json`), `${JSON.stringify(rest, null, 2)}\n`);
}

/** The words that stand for ids of entries. */
const ENTRY = /\{(plain|both|reversal|voided|share)\}/g;

/**
 * Returns the message alone: the first line is `error: …`, and what to do stands indented below. An answer on
 * stdout is no message.
 */
export function messageOf({ says }: RefusalCase): string {
  const [, message = ''] = /^error: (.*)/.exec(says[0] ?? '') ?? [];
  return message.replaceAll(ENTRY, 'ent_1');
}

/** Returns where in the sources a case was refused; several places may say the same. */
export function sitesOf(refused: RefusalCase): readonly RefusalSite[] {
  const message = messageOf(refused);
  const fitting = REFUSAL_SITES.filter(({ pattern }) => pattern?.test(message) === true);
  return fitting.filter(({ kind }) => !/^'/.test(kind) || kind === `'${refused.kind}'`);
}

export function readPage(): string {
  return readFileSync(PAGE, 'utf8');
}

export function savePage(text: string): void {
  writeFileSync(PAGE, text);
}

/** Renders the page that people read: every kind with its cases. */
export function renderPage(cases: readonly RefusalCase[]): string {
  const kinds = Object.keys(EXIT_CODES) as RefusalKind[];
  return [
    '# Refusals',
    '',
    'What the command line refuses, why, and what to do about it. Each stands here with a command that',
    'causes it; words in {braces} differ from run to run. `SPANLEDGER_RECORD=1 npx vitest run',
    'test/cli/refusals.test.ts` writes this page from `test/cli/refusals/`, and the same test without the',
    'variable runs every command and compares. What needs a state or a service that one command cannot',
    'bring about stands, with the reason, in `test/cli/refusals/without-a-command.json`.',
    ...kinds.flatMap((kind) => section(kind, cases)),
    '',
  ].join('\n');
}

function section(kind: RefusalKind, cases: readonly RefusalCase[]): readonly string[] {
  const own = cases.filter((one) => one.kind === kind);
  return [
    '',
    `## ${kind.replaceAll('_', ' ')} (exit code ${EXIT_CODES[kind]})`,
    ...own.flatMap(entry),
  ];
}

function entry({ args, environment = {}, says }: RefusalCase): readonly string[] {
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${quoted(value)}`);
  const command = [...variables, 'spanledger', ...args.map(quoted)].join(' ');
  return ['', '```console', `$ ${command}`, ...says.filter((line) => line !== ''), '```'];
}

function quoted(text: string): string {
  return /^[\w@%+=:,./{}-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
