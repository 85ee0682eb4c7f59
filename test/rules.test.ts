import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { pathsBelow, ROOT, SOURCE_FILES } from './support/source-files.ts';

/** The rules stand in src/RULES.md, and the code, the scenarios and that page say the same. */

interface Rule {
  readonly id: string;
  readonly isBuilt: boolean;
  readonly keeps: readonly string[];
  readonly shows: readonly string[];
  readonly tests: readonly string[];
  readonly checks: readonly number[];
  /** Commands that check what no law is about. */
  readonly commands: readonly string[];
  /** The keys of its list, in their order. */
  readonly keys: readonly string[];
}

/** The keys that a rule's list may have, each once and in this order. */
const KEYS: readonly string[] = ['Keeps', 'Shows', 'Tests', 'Checks'];

const PAGE = readFileSync(join(ROOT, 'src/RULES.md'), 'utf8');

const RULES: readonly Rule[] = PAGE.split(/^## /m)
  .filter((section) => /^R\d+: /.test(section))
  .map((section) => ({
    id: section.slice(0, section.indexOf(':')),
    isBuilt: !/^- Not built yet\.$/m.test(section),
    keeps: namesIn(section, 'Keeps'),
    shows: namesIn(section, 'Shows'),
    tests: namesIn(section, 'Tests'),
    checks: [...itemOf(section, 'Checks').matchAll(/\d+/g)].map(([law]) => Number(law)),
    commands: namesIn(section, 'Checks'),
    keys: [...section.matchAll(/^- (\w+):/gm)].map(([, key = '']) => key),
  }));

/** The laws of the table that a file checks already. */
const LAWS = [...PAGE.matchAll(/^\| (\d+) \|.*\| `([^`]+)` \|$/gm)].map(([, law, file]) => ({
  law: Number(law),
  file: file ?? '',
}));

/** What stands under a key, with the lines that go on with it. */
function itemOf(section: string, key: string): string {
  return new RegExp(`^- ${key}: (.*(?:\\n {2}.*)*)$`, 'm').exec(section)?.[1] ?? '';
}

function namesIn(section: string, key: string): readonly string[] {
  return [...itemOf(section, key).matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
}

function repeated(names: readonly string[]): readonly string[] {
  return names.filter((name, place) => names.indexOf(name) !== place);
}

const SCENARIOS = ['accepted', 'refused'].flatMap((kind) =>
  readdirSync(join(ROOT, 'test/scenarios', kind)),
);

const SPOKEN = ['src', 'test', 'migrations', 'infra']
  .flatMap(pathsBelow)
  .concat('README.md')
  .filter((path) => /\.(?:ts|md|sql|json)$/.test(path))
  .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));

describe('src/RULES.md', () => {
  it('defines R1 to R24, in order, each once', () => {
    const expected = Array.from({ length: 24 }, (_, index) => `R${index + 1}`);
    expect(RULES.map(({ id }) => id)).toEqual(expected);
  });

  it('names for every rule that is built the files, the scenarios and the law or the command', () => {
    const bare = RULES.filter(({ isBuilt }) => isBuilt).filter(
      ({ keeps, shows, checks, commands }) =>
        keeps.length * shows.length * (checks.length + commands.length) === 0,
    );
    expect(bare.map(({ id }) => id)).toEqual([]);
  });

  it('gives every rule each key of its list once, in one order, and names nothing twice under one', () => {
    const untidy = RULES.flatMap(({ id, keys, keeps, shows, tests }) => [
      ...(keys.join() === KEYS.filter((key) => keys.includes(key)).join()
        ? []
        : [`${id}: ${keys}`]),
      ...[keeps, shows, tests].flatMap(repeated).map((name) => `${id}: ${name}`),
    ]);
    expect(untidy).toEqual([]);
  });

  it('parts what it lists by commas', () => {
    // Two lists that were merged into one leave a line without its comma.
    const unparted = [...PAGE.matchAll(/`\n {2}`.*/g)].map(([line]) => line.trim());
    expect(unparted).toEqual([]);
  });

  it('names no command that there is not', () => {
    const program = readFileSync(join(ROOT, 'src/cli/program.ts'), 'utf8');
    const named = RULES.flatMap(({ commands }) => commands);
    expect(named).toContain('status');
    expect(named.filter((name) => !program.includes(`  ${name}: async () =>`))).toEqual([]);
  });

  it('calls no rule unbuilt that has a scenario', () => {
    const unbuilt = RULES.filter(({ isBuilt }) => !isBuilt).map(({ id }) => id);
    const shown = SCENARIOS.map(ruleOfScenario);
    expect(unbuilt.filter((id) => shown.includes(id))).toEqual([]);
  });

  it('names files that exist', () => {
    const tests = [...PAGE.matchAll(/`(test\/[^`*{]+\.ts)`/g)].map(([, file = '']) => file);
    const named = [...RULES.flatMap(({ keeps }) => keeps), ...LAWS.map(({ file }) => file)];
    const paths = named.map((file) => (file.startsWith('migrations/') ? file : `src/${file}`));
    const missing = [...paths, ...tests].filter((path) => !existsSync(join(ROOT, path)));
    expect(missing).toEqual([]);
  });

  it('names scenarios that exist and belong to the rule', () => {
    const wrong = RULES.flatMap(({ id, shows }) =>
      shows.filter((name) => !SCENARIOS.includes(name) || ruleOfScenario(name) !== id),
    );
    expect(wrong).toEqual([]);
  });

  it('names laws of its own table', () => {
    const known = LAWS.map(({ law }) => law);
    const unknown = RULES.flatMap(({ checks }) => checks).filter((law) => !known.includes(law));
    expect(unknown).toEqual([]);
  });
});

describe('rules that are cited', () => {
  it('are defined', () => {
    const defined = RULES.map(({ id }) => id);
    const undefinedOnes = SPOKEN.flatMap(({ path, text }) =>
      [...text.matchAll(/\((R\d+)\)|"(R\d+): /g)]
        .map(([, cited, why]) => cited ?? why ?? '')
        .filter((id) => !defined.includes(id))
        .map((id) => `${path}: ${id}`),
    );
    expect(undefinedOnes).toEqual([]);
  });

  it('are defined where a scenario is named after one', () => {
    const ids = SCENARIOS.map(ruleOfScenario).filter((id) => id !== null);
    expect(ids.filter((id) => !RULES.some((rule) => rule.id === id))).toEqual([]);
  });

  it('are shown by a scenario, all that are built', () => {
    const shown = SCENARIOS.map(ruleOfScenario);
    const unshown = RULES.filter(({ id, isBuilt }) => isBuilt && !shown.includes(id));
    expect(unshown.map(({ id }) => id)).toEqual([]);
  });
});

function ruleOfScenario(name: string): string | null {
  return /^(R\d+)-/.exec(name)?.[1] ?? null;
}

describe('what users read', () => {
  it('says words and not rule numbers, in every text of the code', () => {
    const numbered = SOURCE_FILES.flatMap(({ path, code }) =>
      [...code.matchAll(/^.*\bR\d{1,2}\b.*$/gm)].map(([line]) => `${path}: ${line.trim()}`),
    );
    expect(numbered).toEqual([]);
  });

  it('says words and not rule numbers, in the help of every command', async () => {
    let helps = 0;
    for (const file of readdirSync(join(ROOT, 'src/cli/commands'))) {
      if (!file.endsWith('.ts')) continue;
      const exported = Object.entries(await import(`../src/cli/commands/${file}`));
      // Each stands in a program of its own: `close` and `tenant close` have one name at their places.
      for (const [name, add] of exported) {
        if (!/^add[A-Z]/.test(name) || typeof add !== 'function') continue;
        const program = new Command('spanledger');
        add(program);
        const help = helpOf(program);
        helps += help.length;
        expect(help.filter((text) => /\bR\d{1,2}\b/.test(text))).toEqual([]);
      }
    }
    expect(helps).toBeGreaterThan(30);
  });
});

function helpOf(command: Command): readonly string[] {
  return [command.helpInformation(), ...command.commands.flatMap(helpOf)];
}

describe('every file', () => {
  /** Papers of whoever planned the work: what they meant stands in the repository. */
  const ELSEWHERE =
    /\b[Tt]he contract\b|\bDESIGN\b|\bCONTRACT\b|\bEXAMPLES\.md\b|\bfacts\/|\bthe issue\b|\bissue \d/;

  it('explains itself by what stands in the repository', () => {
    const strays = SPOKEN.filter(({ path }) => path !== 'test/rules.test.ts').flatMap(
      ({ path, text }) =>
        text
          .split('\n')
          .filter((line) => ELSEWHERE.test(line))
          .map((line) => `${path}: ${line.trim().slice(0, 120)}`),
    );
    expect(strays).toEqual([]);
  });
});
