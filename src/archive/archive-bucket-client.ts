import {
  GetObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2Output,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import type { S3Address } from '../aws/s3-address.ts';
import { askBucket, connectS3 } from '../aws/s3-client.ts';
import type { ArchivePlace } from './archive-place.ts';

/**
 * Keeps archived periods as objects of a bucket; how long it keeps them is said by its own rules.
 */
export function openArchiveBucket(
  address: S3Address & { readonly endpoint: string | null },
): ArchivePlace {
  const { bucket, prefix, endpoint } = address;
  const client = connectS3(endpoint);
  const ask = <Result>(work: () => Promise<Result>) => askBucket(client, bucket, work);
  return {
    list: (ending) => ask(() => listPaths(client, address, ending)),
    read: (path) => ask(() => readObject(client, bucket, `${prefix}${path}`)),
    write: (path, bytes) =>
      ask(async () => {
        const key = `${prefix}${path}`;
        await client.send(
          new PutObjectCommand({
            Bucket: bucket,
            Key: key,
            Body: bytes,
            ChecksumAlgorithm: 'SHA256',
          }),
        );
      }),
    close: () => client.destroy(),
  };
}

async function listPaths(
  client: S3Client,
  { bucket, prefix }: S3Address,
  ending: string,
): Promise<readonly string[]> {
  const paths: string[] = [];
  let from: string | undefined;
  do {
    const page: ListObjectsV2Output = await client.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: from }),
    );
    const keys = (page.Contents ?? []).map(({ Key: key = '' }) => key.slice(prefix.length));
    paths.push(...keys.filter((path) => path.endsWith(ending)));
    from = page.NextContinuationToken;
  } while (from !== undefined);
  return paths.sort();
}

async function readObject(client: S3Client, bucket: string, key: string): Promise<Buffer | null> {
  try {
    const { Body: body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return Buffer.from((await body?.transformToByteArray()) ?? []);
  } catch (error) {
    if (error instanceof S3ServiceException && error.name === 'NoSuchKey') return null;
    throw error;
  }
}
