import { randomUUID } from 'node:crypto';
import {
  access,
  constants,
  type FileHandle,
  lstat,
  open,
  readFile,
  rename,
  rm,
} from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { Refusal } from './refusal.ts';

/** Reads the text of a file that a person named; refuses one that cannot be read. */
export async function readTextFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw explainFile(error, path) ?? error;
  }
}

/** Reads the bytes of a file that a person named; refuses one that cannot be read. */
export async function readBinaryFile(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw explainFile(error, path) ?? error;
  }
}

/** Takes a piece of what is written, and resolves once there is room for the next one. */
type WritePiece = (piece: string | Uint8Array) => Promise<void>;

/**
 * Writes a file that a person named, and lets nobody else on this machine read a new one. It is written beside its name
 * and gets that at the end, so that whoever finds it finds all of it: a process that is ended, or work that fails, leaves
 * what stood there before. What cannot be replaced without a trace is written in its place, such as /dev/stdout, a pipe,
 * a link, and the file of another user.
 */
export async function writeWhole<Answer>(
  file: string,
  work: (write: WritePiece) => Promise<Answer>,
): Promise<Answer> {
  const { handle, path } = (await openBeside(file)) ?? (await openNew(file, 'w'));
  const stream = handle.createWriteStream();
  const written = finished(stream);
  // Its reason is thrown below, when no piece comes any more.
  written.catch(() => {});
  try {
    const answer = await work((piece) => writePiece(stream, piece));
    stream.end();
    await written;
    if (path !== file) await rename(path, file);
    return answer;
  } catch (error) {
    stream.destroy();
    if (path !== file) await rm(path, { force: true });
    throw error;
  }
}

interface OpenFile {
  readonly handle: FileHandle;
  readonly path: string;
}

async function openNew(path: string, flags: 'w' | 'wx'): Promise<OpenFile> {
  return { handle: await open(path, flags, 0o600), path };
}

/** Opens a new file beside it; null where it is to be written in its place, or where that says why it cannot be written at all. */
async function openBeside(file: string): Promise<OpenFile | null> {
  const before = await lstat(file).catch(() => null);
  if (before !== null && !(before.isFile() && before.nlink === 1 && (await mayWrite(file))))
    return null;
  const beside = await openNew(`${file}.${randomUUID()}.unfinished`, 'wx').catch(() => null);
  if (beside === null || before === null) return beside;
  const made = await beside.handle.stat();
  if (made.uid === before.uid && made.gid === before.gid && made.dev === before.dev) {
    await beside.handle.chmod(before.mode & 0o777);
    return beside;
  }
  await beside.handle.close();
  await rm(beside.path);
  return null;
}

function mayWrite(file: string): Promise<boolean> {
  return access(file, constants.W_OK).then(
    () => true,
    () => false,
  );
}

/** Waits while the file takes no more; one that takes nothing any more has its reason at the end. */
async function writePiece(stream: Writable, piece: string | Uint8Array): Promise<void> {
  if (stream.destroyed || stream.write(piece)) return;
  await new Promise<void>((resolve) => {
    stream.once('drain', resolve);
    stream.once('close', resolve);
  });
}

/**
 * Says why a file or folder could not be read or written, as what a person can mend; null where the
 * error is not about a path. The system names the path in most of its errors, but not in that of
 * reading a folder.
 */
export function explainFile(error: unknown, path: string | null = null): Refusal | null {
  if (!(error instanceof Error)) return null;
  const { code, path: named, syscall } = error as NodeJS.ErrnoException;
  const place = path ?? named;
  if (place === undefined || syscall === undefined || code === undefined) return null;
  const why = REASONS[code];
  if (why === undefined) return null;
  return new Refusal(
    code === 'ENOSPC' ? 'unavailable' : 'bad_request',
    `cannot ${syscall === 'mkdir' ? 'make' : 'open'} ${place}: ${why}`,
    'give the path of a file or folder that is there and that this user may use',
  );
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not',
  EEXIST: 'there is a file of that name',
  EISDIR: 'it is a folder',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
  ENOENT: 'there is no such file or folder',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is a file',
  EPERM: 'this user may not',
  EROFS: 'the disk can only be read',
};
