import { appendFile, readFile } from 'node:fs/promises';
import { isBucket, readS3Address, type S3Parts } from '../../aws/s3-address.ts';
import { explainFile } from '../../files.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import { formatPublished, type Published, parsePublished } from './published-seals.ts';
import type { ObjectLock } from './seal-bucket-client.ts';

/** A place where seals are published: lines of a file, or objects of a bucket. */
export interface Publication {
  /** Answers with nothing where nothing was published yet. */
  read(): Promise<Published>;
  /** Adds restores, then seals. In a bucket each is under the lock; a file is protected by whoever keeps it. */
  add(published: Published, lock: ObjectLock | null): Promise<void>;
  close(): void;
}

/** Opens the publication at a file's path, or at `s3://BUCKET/PREFIX`. */
export function openPublication(parts: S3Parts, place: string): Promise<Publication> {
  return isBucket(place) ? openBucket(parts, place) : Promise.resolve(openFile(place));
}

/**
 * Reads what was published there; throws a `Refusal` where nothing was, since nothing can be told
 * by nothing.
 */
export async function readPublished(parts: S3Parts, place: string): Promise<Published> {
  const publication = await openPublication(parts, place);
  try {
    const published = await publication.read();
    if (!isEmpty(published)) return published;
  } finally {
    publication.close();
  }
  throw new Refusal(
    'not_found',
    `no seal is published at ${place}`,
    advise`give the file or the s3:// address that ${{ operation: 'seal publish', to: null, retain_days: null, restored_from: null }} was given`,
  );
}

export function isEmpty({ seals, restores }: Published): boolean {
  return seals.length === 0 && restores.length === 0;
}

function openFile(path: string): Publication {
  return {
    async read() {
      const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return '';
        throw explainFile(error, path) ?? error;
      });
      return parsePublished(text, path);
    },
    async add({ restores, seals }) {
      await appendFile(path, [...restores, ...seals].map(formatPublished).join(''));
    },
    close() {},
  };
}

async function openBucket({ s3Endpoint: endpoint }: S3Parts, place: string): Promise<Publication> {
  const address = readS3Address(place);
  // The module is loaded only here: no other command should wait for it.
  const { openSealBucket } = await import('./seal-bucket-client.ts');
  const bucket = openSealBucket({ ...address, endpoint });
  return {
    read: bucket.read,
    async add({ restores, seals }, lock) {
      if (lock === null) throw new Error('what is published to a bucket needs a lock');
      // The newest restore first: where this is cut short, a place without it would look as if it had never been.
      for (const one of [...restores.toReversed(), ...seals]) await bucket.publish(one, lock);
    },
    close: bucket.close,
  };
}
