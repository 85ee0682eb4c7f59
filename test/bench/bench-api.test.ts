import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';

const START = `
  const { startServe } = await import(${JSON.stringify(fileURLToPath(new URL('bench-api.ts', import.meta.url)))});
  process.once('SIGTERM', () => process.exit(143));
  const { child } = await startServe('postgres://nobody@127.0.0.1:1/none');
  console.log(child.pid);
`;

it('a server that is measured ends with a benchmark that a signal ends', async () => {
  const bench = spawn(process.execPath, ['--input-type=module', '--eval', START], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(() => void bench.kill('SIGKILL'));
  const [said] = (await once(bench.stdout, 'data')) as [Buffer];
  const served = Number(said.toString('utf8'));
  onTestFinished(() => {
    if (isRunning(served)) process.kill(served, 'SIGKILL');
  });
  expect(isRunning(served)).toBe(true);

  bench.kill('SIGTERM');
  await once(bench, 'exit');

  // Whoever was killed is known for a moment, until the system has taken note.
  for (let looks = 0; isRunning(served) && looks < 100; looks += 1) await setTimeout(20);
  expect(isRunning(served)).toBe(false);
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
