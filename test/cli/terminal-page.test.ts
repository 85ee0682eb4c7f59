import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import type { Command } from 'commander';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildProgram, runCommandLine } from '../../src/cli/program.ts';
import { processTerminal } from '../../src/cli/terminal/terminal.ts';
import { parseInstant } from '../../src/clock.ts';
import { openLog } from '../../src/log.ts';
import { columnsOf } from '../../src/text/text-width.ts';
import { textRows } from '../support/database.ts';
import { makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';
import { openPushScene, type PushScene } from '../support/stripe.ts';
import {
  isRecording,
  likeEveryRun,
  type PageOfCommand,
  readPages,
  savePages,
} from './terminal-page.ts';

/**
 * What every command prints on a terminal of 80 columns, one after the other on one ledger, as terminal-page.txt
 * shows it; and what each says to a flag that it does not have.
 */

const WIDTH = 80;

let scene: PushScene;
let folder: string;
let words: (readonly [word: string, value: string])[];
const seen: PageOfCommand[] = [];

/** The day on which all of it is typed, a minute after the other. */
let now = parseInstant('2026-11-02T09:00:00Z');
const MINUTE_MS = 60_000;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  // Its name is as long on every machine, so that lines break where they do here.
  folder = await mkdtemp('node_modules/.page-');
  closing.push(() => rm(folder, { recursive: true }));
  scene = await openPushScene(['acme'], {}, (close) => closing.unshift(close));
  const { database, month } = scene;
  const day = { occurred_at: `${month}-21T12:00:00Z` };
  const run = { ...day, agent_run_id: 'run-1', trace_id: 'trace-1', parent_span_id: 'a' };
  await makeTenant(database, 'birch-and-cedar-consulting-of-the-north', {});
  const tenant_id = 'birch-and-cedar-consulting-of-the-north';
  await receiveEvents(
    database,
    [
      nativeEvent({ ...run, tenant_id, event_id: 'a', operation: 'invoke_agent', span_id: 'a' }),
      nativeEvent({ ...run, tenant_id, event_id: 'b', status: 'error', error_type: 'timeout' }),
      nativeEvent({ ...run, tenant_id, event_id: 'c', attempt: 2, feature: 'search' }),
      nativeEvent({ ...day, tenant_id, event_id: 'conflict' }),
      nativeEvent({ ...day, tenant_id, event_id: 'conflict', feature: 'search' }),
      nativeEvent({ ...day, event_id: 'd', tenant_id: undefined }),
      { ...nativeEvent(day), event_id: 'bad', attempt: 0 },
    ],
    `${month}-22T12:00:00Z`,
  );
  const [entry] = await textRows(
    database,
    `select 'ent_' || entry_id as id from entries where event_id = 'c' and kind = 'usage'`,
  );
  const sample = `${JSON.stringify(nativeEvent({ ...day, event_id: 'sent' }))}\n`;
  await writeFile(join(folder, 'events.jsonl'), sample);
  const rates = { base: 'EUR', effective_from: `${month}-01T00:00:00Z`, source: 'ECB' };
  await writeFile(join(folder, 'rates.json'), JSON.stringify({ ...rates, rates: { USD: '1.17' } }));
  words = [
    ['BOOK', 'test/scenarios/books/standard.json'],
    ['DIR', folder],
    ['MONTH', month],
    ['ENTRY', String(entry?.['id'])],
    ['LONG', tenant_id],
  ];
});

afterAll(async () => {
  if (isRecording) savePages(seen);
  for (const close of closing) await close();
});

/** In this order: what one writes, a later one reads. An exit code stands behind what is found wrong. */
const TYPED: readonly (readonly [command: string, exitCode?: number])[] = [
  ['migrate'],
  ['init --out DIR/new.env --no-questions'],
  ['price-book import BOOK'],
  ['price-book list'],
  ['price-book show standard'],
  ['price-book default standard'],
  ['price-book diff standard provider-list'],
  ['price-book seed --from MONTH-01T00:00:00Z --out DIR/costs.json'],
  ['fx import DIR/rates.json'],
  ['fx list'],
  ['tenant set newco --time-zone Europe/Berlin'],
  ['tenant list'],
  ['tenant show acme'],
  ['issuer set --name Northwind'],
  ['issuer show'],
  ['check-producer DIR/events.jsonl'],
  ['period list'],
  ['report usage --by tenant,requested_model --month MONTH'],
  ['report runs'],
  ['report cost-drift'],
  ['report counts'],
  ['report coverage --month MONTH'],
  ['audit event default c'],
  ['audit entry ENTRY'],
  ['audit run run-1'],
  ['audit acts'],
  ['quarantine list'],
  ['quarantine show 1'],
  ['quarantine replay', 1],
  ['quarantine accept 1'],
  ['quarantine dismiss 2 --reason sent-anew'],
  ['quarantine purge --before 2100-01-01'],
  ['correct ENTRY --output-tokens 300 --reason ticket-4711'],
  ['accept ENTRY --reason a-trial', 1],
  ['rerate MONTH --dry-run'],
  ['audit reattribute --tenant acme --dry-run --reason untagged'],
  ['adjust acme --amount -25.00 --reason sorry'],
  ['allocate gpu --amount 1200 --month MONTH --by weighted-tokens'],
  ['allocate show gpu --month MONTH'],
  ['allocate list'],
  ['allocate backtest --month MONTH'],
  ['allocate reverse gpu --month MONTH --reason wrong'],
  ['budget set acme --per month --amount 500.00'],
  ['budget list'],
  ['budget ask acme 1 --limit 900 --reason launch'],
  ['budget requests'],
  ['budget approve 1 --reason agreed'],
  ['budget ask acme 1 --limit 990 --reason launch'],
  ['budget refuse 2 --reason enough'],
  ['budget check acme --model gpt-4o --input-tokens 1000 --max-output-tokens 500'],
  ['budget reserve acme --model gpt-4o --input-tokens 10 --max-output-tokens 5 --hold h'],
  ['budget release h'],
  ['budget remove acme --per month'],
  ['key create --role reader --name mira'],
  ['key list'],
  ['link create acme --days 30'],
  ['link list'],
  ['link revoke LINK'],
  ['key revoke KEY'],
  ['webhook add https://ops.invalid/hooks'],
  ['webhook list'],
  ['webhook test HOOK', 1],
  ['webhook replay --since MONTH-01T00:00:00Z'],
  ['webhook disable HOOK'],
  ['webhook remove HOOK'],
  ['webhook deliver'],
  ['close MONTH --dry-run'],
  ['close MONTH'],
  ['push MONTH --dry-run'],
  ['push MONTH'],
  ['push list'],
  ['reconcile MONTH'],
  ['stripe setup'],
  ['stripe release MONTH'],
  ['stripe alerts'],
  ['stripe settled acme MONTH --amount 1 --reason invoice'],
  ['stripe unpark spl-1', 1],
  ['stripe unsettle spl-1 --reason mistake', 1],
  ['stripe resolve 1 --reason seen', 1],
  ['run-month MONTH --dry-run'],
  ['run-month MONTH --out DIR'],
  ['statement LONG MONTH'],
  ['statement acme MONTH --proof --out DIR/proof.json'],
  ['prove DIR/proof.json'],
  ['audit line acme MONTH'],
  ['audit line acme MONTH 1'],
  ['export focus MONTH --out DIR/focus.csv'],
  ['export journal MONTH --format beancount'],
  ['archive write --month MONTH --to DIR/archive'],
  ['archive check DIR/archive'],
  ['tenant close LONG --at 2100-01-01T00:00:00Z'],
  ['tenant stay LONG --reason signed'],
  ['report leavers'],
  ['status'],
  ['verify'],
  ['seal publish --to DIR/seals.jsonl'],
  ['seal list'],
  ['completion bash'],
];

/** They go on until they are told to stop, or need a queue; tests of their own run them. */
const ELSEWHERE = ['demo', 'send', 'worker', 'serve', 'stripe-double'];

/** What they print is data for a machine, or a file's own form. */
const DATA = /^(?:completion|quarantine show|price-book show|export journal)/;

const RECORDED = readPages();

const program = await buildProgram(undefined, processTerminal());

function leaves(command: Command, path: readonly string[] = []): readonly string[] {
  if (command.commands.length === 0) return [path.join(' ')];
  return command.commands.flatMap((inner) => leaves(inner, [...path, inner.name()]));
}

const LEAVES = leaves(program);

it('every command is typed once', () => {
  const typed = TYPED.map(([command]) =>
    command.replace(/^(push|allocate) (MONTH|gpu)/, '$1 main'),
  );
  const known = (leaf: string) =>
    leaf.replace(/^push month$/, 'push main').replace(/^allocate post$/, 'allocate main');
  const missing = LEAVES.filter(
    (leaf) =>
      !ELSEWHERE.includes(leaf) &&
      !typed.some((command) => `${command} `.startsWith(`${known(leaf)} `)),
  );
  expect(missing).toEqual([]);
});

const EACH = TYPED.map(([command, exitCode = 0]) => ({ command, exitCode }));

it.each(EACH)('$command fits 80 columns', async ({ command, exitCode }) => {
  now += MINUTE_MS;
  const args = [...command.split(' ').map(filled), ...actorOf(command)];
  const said = await typed(args, scene.environment);
  remember(said.text);
  const page = { command, exitCode: said.exitCode, text: likeEveryRun(said.text, machineWords()) };
  seen.push(page);
  expect(said.exitCode, said.text).toBe(exitCode);
  if (!isRecording) expect(page).toEqual(RECORDED.get(command));
  if (DATA.test(command)) return;
  expect(said.text).not.toMatch(/\d\d:\d\d:\d\d(?:\.\d+Z|\+00:00)/);
  expect(tooWide(said.text)).toEqual([]);
});

it('the recorded page shows every command once, and no other', () => {
  const recorded = isRecording ? seen.map(({ command }) => command) : [...RECORDED.keys()];
  expect(recorded).toEqual(TYPED.map(([command]) => command));
});

it.each(LEAVES)('%s refuses a flag that it has not, and its help fits 80 columns', async (leaf) => {
  const bad = await typed([...leaf.split(' '), '--no-such-flag'], {});
  expect(bad.exitCode).toBe(2);
  expect(bad.text).toMatch(
    /^error: (?:unknown option '--no-such-flag'|missing required argument|required option)/m,
  );
  const help = await typed([...leaf.split(' '), '--help'], {});
  expect(help.exitCode).toBe(0);
  expect(tooWide(help.text)).toEqual([]);
});

/** Lines wider than the screen that have a space at which they could have been broken. */
function tooWide(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => columnsOf(line) > WIDTH && !line.trimStart().startsWith('$ '))
    .filter(
      (line) =>
        columnsOf(
          line
            .trim()
            .split(/ +/)
            .toSorted((a, b) => b.length - a.length)[0] ?? '',
        ) <
        WIDTH - 30,
    );
}

async function typed(args: readonly string[], environment: Readonly<Record<string, string>>) {
  const chunks: string[] = [];
  const screen = () =>
    Object.assign(
      new Writable({
        write(chunk, _encoding, done) {
          chunks.push(String(chunk));
          done();
        },
      }),
      { isTTY: true, columns: WIDTH },
    );
  const exitCode = await runCommandLine(args, {
    environment,
    stdout: screen(),
    stderr: screen(),
    stdin: () => Readable.from([]),
    openLog: () => openLog('silent'),
    clock: () => now,
  });
  // The sign of work comes and goes, and is no part of the page.
  const parts = chunks.join('').split('\r\u001b[K');
  return { exitCode, text: parts.filter((part) => !SIGN.test(part)).join('') };
}

const SIGN = /^(?:at work for |[\w -]+ [█░]+ )[^\n]*$/;

/** Ids that one command makes stand in later ones as words. */
function remember(text: string): void {
  for (const [word, pattern] of IDS) {
    const id = pattern.exec(text)?.[1];
    if (id !== undefined) words.push([word, id]);
  }
}

const IDS = [
  ['HOOK', /^(whk_\w+);/m],
  ['KEY', /^key (\w+), /m],
  ['LINK', /^link (\w+) of /m],
] as const;

/** Who types it has the same name on every machine. */
function actorOf(command: string): readonly string[] {
  let leaf: Command = program;
  for (const name of command.split(' ')) {
    leaf = leaf.commands.find((inner) => inner.name() === name) ?? leaf;
  }
  return leaf.options.some(({ long }) => long === '--actor') ? ['--actor', 'ada'] : [];
}

/** What another run or machine has another word for. */
function machineWords(): readonly (readonly [word: string, value: string])[] {
  const { DATABASE_URL = '', STRIPE_API_BASE = '', STRIPE_API_KEY = '' } = scene.environment;
  return [
    ...words.filter(([word]) => !['BOOK', 'MONTH', 'LONG'].includes(word)),
    ...[
      ['database', DATABASE_URL],
      ['stripe', STRIPE_API_BASE],
      ['stripe key', STRIPE_API_KEY],
    ].map(([word = '', value = '']) => [word, value] as const),
  ];
}

function filled(text: string): string {
  return words.reduce((read, [word, value]) => read.replace(word, value), text);
}
