import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MONEY_FILES } from './money-files.ts';

/**
 * Mutates the files that decide amounts and counts which mutants their tests kill:
 * `npm run mutate` for all of them, `npm run mutate -- manifest billable:10-20` for some, by name and
 * lines. README.md beside this file has the last result, and why some mutants survive.
 *
 * Stryker is installed into a scratch copy only. It is no dependency of ours: its tree is larger than
 * all the others together, and a lock file that it grew would be refused by `npm ci`.
 */

const STRYKER = ['@stryker-mutator/core@10.1.1', '@stryker-mutator/vitest-runner@10.1.1'];
const LEAST_PERCENT = 90;
/** What the tests refuse: a test fails, or does not end, or its file cannot even be loaded with the changed program. */
const KILLED: ReadonlySet<string> = new Set(['Killed', 'Timeout', 'RuntimeError']);

const checkout = fileURLToPath(new URL('../..', import.meta.url));
const scratch = join(tmpdir(), 'spanledger-mutation');

interface Mutant {
  readonly status: string;
  readonly mutatorName: string;
  readonly replacement: string;
  readonly location: { readonly start: { readonly line: number } };
}

makeScratch();
const asked = process.argv.slice(2);
const files = Object.keys(MONEY_FILES).filter(
  (file) => asked.length === 0 || asked.some((name) => isNamed(file, name)),
);
const results = files.map((file) => ({ file, mutants: mutate(file) }));
for (const { file, mutants } of results) report(file, mutants);
const total = results.flatMap(({ mutants }) => mutants);
const percent = (100 * total.filter(isKilled).length) / total.length;
console.log(`${total.length} mutants, ${percent.toFixed(2)} % killed`);
if (percent < LEAST_PERCENT) process.exitCode = 1;

/** The checkout without its packages; they and Stryker are installed once and found again. */
function makeScratch(): void {
  mkdirSync(scratch, { recursive: true });
  for (const part of ['src', 'test', 'migrations', 'package.json', 'package-lock.json']) {
    rmSync(join(scratch, part), { recursive: true, force: true });
    cpSync(join(checkout, part), join(scratch, part), { recursive: true });
  }
  writeFileSync(
    join(scratch, 'vitest.config.ts'),
    `export default { test: { maxWorkers: 1, testTimeout: 60_000, include: process.env.MUTATED_BY.split(' ') } };`,
  );
  writeFileSync(
    join(scratch, 'stryker.config.json'),
    JSON.stringify({
      testRunner: 'vitest',
      plugins: ['@stryker-mutator/vitest-runner'],
      vitest: { related: false },
      coverageAnalysis: 'perTest',
      concurrency: 1,
      timeoutMS: 20_000,
      reporters: ['json'],
      // Stryker asks TypeScript's compiler API about it, which TypeScript 7 no longer has.
      tsconfigFile: 'none.json',
    }),
  );
  if (existsSync(join(scratch, 'node_modules', '@stryker-mutator', 'core'))) return;
  execFileSync('npm', ['install', '--no-save', ...STRYKER], { cwd: scratch, stdio: 'inherit' });
}

function isNamed(file: string, name: string): boolean {
  return file.endsWith(`/${name.split(':')[0]}.ts`);
}

function mutate(file: string): readonly Mutant[] {
  const lines = asked.find((name) => isNamed(file, name))?.split(':')[1];
  const range = lines === undefined ? file : `${file}:${lines}`;
  // Fewer random cases than `npm test` has: a mutant that needs luck to be found is not killed.
  const env = { ...process.env, MUTATED_BY: MONEY_FILES[file]?.join(' '), SPANLEDGER_CASES: '60' };
  const run = spawnSync('npx', ['stryker', 'run', '-m', range], {
    cwd: scratch,
    env,
    stdio: 'inherit',
  });
  if (run.status !== 0) throw new Error(`Stryker ended with ${run.status} on ${file}`);
  const json = readFileSync(join(scratch, 'reports', 'mutation', 'mutation.json'), 'utf8');
  const { files: reported } = JSON.parse(json) as {
    files: Readonly<Record<string, { mutants: readonly Mutant[] }>>;
  };
  return reported[file]?.mutants ?? [];
}

function isKilled({ status }: Mutant): boolean {
  return KILLED.has(status);
}

function report(file: string, mutants: readonly Mutant[]): void {
  const alive = mutants.filter((mutant) => !isKilled(mutant));
  console.log(`${file}: ${mutants.length - alive.length} of ${mutants.length} killed`);
  for (const { status, mutatorName, replacement, location } of alive) {
    const change = replacement.replaceAll(/\s+/g, ' ').slice(0, 100);
    console.log(`  ${status} ${mutatorName} in line ${location.start.line}: ${change}`);
  }
}
