import type { Command } from 'commander';
import { beforeAll, expect, it } from 'vitest';
import { buildProgram } from '../../../src/cli/program.ts';
import { commandToType } from '../../../src/cli/terminal/commands-to-type.ts';
import { processTerminal } from '../../../src/cli/terminal/terminal.ts';
import type { Operation } from '../../../src/remedy.ts';
import { SOURCE_FILES } from '../../support/source-files.ts';

/** Every operation by its name, in each of its forms; the compiler refuses a name that is missing. */
const FORMS: {
  readonly [Name in Operation['operation']]: readonly Omit<
    Extract<Operation, { readonly operation: Name }>,
    'operation'
  >[];
} = {
  adjust: [{}],
  'allocate list': [{}],
  'allocate reverse': [
    { pool: 'gpu', month: '2026-10' },
    { pool: 'gpu', month: null },
  ],
  'audit acts': [{}],
  'audit entry': [{ entry_id: 'ent_1' }, { entry_id: null }],
  'audit line': [{ tenant_id: 'acme', month: '2026-10' }],
  'budget list': [{}],
  'budget requests': [{ all: false }, { all: true }],
  close: [
    { month: '2026-10', tenant_id: null },
    { month: '2026-10', tenant_id: 'acme' },
  ],
  correct: [
    { entry_id: 'ent_1', by: 'move' },
    { entry_id: null, by: 'void' },
    { entry_id: null, by: 'usage' },
  ],
  'key list': [{}],
  migrate: [{ roles: false }, { roles: true }],
  'fx import': [{}],
  'price-book import': [{}],
  'price-book list': [{}],
  prove: [{}],
  push: [{ month: '2026-10' }, { month: null }],
  'push list': [{ state: 'parked' }, { state: null }],
  'quarantine list': [{ all: false }, { all: true }],
  reconcile: [{ month: '2026-10' }, { month: null }],
  'report runs': [{}],
  rerate: [
    { month: '2026-10', tenant_id: 'acme' },
    { month: null, tenant_id: null },
  ],
  'seal publish': [
    { to: null, retain_days: null, restored_from: null },
    { to: 's3://seals', retain_days: 2557, restored_from: null },
    { to: null, retain_days: null, restored_from: 'seals.jsonl' },
  ],
  statement: [
    { tenant_id: null, month: null, show: 'proof' },
    { tenant_id: 'acme', month: '2026-10', show: 'closed' },
    { tenant_id: 'acme', month: '2026-10', show: 'preview' },
  ],
  'stripe alerts': [{ all: false }, { all: true }],
  'stripe resolve': [
    { alert_id: '7' },
    { alert_id: null },
    { alert_id: '7', nothing_else_billed: true },
  ],
  'stripe settled': [
    { tenant_id: 'acme', month: '2026-10' },
    { tenant_id: null, month: null },
  ],
  'stripe setup': [
    { currency: 'EUR', subscriptions: true, tenant_id: 'acme' },
    { currency: null, subscriptions: false, tenant_id: null },
  ],
  'stripe unpark': [{ identifier: 'sl1-acme-1' }],
  'stripe unsettle': [{ identifier: 'spl-1' }, { identifier: null }],
  'tenant list': [{}],
  'webhook list': [{}],
  'tenant set': [
    { tenant_id: null, give: null, from: null },
    { tenant_id: 'acme', give: 'price_book', from: '2026-10-01T00:00:00Z' },
    { tenant_id: 'acme', give: 'stripe_customer', from: null },
  ],
  verify: [{ against: null }, { against: 's3://seals' }],
};

const TYPED = Object.entries(FORMS).flatMap(([operation, forms]) =>
  forms.map((form) => commandToType({ operation, ...form } as Operation)),
);

let program: Command;
beforeAll(async () => {
  program = await buildProgram(undefined, processTerminal());
});

it.each(TYPED)('%s is a command that exists, with these options and so many arguments', (typed) => {
  expect(faultOf(typed)).toBeNull();
});

it.each([
  ['spanledger harvest', 'spanledger has no harvest'],
  ['spanledger price-book', 'price-book is no command by itself'],
  ['spanledger close 2026-10 --who acme', 'close has no --who'],
  ['spanledger verify all', 'verify takes no "all"'],
  ['spanledger verify --against', '--against needs a value'],
])('%s is found out: %s', (typed, fault) => {
  expect(faultOf(typed)).toBe(fault);
});

it('no room writes a command into what it says: only a door phrases them', () => {
  const names = program.commands.map((command) => command.name());
  const command = new RegExp(`spanledger (?:${names.join('|')})\\b.*`, 'g');
  expect(names.length).toBeGreaterThan(20);
  expect('run "spanledger verify"').toMatch(command);
  const rooms = SOURCE_FILES.filter(({ folder }) => folder !== 'cli');
  const written = rooms.flatMap(({ path, code }) =>
    [...code.matchAll(command)].map(([text]) => `${path}: ${text}`),
  );
  expect(written).toEqual([]);
});

it('no room names an option of a command: only a door has them', () => {
  // Options of others: those of S3's own command line, and those with which the demo starts a server.
  const others = ['aws/s3-refusal.ts', 'demo/embedded-postgres.ts'];
  const options = new Set(longOptionsOf(program));
  const rooms = SOURCE_FILES.filter(
    ({ folder, path }) => folder !== 'cli' && !others.includes(path),
  );
  const written = rooms.flatMap(({ path, code }) =>
    [...code.matchAll(/^(?!\s*(?:\*|\/[/*])).*?(?<![\w(-])(--[a-z][a-z-]*)/gm)]
      .filter(([, option = '']) => options.has(option))
      .map(([text]) => `${path}: ${text}`),
  );
  expect(options).toContain('--dry-run');
  expect(written).toEqual([]);
});

function longOptionsOf(command: Command): readonly string[] {
  const own = command.options.flatMap(({ long }) => long ?? []);
  return [...own, ...command.commands.flatMap(longOptionsOf)];
}

function faultOf(typed: string): string | null {
  const words = typed.split(' ').slice(1);
  let command = program;
  while (command.commands.length > 0) {
    const [word] = words;
    const inner = command.commands.find((candidate) => candidate.name() === word);
    if (inner !== undefined) words.shift();
    const next = inner ?? defaultOf(command);
    if (next === undefined) {
      const fault = word === undefined ? 'is no command by itself' : `has no ${word}`;
      return `${command.name()} ${fault}`;
    }
    command = next;
  }
  return faultOfArguments(command, words);
}

/** The command of a group that is meant where none is named, as in "push 2026-10". */
function defaultOf(group: Command): Command | undefined {
  const name: unknown = Reflect.get(group, '_defaultCommandName');
  return group.commands.find((candidate) => candidate.name() === name);
}

function faultOfArguments(command: Command, words: readonly string[]): string | null {
  let given = 0;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (!word.startsWith('--')) {
      given += 1;
      const { registeredArguments: known } = command;
      if (given > known.length && known.at(-1)?.variadic !== true)
        return `${command.name()} takes no "${word}"`;
      continue;
    }
    const option = command.options.find(({ long }) => long === word);
    if (option === undefined) return `${command.name()} has no ${word}`;
    if (!option.required) continue;
    at += 1;
    if (at >= words.length) return `${word} needs a value`;
  }
  return null;
}
