import type { Clock } from '../../clock.ts';
import type { Database, Transaction } from '../../database/database.ts';
import { inTransaction } from '../../database/database.ts';
import { isLostRace } from '../../database/lost-race.ts';
import { formatPico } from '../../money.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import { readTenant } from '../../tenants/tenant-store.ts';
import type { NewEntry, StoredEntry } from '../entries/entry.ts';
import { readEntries } from '../entries/entry-store.ts';
import { postOwnEntries } from '../posting/own-entries.ts';
import { isSuperseded, lockForPosting } from '../posting/posting-store.ts';
import { ReferenceCache } from '../posting/reference-cache.ts';
import { refuseUnfitChange, refuseUnfitNote } from '../reversals/correction.ts';
import { revisionInTarget } from '../reversals/free-revision.ts';
import type { AskedCorrection, MadeCorrection } from '../reversals/made-correction.ts';
import {
  correct,
  postedEntriesOf,
  refuseOtherCurrency,
  targetOf,
} from '../reversals/made-correction.ts';
import type { CorrectionAnswer } from './correction-answer.ts';

/** Void an entry, replace it with some of its fields changed, or take it as free. */
export interface CorrectionRequest extends AskedCorrection {
  readonly entryId: bigint;
}

/**
 * Posts corrections (R13): for each a reversal and, unless it is void, a replacement, all in one
 * transaction. Refuses an entry that is corrected already, or that is itself a reversal, a change that
 * no event could have said, and a tenant that nobody made.
 */
export function postCorrections(
  database: Database,
  clock: Clock,
  requests: readonly CorrectionRequest[],
): Promise<readonly CorrectionAnswer[]> {
  return makeCorrections({ database, clock, isPosted: true }, requests);
}

/**
 * Returns what posting corrections would answer, without ids; refuses what posting would refuse.
 */
export function foreseeCorrections(
  database: Database,
  clock: Clock,
  requests: readonly CorrectionRequest[],
): Promise<readonly CorrectionAnswer[]> {
  return makeCorrections({ database, clock, isPosted: false }, requests);
}

async function makeCorrections(
  of: { readonly database: Database; readonly clock: Clock; readonly isPosted: boolean },
  requests: readonly CorrectionRequest[],
): Promise<readonly CorrectionAnswer[]> {
  const { database, clock, isPosted } = of;
  for (const { change, note } of requests) {
    refuseUnfitNote(note);
    if (change !== null && change !== 'free') refuseUnfitChange(change);
  }
  try {
    return await inTransaction(database, async (transaction) => {
      await lockForPosting(transaction);
      await refuseUnmadeTenant(
        transaction,
        requests.map((request) => targetOf(request) ?? null),
      );
      const entries = await readEntries(
        transaction,
        requests.map((request) => request.entryId),
      );
      const byId = new Map(entries.map((entry) => [entry.entryId, entry]));
      const corrections = requests.map((request) => ({
        request,
        entry: requireEntry(byId, request.entryId),
      }));
      for (const { entry, request } of corrections) {
        await refuseUncorrectable(transaction, entry);
        if (request.change === 'free') refuseUnlessWaiting(entry);
        if (request.change !== null) refuseChangedAdjustment(entry);
      }
      const cache = await readReferences(transaction, corrections, clock());
      const made: MadeCorrection[] = [];
      for (const { entry, request } of corrections) {
        const revision = await revisionInTarget(transaction, entry, targetOf(request));
        const one = correct(cache, entry, { ...request, revision });
        if (one.paysNow !== null) {
          const adjust = { operation: 'adjust' } as const;
          refuseOtherCurrency(
            entry,
            one.paysNow,
            advise`credit or charge the difference in ${one.paysNow} with ${adjust}`,
          );
        }
        made.push(one);
      }
      const all = made.flatMap(postedEntriesOf);
      if (!isPosted) return answersOf(made, null);
      const batch = { kind: 'correction' as const, cache, recordedAt: clock() };
      const { ids } = await postOwnEntries(transaction, all, batch);
      return answersOf(made, ids);
    });
  } catch (error) {
    if (!isLostRace(error)) throw error;
    throw new Refusal(
      'conflict',
      'somebody else corrected one of these entries at the same time',
      advise`look at the entry again with ${{ operation: 'audit entry', entry_id: null }}, and correct what stands now`,
    );
  }
}

/** Refuses to move an entry to a tenant that nobody made: a slip of the keyboard is no customer. */
export async function refuseUnmadeTenant(
  transaction: Transaction,
  targets: readonly (string | null)[],
): Promise<void> {
  for (const target of new Set(targets)) {
    if (target !== null) await readTenant(transaction.kysely, target);
  }
}

async function readReferences(
  transaction: Transaction,
  corrections: readonly { readonly entry: StoredEntry; readonly request: CorrectionRequest }[],
  at: number,
): Promise<ReferenceCache> {
  const cache = new ReferenceCache();
  const tenants = corrections.flatMap(({ entry, request }) => [
    entry.tenantId,
    targetOf(request) ?? entry.tenantId,
  ]);
  await cache.refresh(transaction, new Set(tenants), at);
  return cache;
}

function requireEntry(entries: ReadonlyMap<bigint, StoredEntry>, entryId: bigint): StoredEntry {
  const entry = entries.get(entryId);
  if (entry !== undefined) return entry;
  throw new Refusal(
    'not_found',
    `there is no entry ent_${entryId}`,
    'give an entry_id as audit.entries shows it',
  );
}

async function refuseUncorrectable(transaction: Transaction, entry: StoredEntry): Promise<void> {
  const id = `ent_${entry.entryId}`;
  if (entry.isReversal) {
    throw new Refusal(
      'conflict',
      `${id} is a reversal; it is not corrected`,
      'correct the entry that stands',
    );
  }
  if (entry.kind === 'allocation') {
    throw new Refusal(
      'conflict',
      `${id} is a share of a pool; one share alone is not corrected, the others would not add up`,
      advise`use ${{ operation: 'allocate reverse', pool: entry.requestedModel, month: null }}, and allocate again`,
    );
  }
  if (await isSuperseded(transaction, entry.entryId)) {
    throw new Refusal(
      'conflict',
      `${id} is corrected already; an entry is corrected once`,
      advise`correct the replacement that stands now; ${{ operation: 'audit entry', entry_id: id }} shows it`,
    );
  }
}

/** An adjustment is only its amount and its reason, so changing it means making another. */
function refuseChangedAdjustment(entry: StoredEntry): void {
  if (entry.kind !== 'adjustment') return;
  throw new Refusal(
    'conflict',
    `ent_${entry.entryId} is an adjustment; it is taken back, not changed`,
    advise`void it, and make another with ${{ operation: 'adjust' }}`,
  );
}

/** Refuses to waive a known charge; only an unpriced or unmeasured entry can be accepted as free (R10). */
function refuseUnlessWaiting(entry: StoredEntry): void {
  if (entry.outcome === 'unrated' || entry.outcome === 'unmeasured') return;
  throw new Refusal(
    'conflict',
    `ent_${entry.entryId} is ${entry.outcome}; only an entry without a price or a measure is taken as free`,
    'take a charge back by a correction',
  );
}

/** Returns the answers to corrections; without ids where nothing was posted. */
export function answersOf(
  made: readonly MadeCorrection[],
  ids: ReadonlyMap<NewEntry, bigint> | null,
): readonly CorrectionAnswer[] {
  const idOf = (entry: NewEntry) => (ids === null ? null : `ent_${ids.get(entry)}`);
  const amount = (value: bigint | null | undefined) => (value == null ? null : formatPico(value));
  return made.map(({ entry, reversal, replacement }) => ({
    corrected: `ent_${entry.entryId}`,
    reversal: idOf(reversal),
    replacement: replacement === null ? null : idOf(replacement),
    charge_before: amount(entry.charge),
    charge_after: amount(replacement === null ? 0n : replacement.charge),
    cost_before: amount(entry.cost),
    cost_after: amount(replacement === null ? 0n : replacement.cost),
  }));
}
