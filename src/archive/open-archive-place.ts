import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { isBucket, readS3Address, type S3Parts } from '../aws/s3-address.ts';
import { explainFile } from '../files.ts';
import type { ArchivePlace } from './archive-place.ts';

/** Opens a folder, or `s3://BUCKET/PREFIX`. */
export async function openArchivePlace(parts: S3Parts, place: string): Promise<ArchivePlace> {
  if (!isBucket(place)) return openFolder(place);
  const address = readS3Address(place);
  // The module is loaded only here: no other command should wait for it.
  const { openArchiveBucket } = await import('./archive-bucket-client.ts');
  return openArchiveBucket({ ...address, endpoint: parts.s3Endpoint });
}

/** Other users of this machine must not read what customers pay. */
const OWN_FILE = { mode: 0o600 };
const OWN_FOLDER = { recursive: true, mode: 0o700 };

function openFolder(folder: string): ArchivePlace {
  return {
    async list(ending) {
      try {
        const found = await readdir(folder, { recursive: true, withFileTypes: true });
        return found
          .filter((entry) => entry.isFile())
          .map(({ parentPath, name }) => relative(folder, join(parentPath, name)))
          .map((path) => path.split(sep).join('/'))
          .filter((path) => path.endsWith(ending))
          .sort();
      } catch (error) {
        throw explainFile(error, folder) ?? error;
      }
    },
    async read(path) {
      return await readFile(join(folder, path)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return null;
        throw explainFile(error, join(folder, path)) ?? error;
      });
    },
    async write(path, bytes) {
      const file = join(folder, path);
      const unfinished = `${file}.unfinished`;
      try {
        await mkdir(dirname(file), OWN_FOLDER);
        await writeFile(unfinished, bytes, OWN_FILE);
        await rename(unfinished, file);
      } catch (error) {
        throw explainFile(error, file) ?? error;
      }
    },
    close() {},
  };
}
