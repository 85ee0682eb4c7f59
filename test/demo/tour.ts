/** The tour of README.md: what its lines write and run, one after the other. */

export type TourStep =
  | { readonly kind: 'file'; readonly name: string; readonly content: string }
  | {
      readonly kind: 'command';
      readonly line: string;
      readonly args: readonly string[];
      /** Whether its line says that it may end with exit code 1. */
      readonly mayFindWrong: boolean;
    };

/** The month that the page speaks of stands for the one that the demo made. */
export function readTour(readme: string, month: string): readonly TourStep[] {
  const section = readme.slice(readme.indexOf('## Five minutes'));
  const code = /```sh\n([\s\S]*?)```/.exec(section)?.[1] ?? '';
  const steps: TourStep[] = [];
  const lines = code.replaceAll('2026-10', month).split('\n');
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    const name = /^cat > (\S+) <<'EOF'$/.exec(line)?.[1];
    if (name !== undefined) {
      const content = lines.splice(0, lines.indexOf('EOF'));
      lines.shift();
      steps.push({ kind: 'file', name, content: `${content.join('\n')}\n` });
    } else if (line !== '') steps.push(commandOf(line));
  }
  return steps;
}

function commandOf(line: string): TourStep {
  const [, typed = '', said = ''] = /^npx spanledger (.*?)(?:\s+# (.*))?$/.exec(line) ?? [];
  if (typed === '') throw new Error(`"${line}" is no command of the tour`);
  const words = typed.matchAll(/'([^']*)'|(\S+)/g);
  const args = [...words].map(([, quoted, bare = '']) => quoted ?? bare);
  return { kind: 'command', line: typed, args, mayFindWrong: said.includes('exit 1') };
}
