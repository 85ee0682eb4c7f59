import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

// A container's first process is that of a namespace of processes. Who may not make one has nothing to try it with.
const NAMESPACE = ['--fork', '--pid', '--kill-child'];
const mayMakeOne = spawnSync('unshare', [...NAMESPACE, 'true']).status === 0;

test.skipIf(!mayMakeOne).each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const)(
  'a command that is the first process of a container ends by %s',
  async (signal, exitCode) => {
    // given a command that waits for a database that never answers
    const database = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void database.close());
    await once(database, 'listening');
    const address = database.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
    const container = spawn('unshare', [...NAMESPACE, process.execPath, main, 'verify'], {
      env: {
        PATH: process.env['PATH'] ?? '',
        DATABASE_URL: `postgres://nobody@127.0.0.1:${port}/none`,
      },
      stdio: 'ignore',
    });
    onTestFinished(() => void container.kill('SIGKILL'));
    const ended = once(container, 'close');
    await once(database, 'connection');
    // when it is told to end, as whoever runs the container tells it
    const { pid } = container;
    const first = Number(await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8'));
    process.kill(first, signal);
    expect(await ended).toEqual([exitCode, null]);
  },
);
