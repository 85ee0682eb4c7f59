import type { Database } from '../../database/database.ts';
import { inTransaction } from '../../database/database.ts';
import type { Parts } from '../../parts.ts';
import { UNATTRIBUTED } from '../../rating/rate-event.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import { readTenant } from '../../tenants/tenant-store.ts';
import { type EntryFilter, readCurrentEntries, readEntries } from '../entries/entry-store.ts';
import { foldAll } from '../rollups/fold-batches.ts';
import type {
  CorrectionAnswer,
  ReattributeAnswer,
  ReattributeRequest,
} from './correction-answer.ts';
import { foreseeCorrections, postCorrections } from './post-corrections.ts';

const ENTRIES_A_TRANSACTION = 1_000;

/**
 * Moves entries without a tenant to one, by correction: its books price them, its period bills them.
 * Then folds them into the rollups.
 */
export async function reattributeEntries(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  request: ReattributeRequest,
): Promise<ReattributeAnswer> {
  const { entry_ids: given, tenant_id: tenantId, dry_run: dryRun = false, reason, actor } = request;
  // A tenant that is not there is refused, though nothing is to be moved to it.
  await readTenant(database.kysely, tenantId);
  const ids = given.length > 0 ? await requireUnattributed(database, given) : null;
  const correctSome = dryRun ? foreseeCorrections : postCorrections;
  const answers: CorrectionAnswer[] = [];
  let after = 0n;
  for (;;) {
    const some = ids?.splice(0, ENTRIES_A_TRANSACTION) ?? (await select(database, request, after));
    const last = some.at(-1);
    if (last === undefined) break;
    const note = { reason, actor };
    const corrections = some.map((entryId) => ({ entryId, change: { tenantId }, note }));
    answers.push(...(await correctSome(database, clock, corrections)));
    after = last;
  }
  if (!dryRun) await foldAll(database, clock);
  return answers;
}

async function requireUnattributed(
  database: Database,
  entryIds: readonly bigint[],
): Promise<bigint[]> {
  const entries = await inTransaction(database, (transaction) =>
    readEntries(transaction, entryIds),
  );
  const other = entries.find((entry) => entry.tenantId !== UNATTRIBUTED);
  if (other !== undefined) {
    throw new Refusal(
      'conflict',
      `ent_${other.entryId} belongs to tenant "${other.tenantId}"`,
      advise`use ${{ operation: 'correct', entry_id: `ent_${other.entryId}`, by: 'move' }} to move what has a tenant`,
    );
  }
  return [...entryIds];
}

function select(
  database: Database,
  request: ReattributeRequest,
  after: bigint,
): Promise<readonly bigint[]> {
  const { user_id: userId, feature, agent_run_id: agentRunId } = request;
  const filter: EntryFilter = {
    tenantId: UNATTRIBUTED,
    ...(userId === null ? {} : { userId }),
    ...(feature === null ? {} : { feature }),
    ...(agentRunId === null ? {} : { agentRunId }),
    ...{ after, limit: ENTRIES_A_TRANSACTION },
  };
  return inTransaction(database, async (transaction) =>
    (await readCurrentEntries(transaction, filter)).map((entry) => entry.entryId),
  );
}
