import { S3Client } from '@aws-sdk/client-s3';
import { explainS3, refuseWithoutRegion } from './s3-refusal.ts';

/** The time for which a server may send nothing: without a limit the SDK waits forever. */
const SILENCE_MS = 30_000;

/** Makes a client of S3, or of the server at `endpoint`. */
export function connectS3(endpoint: string | null): S3Client {
  return new S3Client({
    followRegionRedirects: true,
    requestHandler: {
      connectionTimeout: 5_000,
      requestTimeout: SILENCE_MS,
      throwOnRequestTimeout: true,
      // The request's own time ends with the first byte of its answer; the rest may stall as well.
      socketTimeout: SILENCE_MS,
    },
    // A server that is not AWS's knows its buckets by the path, and takes any region.
    ...(endpoint === null ? {} : { endpoint, forcePathStyle: true, region: 'us-east-1' }),
  });
}

/** Does work that asks a bucket; what fails there is thrown as what the operator can mend. */
export async function askBucket<Result>(
  client: S3Client,
  bucket: string,
  work: () => Promise<Result>,
): Promise<Result> {
  await client.config.region().catch(() => refuseWithoutRegion(bucket));
  try {
    return await work();
  } catch (error) {
    throw explainS3(error, bucket);
  }
}
