import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { copyToRun } from '../../src/demo/embedded-postgres.ts';
import { createDatabase, textRows } from '../support/database.ts';

/** Temporary folders are everybody's: what is run from there, and what is kept there, is ours alone. */

let folder: string;
let native: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spanledger-shared-'));
  // The server's user may enter it, as it may the folder for temporary files.
  await chmod(folder, 0o755);
  native = join(folder, 'native');
  await mkdir(join(native, 'bin'), { recursive: true });
  await writeFile(join(native, 'bin', 'postgres'), 'ours', { mode: 0o755 });
});

afterAll(() => rm(folder, { recursive: true }));

async function plant(name: string): Promise<string> {
  const planted = join(folder, name);
  await mkdir(join(planted, 'bin'), { recursive: true });
  await writeFile(join(planted, 'bin', 'postgres'), 'of somebody else', { mode: 0o755 });
  return planted;
}

it('programs are copied once to a folder that nobody else may write to', async () => {
  const copy = join(folder, 'copy');
  expect(await copyToRun(native, copy)).toBe(copy);
  expect((await stat(copy)).mode & 0o022).toBe(0);
  expect(await copyToRun('/not/read/again', copy)).toBe(copy);
});

it('what was installed for its owner alone is run by the user of the server all the same', async () => {
  const kept = await plant('kept');
  await chmod(join(kept, 'bin', 'postgres'), 0o700);
  await chmod(join(kept, 'bin'), 0o700);
  await chmod(kept, 0o700);
  const copy = join(folder, 'opened');
  expect(await copyToRun(kept, copy)).toBe(copy);
  const modes = [copy, join(copy, 'bin'), join(copy, 'bin', 'postgres')].map(
    async (path) => (await stat(path)).mode & 0o777,
  );
  expect(await Promise.all(modes)).toEqual([0o755, 0o755, 0o755]);
});

it.each(['a folder that others may write to', 'a link to a folder of somebody else'])(
  'nothing is run from %s: the copy lies where nobody could know of it',
  async (kind) => {
    const planted = await plant(`planted ${kind}`);
    const copy = join(folder, kind);
    if (kind.startsWith('a link')) await symlink(planted, copy);
    else {
      await plant(kind);
      await chmod(copy, 0o777);
    }
    const run = await copyToRun(native, copy);
    expect(run).not.toContain(`${copy}/`);
    expect(basename(join(run, '..'))).toMatch(new RegExp(`^${kind}-\\w{6}$`));
    expect(await readFile(join(run, 'bin', 'postgres'), 'utf8')).toBe('ours');
    // Others may pass through it, and neither list it nor write to it.
    expect((await stat(join(run, '..'))).mode & 0o777).toBe(0o711);
  },
);

it('data lies in a folder of 0700 whose name nobody can guess', async () => {
  const { database, drop } = await createDatabase();
  const [row] = await textRows(database, `select current_setting('data_directory') as at`);
  await drop();
  expect(row?.['at']).toMatch(/spanledger-pgdata-\w{6}$/);
  expect((await stat(row?.['at'] ?? '')).mode & 0o777).toBe(0o700);
});
