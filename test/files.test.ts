import { execFile, execFileSync } from 'node:child_process';
import {
  chmod,
  link,
  lstat,
  mkdtemp,
  readdir,
  readFile,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { explainFile, writeWhole } from '../src/files.ts';
import { ROOT } from './support/source-files.ts';

const newFolder = () => mkdtemp(join(tmpdir(), 'files-'));
const modeOf = async (file: string) => (await stat(file)).mode & 0o777;

it('a file has its name once all of it is written, and what stood there before until then', async () => {
  const file = join(await newFolder(), 'focus.csv');
  const answer = await writeWhole(file, async (write) => {
    await write('one ');
    await expect(stat(file)).rejects.toThrow('ENOENT');
    await write(Buffer.from('two'));
    return 2;
  });
  expect([answer, await readFile(file, 'utf8'), await modeOf(file)]).toEqual([2, 'one two', 0o600]);

  await chmod(file, 0o640);
  await writeWhole(file, async (write) => {
    await write('three');
    expect(await readFile(file, 'utf8')).toBe('one two');
  });
  expect([await readFile(file, 'utf8'), await modeOf(file)]).toEqual(['three', 0o640]);
});

it('work that fails leaves what stood there, and nothing beside it', async () => {
  const folder = await newFolder();
  const file = join(folder, 'focus.csv');
  const fail = () =>
    writeWhole(file, async (write) => {
      await write('half');
      throw new Error('no more');
    });
  await expect(fail()).rejects.toThrow('no more');
  expect(await readdir(folder)).toEqual([]);
  await writeFile(file, 'before');
  await expect(fail()).rejects.toThrow('no more');
  expect(await readdir(folder)).toEqual(['focus.csv']);
  expect(await readFile(file, 'utf8')).toBe('before');
});

it('a process that is ended in the middle leaves nothing under the name', async () => {
  const file = join(await newFolder(), 'focus.csv');
  const script = `
    const { writeWhole } = await import(${JSON.stringify(join(ROOT, 'src/files.ts'))});
    await writeWhole(process.argv[1], async (write) => {
      for (let piece = 0; piece < 9; piece += 1) await write('x'.repeat(100_000));
      process.kill(process.pid, 'SIGTERM');
      await new Promise((resolve) => setTimeout(resolve, 30_000));
    });`;
  const signal = await new Promise((resolve) => {
    const args = ['--input-type=module', '-e', script, file];
    execFile(process.execPath, args, (error) => resolve(error?.signal));
  });
  expect(signal).toBe('SIGTERM');
  await expect(stat(file)).rejects.toThrow('ENOENT');
});

it('a link stays one, and so do the other names of a file', async () => {
  const folder = await newFolder();
  const [file, other, pointer] = ['file', 'other', 'pointer'].map((name) => join(folder, name));
  if (file === undefined || other === undefined || pointer === undefined) throw new Error('names');
  await writeFile(file, 'before');
  await link(file, other);
  await symlink(file, pointer);
  await writeWhole(pointer, (write) => write('through the link'));
  expect((await lstat(pointer)).isSymbolicLink()).toBe(true);
  expect(await readFile(other, 'utf8')).toBe('through the link');
  await writeWhole(file, (write) => write('by name'));
  expect(await readFile(other, 'utf8')).toBe('by name');
});

it('a pipe is written to, and stays one', async () => {
  const pipe = join(await newFolder(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  const [read] = await Promise.all([
    readFile(pipe, 'utf8'),
    writeWhole(pipe, (write) => write('for whoever reads')),
  ]);
  expect(read).toBe('for whoever reads');
  expect((await lstat(pipe)).isFIFO()).toBe(true);
});

it('a place where no file can be is named by the name that was given', async () => {
  const folder = await newFolder();
  const nowhere = join(folder, 'nowhere', 'focus.csv');
  const said = async (file: string) =>
    explainFile(await writeWhole(file, (write) => write('')).catch((error: unknown) => error))
      ?.message;
  expect(await said(nowhere)).toBe(`cannot open ${nowhere}: there is no such file or folder`);
  expect(await said(folder)).toBe(`cannot open ${folder}: it is a folder`);
  const long = join(folder, 'x'.repeat(250));
  await writeWhole(long, (write) => write('its name has no room for more'));
  expect(await readdir(folder)).toEqual(['x'.repeat(250)]);
});
