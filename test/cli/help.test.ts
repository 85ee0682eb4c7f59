import { execFileSync } from 'node:child_process';
import type { Command } from 'commander';
import { expect, it } from 'vitest';
import { buildProgram } from '../../src/cli/program.ts';
import { EXAMPLES } from '../../src/cli/terminal/examples.ts';
import { processTerminal } from '../../src/cli/terminal/terminal.ts';
import { cli } from '../support/cli.ts';

const program = await buildProgram(undefined, processTerminal());

/** The names of all commands that do something. */
function leaves(command: Command, path: readonly string[] = []): readonly string[] {
  if (command.commands.length === 0) return [path.join(' ')];
  return command.commands.flatMap((inner) => leaves(inner, [...path, inner.name()]));
}

it('every command has an example, and every example is of a command', () => {
  expect(Object.keys(EXAMPLES).sort()).toEqual([...leaves(program)].sort());
});

it.each(Object.entries(EXAMPLES))(
  'every option in the examples of %s is one that it has',
  (name, lines) => {
    const command = name
      .split(' ')
      .reduce<Command | undefined>(
        (of, word) => of?.commands.find((inner) => inner.name() === word),
        program,
      );
    const known = command?.options.map(({ long }) => long);
    const used = lines.flatMap((line) => line.match(/--[a-z-]+/g) ?? []);
    expect(used.filter((option) => !known?.includes(option))).toEqual([]);
  },
);

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
