import { formatInstant } from '../clock.ts';
import type { Parts } from '../parts.ts';
import type { SealListAnswer, SealListRequest } from './seal-answer.ts';
import { readSeals } from './seal-store.ts';

/** The newest seals of the chain. */
export async function listSeals(
  { database }: Pick<Parts, 'database'>,
  { last }: SealListRequest,
): Promise<SealListAnswer> {
  const seals = await readSeals(database, last);
  return seals.map((seal) => ({
    seal_number: String(seal.number),
    batch_id: seal.batchId === null ? null : String(seal.batchId),
    entries: seal.entries,
    seal_hash: seal.hash,
    sealed_at: formatInstant(seal.sealedAt),
  }));
}
