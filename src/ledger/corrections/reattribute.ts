import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { inTransaction } from '../../database/database.ts';
import { UNATTRIBUTED } from '../../rating/rate-event.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import { type EntryFilter, readCurrentEntries, readEntries } from '../entries/entry-store.ts';
import type { CorrectionNote } from './correction.ts';
import type { CorrectionAnswer } from './post-corrections.ts';
import { postCorrections } from './post-corrections.ts';

export interface ReattributeRequest {
  /** None means every unattributed entry that the filter selects. */
  readonly entryIds: readonly bigint[];
  readonly tenantId: string;
  readonly filter: Pick<EntryFilter, 'userId' | 'feature' | 'agentRunId'>;
  readonly note: CorrectionNote;
}

/** Entries corrected in one transaction. */
const ENTRIES_A_TRANSACTION = 1_000;

/** Moves entries without a tenant to one, by correction: its books price them, its period bills them. */
export async function reattribute(
  database: Database,
  clock: Clock,
  request: ReattributeRequest,
): Promise<readonly CorrectionAnswer[]> {
  const answers: CorrectionAnswer[] = [];
  const ids = request.entryIds.length > 0 ? await requireUnattributed(database, request) : null;
  let after = 0n;
  for (;;) {
    const some = ids?.splice(0, ENTRIES_A_TRANSACTION) ?? (await select(database, request, after));
    const last = some.at(-1);
    if (last === undefined) return answers;
    const change = { tenantId: request.tenantId };
    const corrections = some.map((entryId) => ({ entryId, change, note: request.note }));
    answers.push(...(await postCorrections(database, clock, corrections)));
    after = last;
  }
}

async function requireUnattributed(
  database: Database,
  request: ReattributeRequest,
): Promise<bigint[]> {
  const entries = await inTransaction(database, (transaction) =>
    readEntries(transaction, request.entryIds),
  );
  const other = entries.find((entry) => entry.tenantId !== UNATTRIBUTED);
  if (other !== undefined) {
    throw new Refusal(
      'conflict',
      `ent_${other.entryId} belongs to tenant "${other.tenantId}"`,
      advise`use ${{ operation: 'correct', entryId: `ent_${other.entryId}`, move: true }} to move what has a tenant`,
    );
  }
  return [...request.entryIds];
}

function select(
  database: Database,
  request: ReattributeRequest,
  after: bigint,
): Promise<readonly bigint[]> {
  const filter = { ...request.filter, tenantId: UNATTRIBUTED, after, limit: ENTRIES_A_TRANSACTION };
  return inTransaction(database, async (transaction) =>
    (await readCurrentEntries(transaction, filter)).map((entry) => entry.entryId),
  );
}
