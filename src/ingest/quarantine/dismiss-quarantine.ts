import { inTransaction } from '../../database/database.ts';
import type { Parts } from '../../parts.ts';
import { refuseWithoutNote } from '../../request.ts';
import type {
  DismissAnswer,
  DismissRequest,
  PurgeAnswer,
  PurgeRequest,
} from './quarantine-answer.ts';
import {
  countPurgeable,
  markDismissed,
  purgeDismissed,
  readQuarantined,
} from './quarantine-store.ts';

type DismissParts = Pick<Parts, 'database' | 'clock'>;

/** Lets events wait no longer, with the reason and who says so: all of those that are named, or none. */
export async function dismissQuarantine(
  { database, clock }: DismissParts,
  request: DismissRequest,
): Promise<DismissAnswer> {
  const { quarantine_ids: ids, reason, actor } = request;
  const remedy = 'say why the events need not be posted, and who says so';
  refuseWithoutNote('a dismissal', request, remedy);
  // Each must exist, so that a mistyped one is not passed over in silence.
  for (const id of ids) await readQuarantined(database, id);
  return inTransaction(database, async (transaction) => {
    const answer: DismissAnswer[number][] = [];
    for (const id of ids) {
      const isMarked = await markDismissed(transaction, id, { at: clock(), reason, actor });
      const outcome = isMarked ? 'dismissed' : 'waits_no_longer';
      answer.push({ quarantine_id: String(id), outcome });
    }
    return answer;
  });
}

/** Erases the bodies of events that were dismissed before a day; that they came, and why they went, stays. */
export async function purgeQuarantine(
  { database, clock }: DismissParts,
  { before }: PurgeRequest,
): Promise<PurgeAnswer> {
  return { purged: await purgeDismissed(database, before, clock()) };
}

/** Says how many bodies such a purge would erase, and erases none. */
export async function foreseePurge(
  { database }: Pick<Parts, 'database'>,
  { before }: PurgeRequest,
): Promise<PurgeAnswer> {
  return { purged: await countPurgeable(database, before) };
}
