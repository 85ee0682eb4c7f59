import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { TestProject } from 'vitest/node';
import { startPostgres } from '../support/global-setup.ts';

/** Nothing that Postgres does of its own accord may decide what happens. */
const OF_NO_WILL_OF_ITS_OWN = {
  autovacuum: 'off',
  // The simulation itself ends a deadlock.
  deadlock_timeout: '1h',
  // Plans do not change with what a session did before.
  plan_cache_mode: 'force_custom_plan',
};

const MEMORY = '/dev/shm';
const ROOM_BYTES = 2 * 1024 ** 3;

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  return startPostgres(project, { settings: OF_NO_WILL_OF_ITS_OWN, folder: await roomyFolder() });
}

/** Each seed makes the files of every table anew, which costs less where they are never on a disk. */
async function roomyFolder(): Promise<string> {
  const { bavail, bsize } = await statfs(MEMORY).catch(() => ({ bavail: 0, bsize: 0 }));
  return bavail * bsize > ROOM_BYTES ? MEMORY : tmpdir();
}
