import { readFile } from 'node:fs/promises';
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
