import { Refusal } from '../../refusal.ts';

/** What S3 or its SDK threw, as what the operator can mend; anything else is given back as it is. */
export function explainS3(error: unknown, bucket: string): unknown {
  if (!(error instanceof Error) || error instanceof Refusal) return error;
  const said = error.message || error.name;
  const known = REFUSALS.find(({ when }) => when.test(`${error.name}: ${said}`));
  if (known !== undefined) return known.refusal(bucket, said);
  if (!('$metadata' in error) && !('code' in error)) return error;
  return new Refusal(
    'unavailable',
    `s3://${bucket} did not answer as it should: ${error.name}: ${said}`,
    'nothing that was published is lost by that; run the command again',
  );
}

interface KnownFailure {
  /** What the error's name and message show. */
  readonly when: RegExp;
  readonly refusal: (bucket: string, said: string) => Refusal;
}

const REFUSALS: readonly KnownFailure[] = [
  {
    when: /object ?lock/i,
    refusal: (bucket, said) =>
      new Refusal(
        'misconfigured',
        `the bucket "${bucket}" has no object lock, so what is published there could be replaced: ${said}`,
        `switch it on: aws s3api put-bucket-versioning --bucket ${bucket} --versioning-configuration Status=Enabled; ` +
          `aws s3api put-object-lock-configuration --bucket ${bucket} --object-lock-configuration ObjectLockEnabled=Enabled`,
      ),
  },
  {
    when: /^NoSuchBucket/,
    refusal: (bucket) =>
      new Refusal(
        'not_found',
        `there is no bucket "${bucket}"`,
        `check the name, or make it: aws s3api create-bucket --bucket ${bucket} --object-lock-enabled-for-bucket`,
      ),
  },
  {
    when: /^(CredentialsProviderError|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken)/,
    refusal: (bucket, said) =>
      new Refusal(
        'misconfigured',
        `there are no credentials that s3://${bucket} takes: ${said}`,
        "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine's role access",
      ),
  },
  {
    when: /^AccessDenied|^Forbidden/,
    refusal: (bucket, said) =>
      new Refusal(
        'not_permitted',
        `access to s3://${bucket} is denied: ${said}`,
        'allow s3:ListBucketVersions on the bucket, and s3:GetObject, s3:GetObjectVersion, s3:PutObject and s3:PutObjectRetention in it',
      ),
  },
  {
    when: /region is missing/i,
    refusal: (bucket) =>
      new Refusal(
        'misconfigured',
        `the region of s3://${bucket} is not known`,
        'set AWS_REGION, such as eu-central-1',
      ),
  },
];
