import type { Database } from '../../src/database/database.ts';
import { present } from '../../src/present.ts';

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
    const { rows } = await this.#observer.pool.query<{ pid: number; blockers: number[] }>(
      'select pid, pg_blocking_pids(pid) as blockers from unnest($1::int[]) pid',
      [pids],
    );
    return new Map(rows.map(({ pid, blockers }) => [pid, blockers]));
  }

  stop(pid: number): void {
    this.#stopped.add(pid);
    process.kill(pid, 'SIGSTOP');
  }

  goOn(pid: number): void {
    if (this.#stopped.delete(pid)) process.kill(pid, 'SIGCONT');
  }

  /** Ends the statement of one that waits. */
  async cancel(pid: number): Promise<void> {
    await this.#observer.pool.query('select pg_cancel_backend($1)', [pid]);
  }

  /** Resolves when they are gone, and with them what they had locked. */
  async end(pids: readonly number[]): Promise<void> {
    if (pids.length === 0) return;
    // A process that waits for a lock does not hear that nobody listens any more.
    await this.#observer.pool.query('select pg_terminate_backend(pid) from unnest($1::int[]) pid', [
      pids,
    ]);
    for (const pid of pids) this.goOn(pid);
    for (;;) {
      const { rows } = await this.#observer.pool.query<{ left: number }>(
        'select count(*)::int as left from pg_stat_activity where pid = any($1::int[])',
        [pids],
      );
      if (present(rows[0], 'a count').left === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** Nothing may be left standing, not even where the run is broken off: the server could not end. */
  letAllGo(): void {
    for (const pid of [...this.#stopped]) {
      try {
        this.goOn(pid);
      } catch {
        // It is gone already.
      }
    }
  }
}
