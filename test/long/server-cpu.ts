import { readdirSync, readFileSync } from 'node:fs';
import type { Database } from '../../src/database/database.ts';

/** Linux counts the time of processes in hundredths of a second, on every machine. */
const TICKS_A_SECOND = 100;

/** The fields of a process after its name, by their places there. */
const PARENT = 1;
const OWN_TIMES = [11, 12];
const TIMES_OF_ENDED_CHILDREN = [13, 14];

/**
 * Seconds that the processors have spent for the server of a database since it began, in all of its processes:
 * sessions, workers that a query took beside it, checkpoints and vacuum. The server runs on this machine.
 */
export async function readServerCpu({ pool }: Database): Promise<number> {
  const { rows } = await pool.query<{ pid: number }>('select pg_backend_pid() as pid');
  const server = fieldsOf(String(rows[0]?.pid))?.[PARENT];
  if (server === undefined) throw new Error('the server of the database is not on this machine');
  const ticks = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      const fields = fieldsOf(pid);
      if (pid === server) return sum(fields, [...OWN_TIMES, ...TIMES_OF_ENDED_CHILDREN]);
      return fields?.[PARENT] === server ? sum(fields, OWN_TIMES) : 0;
    });
  return ticks.reduce((all, own) => all + own, 0) / TICKS_A_SECOND;
}

/** Answers undefined for a process that is gone. A name may hold spaces, and ends with the last parenthesis. */
function fieldsOf(pid: string): readonly string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function sum(fields: readonly string[] | undefined, places: readonly number[]): number {
  return places.reduce((all, place) => all + Number(fields?.[place] ?? 0), 0);
}
