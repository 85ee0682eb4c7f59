import { execFileSync } from 'node:child_process';
import type { Command } from 'commander';
import { expect, it } from 'vitest';
import { buildProgram } from '../../src/cli/program.ts';
import { EXAMPLES } from '../../src/cli/terminal/examples.ts';
import { processTerminal } from '../../src/cli/terminal/terminal.ts';
import { identifierOf } from '../../src/push/intent.ts';
import { cli } from '../support/cli.ts';

const program = await buildProgram(undefined, processTerminal());

/** The names of all commands that do something. */
function leaves(command: Command, path: readonly string[] = []): readonly string[] {
  if (command.commands.length === 0) return [path.join(' ')];
  return command.commands.flatMap((inner) => leaves(inner, [...path, inner.name()]));
}

function commandOf(name: string): Command | undefined {
  return name
    .split(' ')
    .reduce<Command | undefined>(
      (of, word) => of?.commands.find((inner) => inner.name() === word),
      program,
    );
}

it('every command has an example, and every example is of a command', () => {
  expect(Object.keys(EXAMPLES).sort()).toEqual([...leaves(program)].sort());
});

it.each(Object.entries(EXAMPLES))(
  'every option in the examples of %s is one that it has',
  (name, lines) => {
    const known = commandOf(name)?.options.map(({ long }) => long);
    const used = lines.flatMap((line) => line.match(/--[a-z-]+/g) ?? []);
    expect(used.filter((option) => !known?.includes(option))).toEqual([]);
  },
);

const KEY_ID = /^[a-z0-9]{8}$/;
/** A batch's number times a million, and a place. */
const ENTRY_ID = /^ent_[1-9]\d{6,17}$/;

/** The forms of ids, by the arguments and options that take them. */
const IDS: Readonly<Record<string, RegExp>> = {
  key: KEY_ID,
  link: KEY_ID,
  endpoint: /^whk_[0-9a-f]{12}$/,
  identifier: /^spl-[0-9a-f]{8}-[\w.-]{1,50}-\d{4}-\d{2}-\d{2}-[a-z]{3}-[1-9]\d*$/,
  'entry-id': ENTRY_ID,
  'entry-ids': ENTRY_ID,
};

it('the ids in the examples are of the forms that ids have', () => {
  const shown = Object.entries(EXAMPLES).flatMap(([name, lines]) => {
    const given = commandOf(name)?.registeredArguments.findIndex((one) => one.name() in IDS) ?? -1;
    const form = IDS[commandOf(name)?.registeredArguments[given]?.name() ?? ''];
    return lines.flatMap((line) => {
      const id = line.split(' ')[name.split(' ').length + given] ?? '';
      return form === undefined || id.startsWith('--') ? [] : [{ line, isId: form.test(id) }];
    });
  });
  expect(shown.length).toBeGreaterThan(7);
  expect(shown.filter(({ isId }) => !isId)).toEqual([]);
  const target = { tenantId: 'acme', periodStart: '2026-10-01', currency: 'USD' };
  expect(identifierOf('3f9c27ab', target, 1)).toMatch(IDS['identifier'] ?? '');
});

it('help ends with the examples', async () => {
  const { stdout } = await cli(['close', '--help']);
  expect(stdout.trimEnd()).toMatch(
    /Examples:\n {2}\$ spanledger close 2026-10 --dry-run\n[\s\S]*--tenant acme$/,
  );
});

it.each([
  { typed: ['spanledger', 'rep'], completed: 'report' },
  { typed: ['spanledger', 'report', 'us'], completed: 'usage' },
  { typed: ['spanledger', 'report', 'usage', '--mon'], completed: '--month' },
  { typed: ['spanledger', 'close', '2026-10', '--ten'], completed: '--tenant' },
])('bash completes $typed', async ({ typed, completed }) => {
  const { stdout } = await cli(['completion', 'bash']);
  const words = typed.map((word) => `'${word}'`).join(' ');
  const script = `${stdout}\nCOMP_WORDS=(${words}); COMP_CWORD=${typed.length - 1}; _spanledger; echo "$\{COMPREPLY[@]}"`;
  expect(execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim()).toBe(completed);
});

it('zsh takes the same, and fish has lines of its own', async () => {
  expect((await cli(['completion', 'zsh'])).stdout).toMatch(/^autoload -U \+X bashcompinit/);
  const fish = (await cli(['completion', 'fish'])).stdout;
  expect(fish).toContain(
    "complete -c spanledger -n '__fish_seen_subcommand_from report; and __fish_seen_subcommand_from usage' -l month",
  );
});
