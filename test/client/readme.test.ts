import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import type { Api } from '../support/api.ts';
import { freshApi } from '../support/api.ts';
import { freshDatabase } from '../support/database.ts';
import { importBooks, makeTenant } from '../support/ledger.ts';
import { chatAnswer } from '../support/provider-answers.ts';
import { openProvider } from '../support/provider-double.ts';
import { ROOT } from '../support/source-files.ts';

const run = promisify(execFile);
const isHere = (program: string) => spawnSync(program, ['--version']).status === 0;

/** The program of "From application code" in this language. */
async function exampleIn(language: string): Promise<string> {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  const section = readme.slice(readme.indexOf('## From application code'));
  const code = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(section)?.[1] ?? '';
  expect(code).not.toBe('');
  return code;
}

/** In a checkout the packages stand as their sources, which Node runs as they are. */
function fromSources(code: string): string {
  const source = (path: string) => `'${join(ROOT, 'src/client', path)}'`;
  return code
    .replace("'@spanledger/client'", source('client.ts'))
    .replace("'@spanledger/client/budget-refusals'", source('guard/budget-refusals.ts'))
    .replace("'@spanledger/client/meter-client'", source('calls/meter-client.ts'));
}

async function scene(): Promise<{ readonly api: Api; readonly env: NodeJS.ProcessEnv }> {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme-robotics');
  const api = await freshApi(database);
  const env = { ...process.env, SPANLEDGER_URL: api.url, SPANLEDGER_KEY: await api.key('admin') };
  const folding = setInterval(() => void foldAll(database, systemClock).catch(() => {}), 50);
  onTestFinished(() => clearInterval(folding));
  return { api, env };
}

async function write(name: string, code: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'spanledger-readme-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await writeFile(join(folder, name), code);
  return join(folder, name);
}

it('the three steps in TypeScript tag, report and enforce', async () => {
  const { env } = await scene();
  // What the application calls is the real package, and its provider is a server here.
  const provider = await openProvider((_, nth) => ({
    body: chatAnswer({ id: `chatcmpl-the-answer-number-${nth}` }),
  }));
  const path = await write('application.ts', fromSources(await exampleIn('ts')));
  const openai = { OPENAI_BASE_URL: `${provider.url}/v1`, OPENAI_API_KEY: 'sk-test' };
  const { stdout } = await run(process.execPath, [path], { env: { ...env, ...openai } });
  // twice 1,200 × $3 + 300 × $12 a million
  expect(stdout.trim().split('\n')).toEqual([
    expect.stringMatching(/^user ann 0\.0144 charged, 0\.\d+ USD$/),
    expect.stringMatching(/^feature search 0\.0144 charged, 0\.\d+ USD$/),
    'trace 2 calls, 3000 tokens',
    expect.stringMatching(/^refused \d+ of 10000 tokens left until 20\d\d-\d\d-\d\dT/),
  ]);
  expect(provider.requests).toHaveLength(2);
});

it.skipIf(!isHere('python3'))('the three steps in Python tag, report and enforce', async () => {
  const { env } = await scene();
  const { stdout } = await run(
    'python3',
    [await write('application.py', await exampleIn('python'))],
    { env },
  );
  expect(stdout.trim().split('\n')).toEqual([
    expect.stringMatching(/^user ann 0\.0072 charged, 0\.\d+ USD$/),
    expect.stringMatching(/^feature search 0\.0072 charged, 0\.\d+ USD$/),
    'trace 1 calls, 1500 tokens',
    expect.stringMatching(/^refused \d+ of 10000 tokens left until 20\d\d-\d\d-\d\dT/),
  ]);
});

it.skipIf(!isHere('curl'))('the three steps with curl tag, report and enforce', async () => {
  const { env } = await scene();
  const { stdout } = await run('bash', ['-c', await exampleIn('bash')], { env });
  expect(stdout).toMatch(/"taken":1,"not_taken":0/);
  expect(stdout).toMatch(/^.*ann,search.*0\.0072/m);
  expect(stdout).toMatch(/"trace_id":"trace-1"/);
  expect(stdout).toMatch(/^200 \d+(?:\.\d+)? left\n402 \d+(?:\.\d+)? left$/m);
});
