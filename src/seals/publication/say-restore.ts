import { isBucket, readS3Address, type S3Parts } from '../../aws/s3-address.ts';
import { formatInstant } from '../../clock.ts';
import type { Parts } from '../../parts.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import type { SealPublicationRequest } from '../seal-answer.ts';
import { findUnknown } from '../seal-store.ts';
import { isEmpty, readPublished } from './publication.ts';
import {
  type Published,
  type PublishedRestore,
  type PublishedSeal,
  sealsToFind,
} from './published-seals.ts';

/**
 * Returns what a new place says first where a backup was restored, after all that the place before it said so; nothing
 * where no restore is said. Throws a `Refusal` where the chain is not what a restore leaves of what was published.
 */
export async function sayRestore(
  parts: Pick<Parts, 'database' | 'clock'> & S3Parts,
  request: SealPublicationRequest,
  there: Published,
): Promise<readonly PublishedRestore[]> {
  const { restored_from: from, reason } = request;
  if (from === null && reason === null) return [];
  if (from === null || reason === null || reason === '') refuseHalf();
  if (!isEmpty(there)) refuseUsed(request);
  if (isWithin(request.to, from)) refuseWithin(request.to, from);
  const before = await readPublished(parts, from);
  // The seal that the place before goes on from itself may stand in its restore alone, and can be lost as well.
  const published = sealsToFind(before);
  const lost = await findUnknown(parts.database, published);
  const kept = lastKept(published, lost);
  const [firstLost] = lost;
  if (firstLost === undefined) refuseNothingLost(from, request);
  if (kept !== null && kept.seal > firstLost.seal) refuseNoRestore({ from, firstLost, kept });
  const said_at = formatInstant(parts.clock());
  return [
    ...before.restores,
    { format: 'spanledger-published-restore-1', from, reason, said_at, kept, lost },
  ];
}

function lastKept(
  seals: readonly PublishedSeal[],
  lost: readonly PublishedSeal[],
): PublishedSeal | null {
  const gone = new Set(lost);
  return seals.findLast((seal) => !gone.has(seal)) ?? null;
}

/** Tells whether a new place is within the previous one, where its seals would be read as those of the previous place. */
function isWithin(place: string, before: string): boolean {
  if (!isBucket(place) || !isBucket(before)) return false;
  const [inner, outer] = [readS3Address(place), readS3Address(before)];
  return inner.bucket === outer.bucket && inner.prefix.startsWith(outer.prefix);
}

function refuseHalf(): never {
  throw new Refusal(
    'bad_request',
    'a restore is declared with the place where seals were published before it, and with a reason',
    'give both, or neither where no backup was restored',
  );
}

function refuseUsed({ to, retain_days }: SealPublicationRequest): never {
  throw new Refusal(
    'conflict',
    `${to} holds seals already, and a restore is declared before the first seal of a new place`,
    advise`give a place that is empty; where the restore was said there, go on with ${{ operation: 'seal publish', to, retain_days, restored_from: null }}`,
  );
}

function refuseWithin(to: string, from: string): never {
  throw new Refusal(
    'bad_request',
    `${to} is within ${from}, whose seals stay apart, as they were published`,
    'give a place outside of it: another bucket, or a prefix that does not begin with that one',
  );
}

function refuseNothingLost(from: string, request: SealPublicationRequest): never {
  const retain_days = isBucket(from) ? request.retain_days : null;
  throw new Refusal(
    'conflict',
    `the chain has every seal that is published in ${from}, so nothing of it was lost by a restore`,
    advise`go on there, with ${{ operation: 'seal publish', to: from, retain_days, restored_from: null }}`,
  );
}

function refuseNoRestore(of: {
  readonly from: string;
  readonly firstLost: PublishedSeal;
  readonly kept: PublishedSeal;
}): never {
  const { from, firstLost, kept } = of;
  throw new Refusal(
    'conflict',
    `seal ${firstLost.seal}, published in ${from}, is not in the chain, and seal ${kept.seal} after it is: no restore leaves that`,
    advise`run ${{ operation: 'verify', against: from }}, and find out who changed the one or the other`,
  );
}
