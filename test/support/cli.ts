import { type ChildProcess, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** What a finished run of the command line left. */
export interface CliResult {
  readonly stdout: string;
  readonly stderr: string;
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A run of the command line that still goes on. */
export interface CliProcess {
  readonly child: ChildProcess;
  readonly finished: Promise<CliResult>;
  kill(signal: NodeJS.Signals): void;
}

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Runs `spanledger …` to its end in a process of its own, with this environment and no other. */
export function cli(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<CliResult> {
  return finish(launch(args, environment));
}

/** Starts `spanledger …`; whatever is left of it when the test ends is killed. */
export function startCli(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): CliProcess {
  const child = launch(args, environment);
  const kill = (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
  };
  onTestFinished(() => kill('SIGKILL'));
  return { child, finished: finish(child), kill };
}

function launch(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], {
    env: {
      PATH: process.env['PATH'] ?? '',
      NO_COLOR: '1',
      // Every run loads the same files; compiling them anew would be half of its time.
      NODE_COMPILE_CACHE: join(tmpdir(), 'spanledger-compile-cache'),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function finish(child: ChildProcess): Promise<CliResult> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString('utf8');
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8');
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => resolve({ stdout, stderr, exitCode, signal }));
  });
}
