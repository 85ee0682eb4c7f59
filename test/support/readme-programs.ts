import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished } from 'vitest';
import { ROOT } from './source-files.ts';

/** The programs of "From application code" in README.md, run as they stand there. */

const run = promisify(execFile);

export const isHere = (program: string) => spawnSync(program, ['--version']).status === 0;

/** Returns the program in this language; the one after it where the page has two. */
export async function exampleIn(language: string, nth = 0): Promise<string> {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  const section = readme.slice(readme.indexOf('## From application code'));
  const code = [...section.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))];
  const found = code[nth]?.[1] ?? '';
  expect(found).not.toBe('');
  return found;
}

/** Answers the lines that it prints. */
export async function runTypeScript(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const path = await write('application.ts', fromSources(await exampleIn('ts')));
  return linesOf(await run(process.execPath, [path], { env }));
}

export async function runPython(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const path = await write('application.py', await exampleIn('python'));
  return linesOf(await run('python3', [path], { env }));
}

export async function runShell(env: NodeJS.ProcessEnv, nth = 0): Promise<readonly string[]> {
  return linesOf(await run('bash', ['-c', await exampleIn('bash', nth)], { env }));
}

/** Checks that Python reads it, where what it imports is not at hand. */
export async function compilesInPython(code: string): Promise<void> {
  const path = await write('compiled.py', code);
  await run('python3', ['-c', 'import sys; compile(open(sys.argv[1]).read(), "it", "exec")', path]);
}

function linesOf({ stdout }: { readonly stdout: string }): readonly string[] {
  return stdout.trim().split('\n');
}

/** In a checkout the packages stand as their sources, which Node runs as they are. */
function fromSources(code: string): string {
  const source = (path: string) => `'${join(ROOT, 'src/client', path)}'`;
  return code
    .replace("'@spanledger/client'", source('client.ts'))
    .replace("'@spanledger/client/budget-refusals'", source('guard/budget-refusals.ts'))
    .replace("'@spanledger/client/meter-client'", source('calls/meter-client.ts'));
}

async function write(name: string, code: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'spanledger-readme-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await writeFile(join(folder, name), code);
  return join(folder, name);
}
