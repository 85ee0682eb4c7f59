import { Refusal } from '../refusal.ts';

/** The parts that connect to S3. */
export interface S3Parts {
  /** An address of S3 to use instead of AWS's own; null for what the SDK finds in its environment. */
  readonly s3Endpoint: string | null;
}

/** A place in S3, such as `s3://audit-acme/seals`. */
export interface S3Address {
  readonly bucket: string;
  /** What keys begin with: empty, or ending with a slash. */
  readonly prefix: string;
}

const BUCKET = 's3://';

/** Tells whether a place is in S3, and not a path. */
export function isBucket(place: string): boolean {
  return place.startsWith(BUCKET);
}

/** Reads `s3://BUCKET` or `s3://BUCKET/PREFIX`; throws a `Refusal` where no bucket can have that name. */
export function readS3Address(place: string): S3Address {
  const [bucket = '', ...path] = place.slice(BUCKET.length).split('/');
  const prefix = path.join('/').replace(/\/$/, '');
  if (/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    return { bucket, prefix: prefix === '' ? '' : `${prefix}/` };
  }
  throw new Refusal(
    'bad_request',
    `${place} names no bucket`,
    'write s3://BUCKET or s3://BUCKET/PREFIX, such as s3://acme-audit/seals',
  );
}
