import { DeleteObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import type { PublishedSeal } from '../../../src/seals/publication/published-seals.ts';
import type { ObjectLock, SealBucket } from '../../../src/seals/publication/seal-bucket-client.ts';
import { openSealBucket } from '../../../src/seals/publication/seal-bucket-client.ts';
import type { S3Server } from '../../support/s3-server.ts';
import { startS3 } from '../../support/s3-server.ts';

/** Any will do: the server checks no signature. */
beforeAll(() => {
  process.env['AWS_ACCESS_KEY_ID'] = 'test';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'test';
});

const UNTIL = Date.parse('2099-01-01T00:00:00Z');
const LOCK: ObjectLock = { mode: 'compliance', until: UNTIL };

function sealOf(seal: bigint, fill = 'a'): PublishedSeal {
  const day = `2026-10-0${seal}`;
  const at = { day, sealed_at: `${day}T23:59:59.000Z` };
  return { format: 'spanledger-published-seal-1', ...at, seal, hash: fill.repeat(64) };
}

async function freshBucket(): Promise<{ s3: S3Server; bucket: SealBucket }> {
  const s3 = await startS3();
  s3.makeBucket('audit');
  const bucket = openSealBucket({ bucket: 'audit', prefix: 'seals/', endpoint: s3.endpoint });
  onTestFinished(() => bucket.close());
  return { s3, bucket };
}

it('puts each seal under the lock, and reads them back in the order of the chain', async () => {
  const { s3, bucket } = await freshBucket();
  for (const number of [3n, 1n, 2n]) await bucket.publish(sealOf(number), LOCK);
  expect(s3.versions('audit').map(({ key }) => key)).toEqual([
    'seals/2026-10-03-seal-3.jsonl',
    'seals/2026-10-01-seal-1.jsonl',
    'seals/2026-10-02-seal-2.jsonl',
  ]);
  for (const version of s3.versions('audit')) {
    expect(version.lockMode).toBe('COMPLIANCE');
    expect(Date.parse(version.retainUntil ?? '')).toBe(UNTIL);
  }
  expect((await bucket.read()).seals).toEqual([sealOf(1n), sealOf(2n), sealOf(3n)]);
});

it('publishing the same seal again changes nothing, and another one in its place is refused', async () => {
  const { s3, bucket } = await freshBucket();
  await bucket.publish(sealOf(1n), LOCK);
  await bucket.publish(sealOf(1n), LOCK);
  expect(s3.versions('audit')).toHaveLength(1);
  await expect(bucket.publish(sealOf(1n, 'b'), LOCK)).rejects.toThrow(
    's3://audit/seals/2026-10-01-seal-1.jsonl holds another seal 1, and what is published is never replaced',
  );
  expect((await bucket.read()).seals).toEqual([sealOf(1n)]);
});

it('a seal that was hidden by a delete marker and written anew is still read', async () => {
  // given a seal under a lock
  const { s3, bucket } = await freshBucket();
  await bucket.publish(sealOf(1n), LOCK);
  const [version] = s3.versions('audit');
  const attacker = new S3Client({
    endpoint: s3.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
  });
  onTestFinished(() => attacker.destroy());
  const object = { Bucket: 'audit', Key: version?.key ?? '' };

  // when someone with every right but the lock's hides it, and puts another one there
  const locked = { ...object, VersionId: version?.versionId };
  await expect(attacker.send(new DeleteObjectCommand(locked))).rejects.toThrow('object lock');
  await attacker.send(new DeleteObjectCommand(object));
  await bucket.publish(sealOf(1n, 'b'), LOCK);

  // then both are read, so the one that was published first is looked for in the chain
  expect((await bucket.read()).seals).toEqual([sealOf(1n), sealOf(1n, 'b')]);
});

it('a bucket without object lock is refused, with how to switch it on', async () => {
  const { s3, bucket } = await freshBucket();
  s3.makeBucket('audit', { objectLock: false });
  await expect(bucket.publish(sealOf(1n), LOCK)).rejects.toMatchObject({
    message: 'the bucket "audit" has no object lock, so what is published there could be replaced',
    remedy: [expect.stringContaining('aws s3api put-object-lock-configuration --bucket audit')],
  });
  expect(s3.versions('audit')).toEqual([]);
});

it('a bucket that is not there is refused, with how to make it', async () => {
  const s3 = await startS3();
  const bucket = openSealBucket({ bucket: 'absent', prefix: '', endpoint: s3.endpoint });
  onTestFinished(() => bucket.close());
  await expect(bucket.read()).rejects.toMatchObject({
    message: 'there is no bucket "absent"',
    remedy: [expect.stringContaining('create-bucket --bucket absent --object-lock-enabled')],
  });
});

it('an object that is not a published seal is refused by its address', async () => {
  const { s3, bucket } = await freshBucket();
  await bucket.publish({ ...sealOf(1n), hash: 'not a hash' }, LOCK);
  await expect(bucket.read()).rejects.toThrow(
    'line 1 of s3://audit/seals/2026-10-01-seal-1.jsonl is not a published seal',
  );
  expect(s3.versions('audit')).toHaveLength(1);
});
