import type { ListObjectVersionsOutput } from '@aws-sdk/client-s3';
import {
  GetObjectCommand,
  GetObjectLockConfigurationCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import type { S3Address } from '../../aws/s3-address.ts';
import { askBucket, connectS3 } from '../../aws/s3-client.ts';
import { refuseUnlocked } from '../../aws/s3-refusal.ts';
import type { InstantMs } from '../../clock.ts';
import { parseInstant, toDate } from '../../clock.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import {
  formatPublished,
  type Published,
  type PublishedRestore,
  type PublishedSeal,
  parsePublished,
} from './published-seals.ts';

/** The lock says how long S3 keeps an object from being replaced or deleted. */
export interface ObjectLock {
  /** `compliance` can be ended or shortened by nobody, `governance` by whoever has that permission. */
  readonly mode: 'compliance' | 'governance';
  readonly until: InstantMs;
}

export interface SealBucket {
  /**
   * Answers in the order of the chain. Every version of every object is read, also one that a later
   * version or a delete marker hides: those can be made without breaking a lock, and would hide
   * what was published.
   */
  read(): Promise<Published>;
  /** Does nothing where the same stands there already; throws a `Refusal` where another one does. */
  publish(published: PublishedSeal | PublishedRestore, lock: ObjectLock): Promise<void>;
  close(): void;
}

/** Objects read at the same time. */
const READS_AT_ONCE = 16;

export function openSealBucket(
  address: S3Address & { readonly endpoint: string | null },
): SealBucket {
  const { bucket, endpoint } = address;
  const client = connectS3(endpoint);
  return {
    read: () => askBucket(client, bucket, () => readAll(client, address)),
    publish: (published, lock) =>
      askBucket(client, bucket, () => publish(client, address, { published, lock })),
    close: () => client.destroy(),
  };
}

async function readAll(client: S3Client, address: S3Address): Promise<Published> {
  const versions = await listVersions(client, address);
  const read: Published[] = [];
  for (let start = 0; start < versions.length; start += READS_AT_ONCE) {
    const some = versions.slice(start, start + READS_AT_ONCE);
    const texts = await Promise.all(
      some.map(async (version) => {
        const text = await readText(client, { bucket: address.bucket, ...version });
        return parsePublished(text, `s3://${address.bucket}/${version.key}`);
      }),
    );
    read.push(...texts);
  }
  return {
    seals: read.flatMap(({ seals }) => seals).sort((a, b) => Number(a.seal - b.seal)),
    restores: read
      .flatMap(({ restores }) => restores)
      .sort((a, b) => parseInstant(a.said_at) - parseInstant(b.said_at)),
  };
}

interface ObjectVersion {
  readonly key: string;
  readonly versionId?: string | undefined;
}

async function listVersions(
  client: S3Client,
  { bucket, prefix }: S3Address,
): Promise<readonly ObjectVersion[]> {
  const versions: ObjectVersion[] = [];
  let from: Pick<ListObjectVersionsOutput, 'NextKeyMarker' | 'NextVersionIdMarker'> = {};
  for (;;) {
    const page: ListObjectVersionsOutput = await client.send(
      new ListObjectVersionsCommand({
        Bucket: bucket,
        Prefix: prefix,
        KeyMarker: from.NextKeyMarker,
        VersionIdMarker: from.NextVersionIdMarker,
      }),
    );
    for (const { Key: key, VersionId: versionId } of page.Versions ?? []) {
      if (key !== undefined) versions.push({ key, versionId });
    }
    if (page.IsTruncated !== true) return versions;
    from = page;
  }
}

async function readText(
  client: S3Client,
  of: ObjectVersion & { readonly bucket: string },
): Promise<string> {
  const { Body: body } = await client.send(
    new GetObjectCommand({ Bucket: of.bucket, Key: of.key, VersionId: of.versionId }),
  );
  return (await body?.transformToString('utf8')) ?? '';
}

async function publish(
  client: S3Client,
  { bucket, prefix }: S3Address,
  of: { readonly published: PublishedSeal | PublishedRestore; readonly lock: ObjectLock },
): Promise<void> {
  const { published, lock } = of;
  const key = `${prefix}${nameOf(published)}.jsonl`;
  const text = formatPublished(published);
  try {
    await client.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: text,
        ContentType: 'application/jsonl',
        ChecksumAlgorithm: 'SHA256',
        // S3 itself refuses to replace an object, also when two publish at once.
        IfNoneMatch: '*',
        ObjectLockMode: lock.mode === 'compliance' ? 'COMPLIANCE' : 'GOVERNANCE',
        ObjectLockRetainUntilDate: toDate(lock.until),
      }),
    );
  } catch (error) {
    if (!isTaken(error)) {
      // S3 says of a bucket without a lock only that the request is invalid, as it says of much else.
      if (isInvalid(error) && !(await isLocking(client, bucket))) refuseUnlocked(bucket);
      throw error;
    }
    if ((await readText(client, { bucket, key })) === text) return;
    throw new Refusal(
      'conflict',
      `s3://${bucket}/${key} holds another ${wordFor(published)}, and what is published is never replaced`,
      advise`run ${{ operation: 'verify', against: `s3://${bucket}/${prefix}` }}; was it written from another database?`,
    );
  }
}

/**
 * Names an object by its day, and a restore by its whole instant, since two of one day may have kept the same seal.
 * Colons are left out: file systems that a bucket is copied to refuse them.
 */
function nameOf(published: PublishedSeal | PublishedRestore): string {
  return published.format === 'spanledger-published-seal-1'
    ? `${published.day}-seal-${published.seal}`
    : `${published.said_at.replaceAll(':', '')}-restored-to-seal-${published.kept?.seal ?? 0}`;
}

function wordFor(published: PublishedSeal | PublishedRestore): string {
  return published.format === 'spanledger-published-seal-1' ? `seal ${published.seal}` : 'restore';
}

function isTaken(error: unknown): boolean {
  return error instanceof S3ServiceException && error.$metadata.httpStatusCode === 412;
}

function isInvalid(error: unknown): boolean {
  return error instanceof S3ServiceException && error.name === 'InvalidRequest';
}

async function isLocking(client: S3Client, bucket: string): Promise<boolean> {
  try {
    await client.send(new GetObjectLockConfigurationCommand({ Bucket: bucket }));
    return true;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ObjectLockConfigurationNotFoundError')
      throw error;
    return false;
  }
}
