import { isBucket, type S3Parts } from '../../aws/s3-address.ts';
import { DAY_MS, type InstantMs } from '../../clock.ts';
import type { Parts } from '../../parts.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import type { SealPublicationAnswer, SealPublicationRequest } from '../seal-answer.ts';
import { sealAll } from '../seal-batches.ts';
import { findUnknown, readDayEnds } from '../seal-store.ts';
import { openPublication } from './publication.ts';
import { type PublishedSeal, sealsToFind } from './published-seals.ts';
import { sayRestore } from './say-restore.ts';
import type { ObjectLock } from './seal-bucket-client.ts';

/**
 * Seals what is posted, and publishes the last seal of each UTC day that is not published there yet. Whoever
 * holds one of them can tell later that nothing before it was rewritten.
 */
export async function publishSeals(
  parts: Pick<Parts, 'database' | 'clock'> & S3Parts,
  request: SealPublicationRequest,
): Promise<SealPublicationAnswer> {
  const { database, clock } = parts;
  const lock = lockOf(request, clock());
  const publication = await openPublication(parts, request.to);
  try {
    const before = await publication.read();
    const restores = await sayRestore(parts, request, before);
    const [unknown] = await findUnknown(database, sealsToFind(before));
    if (unknown !== undefined) refuseOtherChain(unknown, request);
    await sealAll(database, clock);
    const ends = await readDayEnds(database, before.seals.at(-1)?.seal ?? 0n);
    await publication.add({ restores, seals: ends }, lock);
    return ends.map((end) => ({ ...end, seal: String(end.seal) }));
  } finally {
    publication.close();
  }
}

/**
 * Answers null for a file. How long a lock lasts is said by whoever publishes, as nobody can take it
 * back.
 */
function lockOf(request: SealPublicationRequest, now: InstantMs): ObjectLock | null {
  const { to, retain_days: days, lock_mode: mode } = request;
  if (isBucket(to)) {
    if (days !== null) return { mode: mode ?? 'compliance', until: now + days * DAY_MS };
    throw new Refusal(
      'bad_request',
      `nothing says how long ${to} must keep each seal, and no one can shorten a compliance lock later`,
      advise`say it, such as ${{ operation: 'seal publish', to, retain_days: 2557, restored_from: null }} for seven years`,
    );
  }
  if (days === null && mode === null) return null;
  throw new Refusal(
    'bad_request',
    `a retention and a lock mode go with a bucket, and ${to} is a file`,
    'leave them out, or publish to a bucket, s3://BUCKET/PREFIX',
  );
}

function refuseOtherChain(
  unknown: PublishedSeal,
  { to, retain_days }: SealPublicationRequest,
): never {
  throw new Refusal(
    'conflict',
    `seal ${unknown.seal}, published for ${unknown.day} in ${to}, is not the one in the database`,
    advise`run ${{ operation: 'verify', against: to }}; was it written from another database? Where a backup was restored, leave that place as it is, and go on at a new one with ${{ operation: 'seal publish', to: null, retain_days, restored_from: to }}`,
  );
}
