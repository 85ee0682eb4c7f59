import { Argument, type Command } from 'commander';
import { perform } from '../terminal/command.ts';
import { programOf } from '../terminal/terminal.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** It is added last, and finds every command in the program. */
export function addCompletion(program: Command): void {
  const command = program
    .command('completion')
    .addArgument(new Argument('<shell>', 'for which shell').choices(SHELLS))
    .description('a script that completes commands and options; a shell reads it at its start');
  perform(command, async (session, { args: [shell = ''] }) => {
    const script = scriptOf(shell, leavesOf(programOf(command)));
    session.out.give({ shell, script }, script);
  });
}

/** What may follow a command, or a group of them. */
interface Leaf {
  readonly path: readonly string[];
  readonly description: string;
  readonly words: readonly string[];
}

function leavesOf(command: Command, path: readonly string[] = []): readonly Leaf[] {
  const options = command.options.filter(({ hidden }) => !hidden).map(({ long }) => long ?? '');
  const words = [...command.commands.map((inner) => inner.name()), ...options];
  const own = { path, description: command.description(), words };
  return [own, ...command.commands.flatMap((inner) => leavesOf(inner, [...path, inner.name()]))];
}

function scriptOf(shell: string, leaves: readonly Leaf[]): string {
  if (shell === 'fish') return leaves.flatMap(fishLines).join('\n');
  const head = shell === 'zsh' ? ['autoload -U +X bashcompinit && bashcompinit'] : [];
  return [...head, ...bashLines(leaves)].join('\n');
}

/** Two words name a command; what is longer comes first, since the shell takes the first that fits. */
function bashLines(leaves: readonly Leaf[]): readonly string[] {
  const [all, ...named] = leaves;
  const longestFirst = [...named].sort((a, b) => b.path.length - a.path.length);
  const cases = longestFirst.map(({ path, words }) => {
    const pattern = path.length === 1 ? `"${path[0]} "*` : `"${path.join(' ')}"`;
    return `    ${pattern}) words="${words.join(' ')}" ;;`;
  });
  return [
    '_spanledger() {',
    `  local words="${all?.words.join(' ') ?? ''}"`,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell's.
    '  [ "$COMP_CWORD" -gt 1 ] && case "${COMP_WORDS[1]} ${COMP_WORDS[2]}" in',
    ...cases,
    '  esac',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell's.
    '  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))',
    '}',
    'complete -o default -F _spanledger spanledger',
  ];
}

function fishLines({ path, words }: Leaf): readonly string[] {
  const seen = path.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
  const when = path.length === 0 ? '__fish_use_subcommand' : seen;
  return words.map((word) =>
    word.startsWith('--')
      ? `complete -c spanledger -n '${when}' -l ${word.slice(2)}`
      : `complete -c spanledger -f -n '${when}' -a ${word}`,
  );
}
