import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import { demoAnswer, demoRequest } from '../../src/demo/demo-answer.ts';
import { present } from '../../src/present.ts';
import { startApi } from '../support/api.ts';
import { type CliProcess, cli, startCli } from '../support/cli.ts';
import { chatAnswer } from '../support/provider-answers.ts';
import { openProvider } from '../support/provider-double.ts';
import { isHere, runPython, runShell, runTypeScript } from '../support/readme-programs.ts';
import { ROOT } from '../support/source-files.ts';
import { readTour } from './tour.ts';

// It starts a database, a queue and a Stripe of its own, and runs the tour of README.md on them.
const LIMIT_MS = 400_000;

test(
  'a month goes through every step, what Stripe says is what was pushed, and the tour of README.md works on it as it is written',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'spanledger-demo-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const demo = startCli(['demo', '--calls', '400', '--out', folder, '--keep', '--json']);
    const answer = demoAnswer.parse(await answerOf(demo));
    expect(answer.laws.map(({ law }) => law)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    const live = answer.tenants.filter(({ mode }) => mode === 'live');
    expect(live.length).toBeGreaterThan(3);
    expect(live.map(({ pushed }) => pushed)).toEqual(live.map(({ stripe }) => stripe));
    expect(answer.total.pushed).toBe(answer.total.stripe);
    expect(answer.worker.posted + answer.worker.duplicate).toBeGreaterThan(answer.traffic.calls);
    const names = (await readdir(folder)).map((name) => join(folder, name));
    expect(names.sort()).toEqual([...answer.statements].sort());
    expect(await wrongIn(present(answer.connection, 'a connection'))).toEqual(
      expect.arrayContaining(['untold', 'unbilled', 'on_voided_invoice', 'alert']),
    );
    await walk(answer.month, folder, present(answer.connection, 'a connection'));
    await enforce(present(answer.connection, 'a connection'));
    demo.kill('SIGTERM');
    expect(await demo.finished).toMatchObject({ exitCode: 0, signal: null });
  },
  LIMIT_MS,
);

test(
  'a demo that is ended in its middle leaves no database behind, and no folder of one',
  async () => {
    const temporary = await mkdtemp(join(tmpdir(), 'spanledger-ended-'));
    onTestFinished(() => rm(temporary, { recursive: true }));
    // The server's user may enter it, as it may the folder for temporary files.
    await chmod(temporary, 0o755);
    const demo = startCli(['demo', '--calls', '400'], { TMPDIR: temporary });
    let said = '';
    demo.child.stdout?.on('data', (chunk) => {
      said += String(chunk);
    });
    await vi.waitFor(() => expect(said).toContain('started an embedded Postgres'), LIMIT_MS);
    const [data = ''] = await foldersOfServers(temporary);
    const pid = Number((await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')[0]);
    demo.kill('SIGTERM');
    expect(await demo.finished).toMatchObject({ exitCode: 143 });
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'), 10_000);
    expect(await foldersOfServers(temporary)).toEqual([]);
  },
  LIMIT_MS,
);

async function foldersOfServers(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder);
  return names.filter((name) => name.includes('pgdata')).map((name) => join(folder, name));
}

/** What a command prints while it goes on; fails with its words where it ends before. */
async function answerOf({ child, finished }: CliProcess): Promise<unknown> {
  let printed = '';
  child.stdout?.on('data', (chunk) => {
    printed += String(chunk);
  });
  const ended = finished.then(({ stderr }) => {
    throw new Error(`it ended: ${stderr}`);
  });
  const whole = vi.waitFor(() => JSON.parse(printed), { timeout: LIMIT_MS, interval: 200 });
  return Promise.race([whole, ended]);
}

/** What is left to look at, by its kind. */
async function wrongIn(connection: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const { stdout } = await cli(['status', '--json'], connection);
  const { missing } = JSON.parse(stdout) as { readonly missing: readonly { kind: string }[] };
  return missing.map(({ kind }) => kind);
}

/** Runs every line of the tour, one after the other, from the folder where its files are. */
async function walk(
  month: string,
  folder: string,
  connection: Readonly<Record<string, string>>,
): Promise<void> {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  const steps = readTour(readme, month);
  expect(steps.length).toBeGreaterThan(35);
  const from = process.cwd();
  process.chdir(folder);
  try {
    for (const step of steps) {
      if (step.kind === 'file') await writeFile(step.name, step.content);
      else {
        const environment = { ...connection, SPANLEDGER_LOG_LEVEL: 'silent' };
        const { exitCode, stdout, stderr } = await cli(step.args, environment);
        const expected = step.mayFindWrong ? [0, 1] : [0];
        expect(expected, `${step.line}: ${stderr}${stdout}`).toContain(exitCode);
        expect(stderr, step.line).toBe('');
      }
    }
  } finally {
    process.chdir(from);
  }
}

/** Runs what README.md shows from application code, as it stands there, in each language that is at hand. */
async function enforce(connection: Readonly<Record<string, string>>): Promise<void> {
  const database = openDatabase({
    ...{ url: connection['DATABASE_URL'] ?? '', connections: 10, onConnectionLost: () => {} },
  });
  const api = await startApi(database);
  const provider = await openProvider((_, nth) => ({
    body: chatAnswer({ id: `chatcmpl-the-answer-number-${nth}` }),
  }));
  const env = {
    ...process.env,
    ...{ SPANLEDGER_URL: api.url, SPANLEDGER_KEY: await api.key('admin') },
    ...{ OPENAI_BASE_URL: `${provider.url}/v1`, OPENAI_API_KEY: 'sk-test' },
  };
  const programs = [runTypeScript, ...(isHere('python3') ? [runPython] : [])];
  for (const program of programs) {
    const text = (await program(env)).join('\n');
    expect(text).toMatch(/^user ann \d+\.\d+ charged, \S+ USD$/m);
    expect(text).toMatch(/^feature search \d+\.\d+ charged, \S+ USD$/m);
    expect(text).toMatch(/^trace \d calls, \d+ tokens$/m);
    expect(text).toMatch(/^refused -?\d+ of 10000 tokens left until 20\d\d-\d\d-\d\dT/m);
  }
  if (isHere('curl')) expect((await runShell(env)).join('\n')).toMatch(/^402 -?\d+ left$/m);
  await api.close();
  await closeDatabase(database);
}

test('its request is read by its schema, and nothing beside it', () => {
  const request = { trace: null, calls: 20_500, seed: 42, folder: 'statements', keep: false };
  expect(demoRequest.parse(request)).toEqual(request);
  expect(demoRequest.safeParse({ ...request, month: '2026-10' }).success).toBe(false);
});
