import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { expect, onTestFinished, test, vi } from 'vitest';

const ENDS_WITHIN_MS = 30_000;
const STARTS = `
  import { startPostgres } from ${JSON.stringify(new URL('./global-setup.ts', import.meta.url).href)};
  const provide = (name, value) => void (name === 'plainUrl' && process.stdout.write(value));
  await startPostgres({ provide }, { folder: process.argv[1] });`;

test('a run that is killed with all its group leaves no Postgres, though a process of that is stopped', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'spanledger-killed-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  // The user of the server makes its folder in this one.
  await chmod(folder, 0o755);
  const run = spawn(process.execPath, ['--input-type=module', '--eval', STARTS, folder], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [url] = await once(run.stdout, 'data');
  const client = new pg.Client({ connectionString: String(url) });
  client.on('error', () => {});
  await client.connect();
  const { rows } = await client.query('select pg_backend_pid() as pid');
  const { pid } = rows[0];
  onTestFinished(() => void (isThere(pid) && process.kill(pid, 'SIGKILL')));
  process.kill(pid, 'SIGSTOP');

  process.kill(-(run.pid ?? 0), 'SIGKILL');

  await vi.waitFor(async () => expect(await readdir(folder)).toEqual([]), ENDS_WITHIN_MS);
  expect(isThere(pid)).toBe(false);
});

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
