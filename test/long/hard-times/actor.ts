import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));

export interface ActorOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Flags of Node itself, such as a bound of its heap. */
  readonly node?: readonly string[];
  /** It is started again when it ends, as whoever runs it in earnest does. Default true. */
  readonly isKept?: boolean;
}

/** One line of a process's log. */
export interface Said {
  readonly level: string;
  readonly msg: string;
  readonly text: string;
}

/** A process of the bridge, with what it said, started again when it ends by itself. */
export class Actor {
  readonly name: string;
  readonly #args: readonly string[];
  readonly #options: ActorOptions;
  #child: ChildProcess;
  #isEnded = false;
  /** Exits that nobody asked for, by their codes and signals. */
  readonly exits: string[] = [];
  readonly said: Said[] = [];
  stdout = '';
  /** Where it listens, once it has said so. */
  url: string | null = null;

  constructor(of: {
    readonly name: string;
    readonly args: readonly string[];
    readonly options: ActorOptions;
  }) {
    this.name = of.name;
    this.#args = of.args;
    this.#options = of.options;
    this.#child = this.#spawn();
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What it said from a line of its log on. */
  saidSince(from: number): readonly Said[] {
    return this.said.slice(from);
  }

  /** Resolves with its exit code, for one that is not kept. */
  async exit(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null)
      await once(this.#child, 'exit');
    return this.#child.exitCode;
  }

  /** Resolves with its exit code, or says that it is still running by then. */
  async exitWithin(milliseconds: number): Promise<number | null | 'running'> {
    const late = AbortSignal.timeout(milliseconds);
    const gaveUp = once(late, 'abort').then(() => 'running' as const);
    return Promise.race([this.exit(), gaveUp]);
  }

  async end(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#isEnded = true;
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  #spawn(): ChildProcess {
    const { environment = {}, node = [], isKept = true } = this.#options;
    const child = spawn(process.execPath, [...node, MAIN, ...this.#args], {
      env: { ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let rest = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString('utf8');
      const url = /"url":\s*"(http:[^"]+)"/.exec(this.stdout)?.[1];
      if (url !== undefined && this.#child === child) this.url = url;
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString('utf8')).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#hear(line);
    });
    child.once('exit', (code, signal) => {
      if (this.#isEnded || !isKept) return;
      this.exits.push(String(signal ?? code));
      this.url = null;
      this.stdout = '';
      setTimeout(() => {
        if (!this.#isEnded) this.#child = this.#spawn();
      }, 1_000);
    });
    return child;
  }

  #hear(text: string): void {
    try {
      const { level = '', msg = '', health = null } = JSON.parse(text);
      if (typeof health === 'string') this.url = health;
      this.said.push({ level: String(level), msg: String(msg), text });
    } catch {
      this.said.push({ level: 'text', msg: text, text });
    }
  }
}
