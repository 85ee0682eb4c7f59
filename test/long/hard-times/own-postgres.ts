import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findServer } from '../../../src/demo/embedded-postgres.ts';

const run = promisify(execFile);
const READY = 'database system is ready to accept connections';

export interface PostgresPlace {
  readonly folder: string;
  /** The folder of its log of changes, where that is on a disk of its own. */
  readonly walFolder: string | null;
  readonly settings: Readonly<Record<string, string>>;
}

/** A Postgres whose disk, memory and time are ours to take away: it can end, be started again, and stand still. */
export class OwnPostgres {
  readonly #place: PostgresPlace;
  readonly port: number;
  #server: ChildProcess | null = null;
  #log = '';

  private constructor(place: PostgresPlace, port: number) {
    this.#place = place;
    this.port = port;
  }

  static async make(place: PostgresPlace): Promise<OwnPostgres> {
    const { bin, identity } = await findServer();
    const folders = [place.folder, ...(place.walFolder === null ? [] : [place.walFolder])];
    for (const folder of folders) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      if (identity !== null) await chown(folder, identity.uid, identity.gid);
    }
    const wal = place.walFolder === null ? [] : [`--waldir=${place.walFolder}`];
    const usual = ['--username=postgres', '--auth=trust', '--encoding=UTF8', '--locale=C'];
    await run(join(bin, 'initdb'), ['-D', place.folder, ...usual, ...wal, '--no-sync'], {
      ...(identity ?? {}),
      cwd: place.folder,
    });
    const made = new OwnPostgres(place, await freePort());
    await made.start();
    return made;
  }

  get url(): string {
    return this.urlAt(this.port);
  }

  urlAt(port: number): string {
    return `postgres://postgres@127.0.0.1:${port}/postgres`;
  }

  /** What it said last, for a person. */
  get lastWords(): string {
    return this.#log.slice(-2_000);
  }

  says(words: RegExp): boolean {
    return words.test(this.#log);
  }

  get hasEnded(): boolean {
    const server = this.#server;
    return server === null || server.exitCode !== null || server.signalCode !== null;
  }

  async start(): Promise<void> {
    const { bin, identity } = await findServer();
    const { folder, settings } = this.#place;
    const options = { ...settings, listen_addresses: '127.0.0.1', unix_socket_directories: '' };
    const flags = Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const server = spawn(join(bin, 'postgres'), ['-D', folder, '-p', String(this.port), ...flags], {
      ...(identity ?? {}),
      ...{ cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
    });
    this.#server = server;
    const from = this.#log.length;
    server.stderr?.on('data', (chunk: Buffer) => {
      this.#log += chunk.toString('utf8');
    });
    while (!this.#log.slice(from).includes(READY)) {
      if (this.hasEnded) throw new Error(`Postgres ended: ${this.lastWords}`);
      await later(50);
    }
  }

  /** Every process of the server stands still, as it does on a disk that does not answer. */
  async freeze(): Promise<void> {
    for (const pid of await this.processes()) process.kill(pid, 'SIGSTOP');
  }

  async thaw(): Promise<void> {
    for (const pid of await this.processes()) process.kill(pid, 'SIGCONT');
  }

  /** Its processes get hardly more memory than they begin with, or as much as they want again. */
  async limitMemory(isShort: boolean): Promise<void> {
    const { identity } = await findServer();
    const status = await readFile(`/proc/${this.#server?.pid}/status`, 'utf8');
    const kilobytes = Number(/VmSize:\s+(\d+)/.exec(status)?.[1] ?? 0);
    const most = isShort ? String((kilobytes + 3_000) * 1024) : 'unlimited';
    for (const pid of await this.processes()) {
      const limit = ['--pid', String(pid), `--as=${most}:unlimited`];
      await run('prlimit', limit, identity ?? {}).catch(() => {});
    }
  }

  /** The numbers of its processes, its own first. */
  async processes(): Promise<readonly number[]> {
    const pid = this.#server?.pid;
    if (pid === undefined || this.hasEnded) return [];
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return [pid, ...children.trim().split(' ').filter(Boolean).map(Number)];
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server !== null && !this.hasEnded) {
      const ended = once(server, 'exit');
      server.kill('SIGINT');
      await ended;
    }
    await rm(this.#place.folder, { recursive: true, force: true });
    if (this.#place.walFolder !== null)
      await rm(this.#place.walFolder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((done) => probe.listen(0, '127.0.0.1', done));
  const address = probe.address();
  await new Promise((done) => probe.close(done));
  if (typeof address === 'object' && address !== null) return address.port;
  throw new Error('no free port');
}

export function later(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}
