import { type ChildProcess, spawn } from 'node:child_process';
import { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { runCommandLine } from '../../src/cli/program.ts';
import { systemClock } from '../../src/clock.ts';
import { openLog } from '../../src/log.ts';

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

type Variables = Readonly<Record<string, string>>;

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/**
 * Runs `spanledger …` to its end, with this environment and no other: in the test's own process, since
 * starting one takes longer than most commands, where nothing of the command asks for a process.
 */
export function cli(args: readonly string[], environment: Variables = {}): Promise<CliResult> {
  return asksForAProcess(args) ? cliProcess(args, environment) : runHere(args, environment);
}

/** They listen to the signals of their process, or wait for its end; a worker with an end of its own does not. */
const SERVERS: ReadonlySet<string> = new Set(['demo', 'serve', 'stripe-double', 'worker']);
const OWN_END = '--until-empty';

/** The SDK for S3 reads its credentials and region from the environment of its process alone. */
function asksForAProcess(args: readonly string[]): boolean {
  const isServer = SERVERS.has(args[0] ?? '') && !args.includes(OWN_END);
  return isServer || args.some((arg) => arg.startsWith('s3://'));
}

/**
 * Runs a command in a process of its own: what the operating system sees of it is what is tested.
 */
export function cliProcess(
  args: readonly string[],
  environment: Variables = {},
): Promise<CliResult> {
  return finish(launch(args, environment));
}

async function runHere(args: readonly string[], environment: Variables): Promise<CliResult> {
  const stdout = rememberWrites();
  const stderr = rememberWrites();
  const exitCode = await runCommandLine(args, {
    environment,
    stdout: stdout.stream,
    stderr: stderr.stream,
    stdin: () => Readable.from([]),
    openLog: (level) => openLog(level, stderr.stream),
    clock: systemClock,
  });
  return { stdout: stdout.text(), stderr: stderr.text(), exitCode, signal: null };
}

function rememberWrites(): { readonly stream: Writable; readonly text: () => string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk, _encoding, written) {
      chunks.push(chunk);
      written();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString('utf8') };
}

/** Starts `spanledger …` as a process; whatever is left of it when the test ends is killed. */
export function startCli(args: readonly string[], environment: Variables = {}): CliProcess {
  const child = launch(args, environment);
  const kill = (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
  };
  onTestFinished(() => kill('SIGKILL'));
  return { child, finished: finish(child), kill };
}

function launch(args: readonly string[], environment: Variables): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], {
    env: {
      PATH: process.env['PATH'] ?? '',
      NO_COLOR: '1',
      // Every run loads the same files; compiling them anew would be half of its time.
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '',
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
