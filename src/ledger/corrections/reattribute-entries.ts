import type { Database } from '../../database/database.ts';
import { inTransaction } from '../../database/database.ts';
import type { ActParts } from '../../parts.ts';
import { UNATTRIBUTED } from '../../rating/rate-event.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import { readTenant } from '../../tenants/tenant-store.ts';
import { counted, firstIds } from '../../text/counted.ts';
import { readEntries } from '../entries/entry-store.ts';
import { refuseUnfitNote } from '../reversals/correction.ts';
import { foldPosted } from '../rollups/fold-batches.ts';
import type { Progress } from './correct-many.ts';
import { correctMany } from './correct-many.ts';
import type {
  CorrectionAnswer,
  ReattributeAnswer,
  ReattributeRequest,
} from './correction-answer.ts';
import { answersOf, foreseeCorrections, postCorrections } from './post-corrections.ts';
import type { StandingFilter } from './standing-store.ts';

/**
 * Moves entries without a tenant to one, by correction: its books price them, its period bills them.
 * Then folds them into the rollups. Answers in the order of the entries' ids. What a call cost does not become
 * unknown by it unless that is asked for (R13): all is looked at first, and nothing is moved where it would.
 */
export async function reattributeEntries(
  parts: ActParts,
  request: ReattributeRequest,
  progress?: Progress,
): Promise<ReattributeAnswer> {
  const { tenant_id: tenantId, dry_run: dryRun = false, unprice = false } = request;
  refuseUnfitNote(request);
  if (tenantId === UNATTRIBUTED) refuseNobody();
  // A tenant that is not there is refused, though nothing is to be moved to it.
  await readTenant(parts.database.kysely, tenantId);
  const move = { request, progress };
  if (dryRun) return moveEntries(parts, { ...move, dryRun });
  if (!unprice) refuseLostCosts(await moveEntries(parts, { ...move, dryRun: true }), tenantId);
  return moveEntries(parts, { ...move, dryRun });
}

/** Returns those of which the cost was known and is not in the tenant's currency. */
export function costsLost(answers: ReattributeAnswer): ReattributeAnswer {
  return answers.filter((answer) => answer.cost_before !== null && answer.cost_after === null);
}

function refuseNobody(): never {
  throw new Refusal(
    'bad_request',
    `"${UNATTRIBUTED}" is where such entries stand already`,
    'name the tenant to which they belong',
  );
}

const ENTRIES_NAMED = 3;

function refuseLostCosts(foreseen: ReattributeAnswer, tenantId: string): void {
  const lost = costsLost(foreseen);
  if (lost.length === 0) return;
  const few = lost.slice(0, ENTRIES_NAMED).map(({ corrected }) => corrected);
  throw new Refusal(
    'conflict',
    `nothing was moved: what ${counted(lost.length, 'call')} cost would not be known any more (${firstIds(few, lost.length)}), since no exchange rate leads to the currency of tenant "${tenantId}"`,
    advise`import the rate with ${{ operation: 'fx import' }}, or ask for it with "unprice"`,
  );
}

async function moveEntries(
  parts: ActParts,
  of: {
    readonly request: ReattributeRequest;
    readonly dryRun: boolean;
    readonly progress: Progress | undefined;
  },
): Promise<ReattributeAnswer> {
  const { database, clock } = parts;
  const { request, dryRun, progress } = of;
  const { entry_ids: given, tenant_id: tenantId, reason, actor } = request;
  const [change, note] = [{ tenantId }, { reason, actor }];
  if (given.length > 0) {
    await refuseAttributed(database, given);
    const corrections = given.map((entryId) => ({ entryId, change, note }));
    if (dryRun) return foreseeCorrections(database, clock, corrections);
    const answers = await postCorrections(database, clock, corrections);
    await foldPosted(parts);
    return answers;
  }
  const answers: { readonly entryId: bigint; readonly answer: CorrectionAnswer }[] = [];
  const bulk = {
    entries: unattributedOf(request),
    change,
    note,
    dryRun,
    isDue: () => true,
    looked(...[made, ids]: Parameters<typeof answersOf>) {
      for (const [place, answer] of answersOf(made, ids).entries()) {
        answers.push({ entryId: made[place]?.entry.entryId ?? 0n, answer });
      }
    },
  };
  await correctMany(parts, bulk, progress);
  answers.sort((a, b) => (a.entryId < b.entryId ? -1 : 1));
  return answers.map(({ answer }) => answer);
}

function unattributedOf(request: ReattributeRequest): StandingFilter {
  const { user_id: userId, feature, agent_run_id: agentRunId } = request;
  const condition = {
    tenantId: UNATTRIBUTED,
    ...(userId === null ? {} : { userId }),
    ...(feature === null ? {} : { feature }),
    ...(agentRunId === null ? {} : { agentRunId }),
  };
  return { condition, spans: null };
}

async function refuseAttributed(database: Database, entryIds: readonly bigint[]): Promise<void> {
  const entries = await inTransaction(database, (transaction) =>
    readEntries(transaction, entryIds),
  );
  const other = entries.find((entry) => entry.tenantId !== UNATTRIBUTED);
  if (other === undefined) return;
  throw new Refusal(
    'conflict',
    `ent_${other.entryId} belongs to tenant "${other.tenantId}"`,
    advise`use ${{ operation: 'correct', entry_id: `ent_${other.entryId}`, by: 'move' }} to move what has a tenant`,
  );
}
