import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT_CODES } from '../../src/cli/terminal/exit-codes.ts';
import { makeRoles } from '../../src/database/roles.ts';
import { startStripeDouble } from '../../src/stripe-double/stripe-double.ts';
import { cli } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { createDatabase, textRows } from '../support/database.ts';
import {
  importBook,
  importBooks,
  makeTenant,
  nativeEvent,
  receiveEvents,
  sharedBook,
} from '../support/ledger.ts';
import { makeLogin } from '../support/login.ts';
import type { RefusalCase } from '../support/refusal-case.ts';
import {
  CASES,
  messageOf,
  readPage,
  renderPage,
  saveCase,
  savePage,
  sitesOf,
  UNCAUSED,
} from '../support/refusal-case.ts';
import { REFUSAL_SITES } from '../support/refusal-sites.ts';

const isRecording = process.env['SPANLEDGER_RECORD'] === '1';

let ledger: TestDatabase;
let empty: TestDatabase;
const closing: (() => Promise<unknown>)[] = [];
/** What the words in braces stand for. */
let words: ReadonlyMap<string, string>;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'spanledger-refusals-'));
  closing.push(() => rm(folder, { recursive: true }));
  ledger = await open('migrated');
  empty = await open('empty');
  const double = await startStripeDouble({ latencyMs: 0 });
  closing.push(() => double.close());
  const entries = await fillLedger(ledger);
  const login = await makeLogin(ledger, 'spanledger_worker');
  closing.push(() => login.drop());
  const { port, username } = new URL(ledger.url);
  words = new Map([
    ['{elsewhere}', ledger.url.replace(ledger.name, 'no_such_database')],
    ['{stranger}', ledger.url.replace(`//${username}`, '//nobody_of_that_name')],
    ['{worker}', login.url],
    ['{ledger}', ledger.url],
    ['{folder}', folder],
    ['{stripe}', double.url],
    ['{key}', double.apiKey],
    ['{port}', port],
    ...entries,
  ]);
}, 120_000);

afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

async function open(schema: 'migrated' | 'empty'): Promise<TestDatabase> {
  const { database, drop } = await createDatabase({ schema });
  closing.push(drop);
  return database;
}

/** January of 2026 in every state that a command can contradict; answers the ids of its entries. */
async function fillLedger(database: TestDatabase): Promise<ReadonlyMap<string, string>> {
  await importBooks(database, 'standard', 'cost');
  const euro = { ...(sharedBook('standard') as object), book: 'euro', currency: 'EUR' };
  await importBook(database, euro);
  const created = '2025-12-01T00:00:00Z';
  const layered = { ...(sharedBook('standard') as object), book: 'layered', base: 'standard' };
  await importBook(database, layered);
  const reduced = { book: 'reduced', base: 'standard', discount: '0.10', models: [] };
  await importBook(database, { ...(sharedBook('standard') as object), ...reduced });
  await makeRoles(database);
  await makeTenant(database, 'acme', { created, mode: 'live', stripeCustomer: 'cus_acme' });
  await makeTenant(database, 'birch', { created, stripeCustomer: 'cus_birch' });
  const at = { occurred_at: '2026-01-15T12:00:00Z' };
  await receiveEvents(
    database,
    [
      nativeEvent({ ...at, event_id: 'plain' }),
      nativeEvent({ ...at, event_id: 'voided' }),
      nativeEvent({ ...at, event_id: 'both' }),
      nativeEvent({ ...at, event_id: 'both', tenant_id: 'birch' }),
    ],
    '2026-01-20T12:00:00Z',
  );
  const environment = { DATABASE_URL: database.url };
  const idOf = async (where: string) => {
    const [row] = await textRows(database, `select entry_id from audit.entries where ${where}`);
    return String(row?.['entry_id']);
  };
  const voided = await idOf(`event_id = 'voided'`);
  await done(['correct', voided, '--void', '--reason', 'a test'], environment);
  const pool = ['allocate', 'gpu', '--amount', '10', '--month', '2026-01', '--by', 'activity'];
  await done(pool, environment);
  const per = ['--per', 'day', '--amount', '0.000001'];
  await done(['budget', 'set', 'birch', ...per], environment);
  await askForMore(environment);
  const { exitCode, stdout } = await cli(['close', '2026-01', '--tenant', 'acme'], environment);
  // It closes, and answers 1 for the one event that the ledger has under two tenants on purpose.
  expect(exitCode, stdout).toBe(1);
  expect(stdout).toMatch(/^acme +2026-01-01 +closed /m);
  expect(stdout).toContain('not whole, 1 thing to look at:\n  event "both" of source');
  const said = await cli(['close', '2026-01', '--tenant', 'acme', '--json'], environment);
  expect(JSON.parse(said.stdout)).toMatchObject([{ tenant_id: 'acme', state: 'already_closed' }]);
  expect(said.stderr).toContain('not whole, 1 thing to look at:\n  event "both" of source');
  return new Map([
    ['{plain}', await idOf(`event_id = 'plain'`)],
    ['{both}', await idOf(`event_id = 'both' and tenant_id = 'acme'`)],
    ['{reversal}', await idOf(`corrects_entry_id = '${voided}'`)],
    ['{voided}', voided],
    ['{share}', await idOf(`kind = 'allocation' and tenant_id = 'acme'`)],
  ]);
}

/** Three requests to raise a limit: one that was refused, one that waits, and one whose budget is gone. */
async function askForMore(environment: Readonly<Record<string, string>>) {
  const why = ['--reason', 'a test', '--actor', 'ada'];
  const ask = (budget: string) => ['budget', 'ask', 'birch', budget, '--limit', '20', ...why];
  const of = (feature: string) => ['birch', '--per', 'once', '--feature', feature];
  await done(['budget', 'set', ...of('more'), '--tokens', '10'], environment);
  await done(ask('2'), environment);
  await done(['budget', 'refuse', '1', ...why], environment);
  await done(ask('2'), environment);
  await done(['budget', 'set', ...of('gone'), '--tokens', '10'], environment);
  await done(ask('3'), environment);
  await done(['budget', 'remove', ...of('gone'), '--measure', 'tokens'], environment);
}

async function done(args: readonly string[], environment: Readonly<Record<string, string>>) {
  const { exitCode, stderr } = await cli(args, environment);
  expect(exitCode, `${args.join(' ')}: ${stderr}`).toBe(0);
}

// A demo starts servers of its own before it reads its trace, which takes long on a busy machine.
describe.concurrent('refused is', { timeout: 240_000 }, () => {
  it.each(CASES)('$name', async (refused) => {
    const said = await run(refused);
    expect(said.exitCode, said.says.join('\n')).toBe(EXIT_CODES[refused.kind]);
    if (isRecording) saveCase({ ...refused, says: said.says });
    else expect(said.says).toEqual(refused.says);
    expect(said.says.join('\n')).not.toMatch(/^ {4}at /m);
  });
});

async function run({ args, database, environment = {}, files = {} }: RefusalCase) {
  for (const [name, content] of Object.entries(files)) {
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    await writeFile(filled(`{folder}/${name}`), text);
  }
  const url = { ledger: ledger.url, empty: empty.url, none: undefined }[database];
  const { exitCode, stderr, stdout } = await cli(args.map(filled), {
    SPANLEDGER_LOG_LEVEL: 'silent',
    ...(url === undefined ? {} : { DATABASE_URL: url }),
    ...Object.fromEntries(Object.entries(environment).map(([name, text]) => [name, filled(text)])),
  });
  return {
    exitCode,
    says: emptied(stderr || stdout)
      .trimEnd()
      .split('\n'),
  };
}

function filled(text: string): string {
  return [...words].reduce((read, [word, value]) => read.replaceAll(word, value), text);
}

function emptied(text: string): string {
  return [...words].reduce((read, [word, value]) => read.replaceAll(value, word), text);
}

describe('the catalogue', () => {
  it('shows a command for every kind of refusal', () => {
    const shown = new Set(CASES.map(({ kind }) => kind));
    expect(Object.keys(EXIT_CODES).filter((kind) => !shown.has(kind as never))).toEqual([]);
  });

  it('shows every refusal of the sources, or says why no command here causes it', () => {
    const caused = new Set(CASES.flatMap(sitesOf));
    const missing = REFUSAL_SITES.filter(
      (site) =>
        !caused.has(site) && !UNCAUSED.some(({ message }) => site.message.includes(message)),
    );
    expect(missing.map(({ file, message }) => `${file}: ${message}`)).toEqual([]);
  });

  it('lists nothing as without a command that a command causes, or that nobody refuses', () => {
    const caused = new Set(CASES.flatMap(sitesOf));
    const idle = UNCAUSED.filter(({ message }) => {
      const sites = REFUSAL_SITES.filter((site) => site.message.includes(message));
      return sites.length === 0 || sites.every((site) => caused.has(site));
    });
    expect(idle).toEqual([]);
  });

  it('names the kind that the sources give', () => {
    const others = CASES.filter((refused) => {
      const anyKind = REFUSAL_SITES.filter(
        ({ pattern }) => pattern?.test(messageOf(refused)) === true,
      );
      return anyKind.length > 0 && sitesOf(refused).length === 0;
    });
    expect(others.map(({ name }) => name)).toEqual([]);
  });

  it('is the page src/REFUSALS.md', () => {
    if (isRecording) savePage(renderPage(CASES));
    expect(readPage()).toBe(renderPage(CASES));
  });
});
