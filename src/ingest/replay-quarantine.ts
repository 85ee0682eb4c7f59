import { inTransaction } from '../database/database.ts';
import type { ReadSettings } from '../events/read-item.ts';
import { ReferenceCache } from '../ledger/posting/reference-cache.ts';
import { foldAll } from '../ledger/rollups/fold-batches.ts';
import type { Parts } from '../parts.ts';
import type { ReplayAnswer, Replayed, ReplayRequest } from './quarantine-answer.ts';
import {
  listQuarantined,
  lockQuarantined,
  markReplayed,
  readQuarantined,
} from './quarantine-store.ts';
import { readQuarantinedBody } from './read-quarantined-body.ts';
import { recordItems } from './record-batch.ts';

/** What a replay needs beside the usual parts: how bodies are read. */
export interface ReplayParts extends Pick<Parts, 'database' | 'clock'> {
  readonly reading: ReadSettings;
}

const ALL_AT_ONCE = 100_000;

/**
 * Reads and posts quarantined events again, each in a transaction of its own. One that is still
 * refused keeps waiting, unchanged; one that posts, or turns out to be a duplicate, is marked. Then
 * folds what was posted into the rollups.
 */
export async function replayQuarantine(
  parts: ReplayParts,
  { quarantine_ids: given }: ReplayRequest,
): Promise<ReplayAnswer> {
  const { database, clock } = parts;
  const waiting = await listQuarantined(database, { all: false, limit: ALL_AT_ONCE });
  // Each named id must exist, so that a mistyped one is not passed over in silence.
  for (const id of given) await readQuarantined(database, id);
  const ids = given.length > 0 ? given : waiting.map((row) => row.quarantine_id);
  const answers: Replayed[] = [];
  for (const id of ids) answers.push(await replayOne(parts, id));
  await foldAll(database, clock);
  return answers;
}

async function replayOne(parts: ReplayParts, quarantineId: bigint): Promise<Replayed> {
  const { database, clock, reading } = parts;
  return inTransaction(database, async (transaction): Promise<Replayed> => {
    const answer = (outcome: Replayed['outcome'], detail: string | null) => ({
      quarantine_id: String(quarantineId),
      outcome,
      detail,
    });
    const row = await lockQuarantined(transaction, quarantineId);
    if (row === null) return answer('already_replayed', null);
    const now = clock();
    const items = readQuarantinedBody(row, reading, now);
    const refused = items.find((item) => item.kind === 'refused');
    if (refused !== undefined) return answer('quarantined', refused.detail);
    const batch = { items, recordedAt: now, kind: 'replay', emails: reading.emails } as const;
    const recorded = await recordItems(transaction, new ReferenceCache(), batch);
    if (recorded.some(({ outcome }) => outcome === 'conflict')) {
      throw new StillRefused(answer('conflict', IN_CONFLICT));
    }
    const stray = recorded.find(({ outcome }) => outcome === 'quarantined')?.item;
    if (stray?.kind === 'event') throw new StillRefused(answer('quarantined', stray.tooOld));
    const outcome = recorded[0]?.outcome ?? 'posted';
    await markReplayed(transaction, quarantineId, { at: now, outcome });
    return answer(outcome, null);
  }).catch((error) => {
    if (!(error instanceof StillRefused)) throw error;
    return error.answer;
  });
}

const IN_CONFLICT = 'the ledger still holds this event with another content';

/** Rolls the replay back: the event is in quarantine already, and must not be there twice. */
class StillRefused extends Error {
  readonly answer: Replayed;

  constructor(answer: Replayed) {
    super(answer.detail ?? '');
    this.answer = answer;
  }
}
