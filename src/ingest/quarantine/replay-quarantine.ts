import { inTransaction, type Transaction } from '../../database/database.ts';
import { faultOf } from '../../database/database-fault.ts';
import { retryLostRace } from '../../database/lost-race.ts';
import type { ReadSettings } from '../../events/read-item.ts';
import { ReferenceCache } from '../../ledger/posting/reference-cache.ts';
import { foldPosted } from '../../ledger/rollups/fold-batches.ts';
import type { ActParts } from '../../parts.ts';
import { type Conflict, recordItems } from '../record-batch.ts';
import { detailOfFault } from '../record-or-isolate.ts';
import type { ReplayAnswer, Replayed, ReplayRequest } from './quarantine-answer.ts';
import {
  listWaitingIds,
  lockQuarantined,
  markReplayed,
  readQuarantined,
} from './quarantine-store.ts';
import { readQuarantinedBody } from './read-quarantined-body.ts';

/** What a replay needs beside the usual parts: how bodies are read. */
export interface ReplayParts extends ActParts {
  readonly reading: ReadSettings;
}

/**
 * Reads and posts quarantined events again, each in a transaction of its own. One that is still
 * refused keeps waiting, unchanged, and holds up no other, whatever refuses it; one that posts, or turns
 * out to be a duplicate, is marked. Then folds what was posted into the rollups.
 */
export async function replayQuarantine(
  parts: ReplayParts,
  { quarantine_ids: given }: ReplayRequest,
): Promise<ReplayAnswer> {
  const { database } = parts;
  // Each named id must exist, so that a mistyped one is not passed over in silence.
  for (const id of given) await readQuarantined(database, id);
  const ids = given.length > 0 ? given : await listWaitingIds(database);
  const answers: Replayed[] = [];
  for (const id of ids) answers.push(await replayOne(parts, id));
  await foldPosted(parts);
  return answers;
}

async function replayOne(parts: ReplayParts, quarantineId: bigint): Promise<Replayed> {
  const cache = new ReferenceCache();
  const replay = () =>
    inTransaction(parts.database, (transaction) =>
      replayLocked(parts, quarantineId, { transaction, cache }),
    );
  try {
    return await retryLostRace(replay, () => cache.forget());
  } catch (error) {
    if (error instanceof StillRefused) return error.answer;
    if (faultOf(error) !== 'values') throw error;
    return answerOf(quarantineId, 'quarantined', detailOfFault(error));
  }
}

async function replayLocked(
  { clock, reading }: ReplayParts,
  quarantineId: bigint,
  { transaction, cache }: { readonly transaction: Transaction; readonly cache: ReferenceCache },
): Promise<Replayed> {
  const row = await lockQuarantined(transaction, quarantineId);
  if (row === null) return waitsNoLonger(transaction, quarantineId);
  const now = clock();
  const items = readQuarantinedBody(row, reading, now);
  const refused = items.find((item) => item.kind === 'refused');
  if (refused !== undefined) return answerOf(quarantineId, 'quarantined', refused.detail);
  const batch = { items, recordedAt: now, kind: 'replay', emails: reading.emails } as const;
  const recorded = await recordItems(transaction, cache, batch);
  const conflict = recorded.find((one) => one.conflict !== undefined)?.conflict;
  if (conflict !== undefined) {
    throw new StillRefused(answerOf(quarantineId, 'conflict', detailOfConflict(conflict)));
  }
  const stray = recorded.find(({ outcome }) => outcome === 'quarantined')?.item;
  if (stray?.kind === 'event') {
    throw new StillRefused(answerOf(quarantineId, 'quarantined', stray.tooOld));
  }
  const outcome = recorded[0]?.outcome ?? 'posted';
  await markReplayed(transaction, quarantineId, { at: now, outcome });
  return answerOf(quarantineId, outcome, null);
}

/** Tells what was dismissed from what was replayed: whoever names it by its number sees that it was not posted. */
async function waitsNoLonger(transaction: Transaction, quarantineId: bigint): Promise<Replayed> {
  const { dismissed_at } = await readQuarantined(transaction, quarantineId);
  if (dismissed_at === null) return answerOf(quarantineId, 'already_replayed', null);
  return answerOf(quarantineId, 'dismissed', 'it waits no longer, and was not posted');
}

function answerOf(
  quarantineId: bigint,
  outcome: Replayed['outcome'],
  detail: string | null,
): Replayed {
  return { quarantine_id: String(quarantineId), outcome, detail };
}

function detailOfConflict({ sameResponse }: Conflict): string {
  if (sameResponse === null) return 'the ledger still holds this event with another content';
  const { source, eventId } = sameResponse;
  return `the ledger still holds this response with other counts or at another time, by event ${JSON.stringify(eventId)} of source ${JSON.stringify(source)}`;
}

/** Rolls the replay back: the event is in quarantine already, and must not be there twice. */
class StillRefused extends Error {
  readonly answer: Replayed;

  constructor(answer: Replayed) {
    super(answer.detail ?? '');
    this.answer = answer;
  }
}
