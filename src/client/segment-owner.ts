import { readFileSync } from 'node:fs';

/**
 * The owner of a file: a process by its id and the moment it started, since ids are used again, in
 * a container at every start. `0-0` is nobody: what a client left when it was closed.
 */
export interface SegmentOwner {
  readonly pid: number;
  /** The kernel's own number for the moment; 0 where there is none to read. */
  readonly started: string;
}

export const NOBODY: SegmentOwner = { pid: 0, started: '0' };

export function thisProcess(): SegmentOwner {
  return { pid: process.pid, started: startOf(process.pid) };
}

/** A file of a living process is left alone: it is being sent. */
export function isAlive(owner: SegmentOwner): boolean {
  if (owner.pid === NOBODY.pid) return false;
  return isRunning(owner.pid) && startOf(owner.pid) === owner.started;
}

function isRunning(pid: number): boolean {
  try {
    // Signal 0 only asks. A process of another user answers EPERM, and runs.
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Field 22 of Linux's stat, counted after the name, which may hold anything; elsewhere 0. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0';
  } catch {
    return '0';
  }
}
