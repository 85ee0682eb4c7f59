import { readFileSync } from 'node:fs';
import type { Database } from '../../src/database/database.ts';

/**
 * The server's processes behind the connections of actors. One that waits for a lock is stopped, as by a debugger: it
 * gets its lock when that is free, and goes on with it when it is told to. So no two of them are ever at work at once.
 */
export class ServerProcesses {
  readonly #observer: Database;
  readonly #stopped = new Set<number>();

  constructor(observer: Database) {
    this.#observer = observer;
  }

  /** For whom each of these waits. */
  async blockers(pids: readonly number[]): Promise<ReadonlyMap<number, readonly number[]>> {
    if (pids.length === 0) return new Map();
    const { rows } = await this.#observer.pool.query<{ pid: number; blockers: number[] }>({
      // It is asked thousands of times a minute, and planned once.
      name: 'blockers',
      text: 'select pid, pg_blocking_pids(pid) as blockers from unnest($1::int[]) pid',
      values: [pids],
    });
    return new Map(rows.map(({ pid, blockers }) => [pid, blockers]));
  }

  /** False where the system knows that it is at work, and so waits for nobody; the server need not be asked then. */
  maySleep(pid: number): boolean {
    try {
      // What comes before is its name in parentheses.
      return !/\) R /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
    } catch {
      return true;
    }
  }

  stop(pid: number): void {
    this.#stopped.add(pid);
    process.kill(pid, 'SIGSTOP');
  }

  goOn(pid: number): void {
    if (this.#stopped.delete(pid)) reaches(pid, 'SIGCONT');
  }

  /** Ends the statement of one that waits. */
  async cancel(pid: number): Promise<void> {
    await this.#observer.pool.query('select pg_cancel_backend($1)', [pid]);
  }

  /** Resolves when they are gone, and with them what they had locked. */
  async end(pids: readonly number[]): Promise<void> {
    for (const pid of pids) {
      // A process that waits for a lock does not hear that nobody listens any more.
      reaches(pid, 'SIGTERM');
      this.goOn(pid);
    }
    // The server is asked nothing: its system knows, and no other process has to wake for it.
    while (pids.some((pid) => reaches(pid, 0))) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** Nothing may be left standing, not even where the run is broken off: the server could not end. */
  letAllGo(): void {
    for (const pid of [...this.#stopped]) this.goOn(pid);
  }
}

/** Sends a signal, or only asks; false where the process is gone already. */
function reaches(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (Object(error).code === 'ESRCH') return false;
    throw error;
  }
}
