import type { ActParts } from '../../parts.ts';
import { foldPosted } from '../rollups/fold-batches.ts';
import type { AcceptAnswer, AcceptRequest } from './correction-answer.ts';
import { postCorrections } from './post-corrections.ts';

/**
 * Takes entries that have no price or no measure as free, by correction and for good (R10): all of them
 * in one transaction, or none. Then folds them into the rollups, and their periods can be closed.
 */
export async function acceptEntries(
  parts: ActParts,
  { entry_ids: given, reason, actor }: AcceptRequest,
): Promise<AcceptAnswer> {
  const { database, clock } = parts;
  const corrections = [...new Set(given)].map((entryId) => ({
    entryId,
    change: 'free' as const,
    note: { reason, actor },
  }));
  const answers = await postCorrections(database, clock, corrections);
  await foldPosted(parts);
  return answers;
}
