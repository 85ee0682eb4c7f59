import type { Clock } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { inTransaction } from '../database/database.ts';
import { readBody } from '../events/read-body.ts';
import type { ReadSettings } from '../events/read-item.ts';
import { ReferenceCache } from '../ledger/posting/reference-cache.ts';
import {
  listQuarantined,
  lockQuarantined,
  markReplayed,
  readQuarantined,
} from './quarantine-store.ts';
import type { ItemOutcome } from './record-batch.ts';
import { recordItems } from './record-batch.ts';

export interface ReplayAnswer {
  readonly quarantine_id: number;
  /** `quarantined`: still refused, and waiting as before. */
  readonly outcome: ItemOutcome | 'already_replayed';
  readonly detail: string | null;
}

const ALL_AT_ONCE = 100_000;

/**
 * Reads and posts quarantined events again, each in a transaction of its own. One that is still
 * refused keeps waiting, unchanged; one that posts, or turns out to be a duplicate, is marked.
 */
export async function replayQuarantined(
  options: {
    readonly database: Database;
    readonly clock: Clock;
    readonly reading: ReadSettings;
  },
  quarantineIds: readonly bigint[],
): Promise<readonly ReplayAnswer[]> {
  const { database } = options;
  const waiting = await listQuarantined(database, { all: false, limit: ALL_AT_ONCE });
  // Each named id must exist, so that a mistyped one is not passed over in silence.
  for (const id of quarantineIds) await readQuarantined(database, id);
  const ids = quarantineIds.length > 0 ? quarantineIds : waiting.map((row) => row.quarantine_id);
  const answers: ReplayAnswer[] = [];
  for (const id of ids) answers.push(await replayOne(options, id));
  return answers;
}

async function replayOne(
  options: Parameters<typeof replayQuarantined>[0],
  quarantineId: bigint,
): Promise<ReplayAnswer> {
  const { database, clock, reading } = options;
  return inTransaction(database, async (transaction): Promise<ReplayAnswer> => {
    const answer = (outcome: ReplayAnswer['outcome'], detail: string | null) => ({
      quarantine_id: Number(quarantineId),
      outcome,
      detail,
    });
    const row = await lockQuarantined(transaction, quarantineId);
    if (row === null) return answer('already_replayed', null);
    const now = clock();
    const items = readBody(row.body, { ...reading, receivedAt: now, attributes: {} });
    const refused = items.find((item) => item.kind === 'refused');
    if (refused !== undefined) return answer('quarantined', refused.detail);
    const batch = { items, recordedAt: now, kind: 'replay' } as const;
    const recorded = await recordItems(transaction, new ReferenceCache(), batch);
    if (recorded.some(({ outcome }) => outcome === 'conflict')) throw new StillInConflict();
    const outcome = recorded[0]?.outcome ?? 'posted';
    await markReplayed(transaction, quarantineId, { at: now, outcome });
    return answer(outcome, null);
  }).catch((error) => {
    if (!(error instanceof StillInConflict)) throw error;
    const detail = 'the ledger still holds this event with another content';
    return { quarantine_id: Number(quarantineId), outcome: 'conflict' as const, detail };
  });
}

/** Rolls the replay back: the event is in quarantine already, and must not be there twice. */
class StillInConflict extends Error {}
