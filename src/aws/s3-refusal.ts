import { Refusal } from '../refusal.ts';

/**
 * Explains what S3 or its SDK threw, as what the operator can mend; anything else is given back as
 * it is.
 */
export function explainS3(error: unknown, bucket: string): unknown {
  if (!(error instanceof Error) || error instanceof Refusal) return error;
  const said = error.message || error.name;
  const known = REFUSALS.find(({ names }) => names.includes(error.name));
  if (known !== undefined) return known.refusal(bucket, said);
  if (!('$metadata' in error) && !('code' in error)) return error;
  return new Refusal(
    'unavailable',
    `s3://${bucket} did not answer as it should: ${error.name}: ${said}`,
    'nothing that was published is lost by that; do it again',
  );
}

/** A bucket in which whatever is published could be replaced or deleted. */
export function refuseUnlocked(bucket: string): never {
  throw new Refusal(
    'misconfigured',
    `the bucket "${bucket}" has no object lock, so what is published there could be replaced`,
    `switch it on: aws s3api put-bucket-versioning --bucket ${bucket} --versioning-configuration Status=Enabled; ` +
      `aws s3api put-object-lock-configuration --bucket ${bucket} --object-lock-configuration ObjectLockEnabled=Enabled`,
  );
}

/** The SDK finds no region in its environment, and so cannot tell whom to ask. */
export function refuseWithoutRegion(bucket: string): never {
  throw new Refusal(
    'misconfigured',
    `the region of s3://${bucket} is not known`,
    'set AWS_REGION, such as eu-central-1',
  );
}

interface KnownFailure {
  /** Names of errors, which are S3's own codes or the SDK's. */
  readonly names: readonly string[];
  readonly refusal: (bucket: string, said: string) => Refusal;
}

const REFUSALS: readonly KnownFailure[] = [
  {
    names: ['NoSuchBucket'],
    refusal: (bucket) =>
      new Refusal(
        'not_found',
        `there is no bucket "${bucket}"`,
        `check the name, or make it: aws s3api create-bucket --bucket ${bucket} --object-lock-enabled-for-bucket`,
      ),
  },
  {
    names: [
      'CredentialsProviderError',
      'InvalidAccessKeyId',
      'SignatureDoesNotMatch',
      'ExpiredToken',
      'ExpiredTokenException',
    ],
    refusal: (bucket, said) =>
      new Refusal(
        'misconfigured',
        `there are no credentials that s3://${bucket} takes: ${said}`,
        "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine's role access",
      ),
  },
  {
    names: ['AccessDenied', 'Forbidden'],
    refusal: (bucket, said) =>
      new Refusal(
        'not_permitted',
        `access to s3://${bucket} is denied: ${said}`,
        'allow s3:ListBucketVersions and s3:GetBucketObjectLockConfiguration on the bucket, and s3:GetObject, s3:GetObjectVersion, s3:PutObject and s3:PutObjectRetention in it',
      ),
  },
];
