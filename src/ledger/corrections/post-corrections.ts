import type { Clock } from '../../clock.ts';
import type { Database, Transaction } from '../../database/database.ts';
import { inTransaction } from '../../database/database.ts';
import { isLostRace } from '../../database/lost-race.ts';
import { formatPico } from '../../money.ts';
import type { Placement } from '../../periods/placement.ts';
import { placeReversal, placeUsage } from '../../periods/placement.ts';
import { present } from '../../present.ts';
import { Refusal } from '../../refusal.ts';
import { advise, type Remedy } from '../../remedy.ts';
import { readTenant } from '../../tenants/tenant-store.ts';
import type { NewEntry, StoredEntry } from '../entries/entry.ts';
import { type HeldRevisions, readEntries, readRevisions } from '../entries/entry-store.ts';
import {
  copyEntries,
  idsOfSorted,
  insertBatch,
  insertPeriods,
  isSuperseded,
  lockForPosting,
  readHeldResponses,
  responseText,
} from '../posting/posting-store.ts';
import { ReferenceCache } from '../posting/reference-cache.ts';
import type { CorrectionNote, EntryChange } from './correction.ts';
import {
  freeReplacementOf,
  refuseUnfitChange,
  refuseUnfitNote,
  replacementOf,
  reversalOf,
} from './correction.ts';
import type { CorrectionAnswer } from './correction-answer.ts';

/** Void an entry, replace it with some of its fields changed, or take it as free. */
export interface CorrectionRequest {
  readonly entryId: bigint;
  /** Null takes the entry back without a replacement; 'free' leaves it as it is, and charges nothing. */
  readonly change: EntryChange | 'free' | null;
  readonly note: CorrectionNote;
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

export interface MadeCorrection {
  readonly entry: StoredEntry;
  readonly reversal: NewEntry;
  readonly replacement: NewEntry | null;
  /**
   * The currency in which the tenant pays now, where the entry was billed in another one: no period can hold both
   * (R15), so it is left as it is. Null where nothing stands against the correction.
   */
  readonly paysNow: string | null;
}

/** Returns the entries of a correction, in the order in which they are posted. */
export function postedEntriesOf({ reversal, replacement }: MadeCorrection): readonly NewEntry[] {
  return replacement === null ? [reversal] : [reversal, replacement];
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

/** Makes the reversal and the replacement of one entry, placed in the tenants' open periods. */
export function correct(
  cache: ReferenceCache,
  entry: StoredEntry,
  request: Pick<CorrectionRequest, 'change' | 'note'> & { readonly revision?: number },
): MadeCorrection {
  const { change, note, revision = entry.revision + 2 } = request;
  const takenBack = placeReversal(cache.tenant(entry.tenantId), entry);
  const reversal = reversalOf(entry, note, takenBack);
  const paysNow = otherCurrency(cache, entry, takenBack);
  if (change === null) return { entry, reversal, replacement: null, paysNow };
  const target = targetOf({ change }) ?? entry.tenantId;
  // With its own tenant it is due as what it replaces was, and with another as that one's usage is.
  const placement =
    target === entry.tenantId ? takenBack : placeUsage(cache.tenant(target), entry.occurredAt);
  const of = { pricing: cache.pricing(), placement, note };
  const replacement =
    change === 'free' ? freeReplacementOf(entry, of) : replacementOf(entry, change, of);
  return { entry, reversal, replacement: { ...replacement, revision }, paysNow };
}

/**
 * Returns the currency of the open period in which a billed entry would be taken back, where that
 * is another than its own.
 */
export function otherCurrency(
  cache: ReferenceCache,
  entry: StoredEntry,
  takenBack: Placement,
): string | null {
  return takenBack.period.startDate === entry.periodStart
    ? null
    : otherCurrencyThan(cache, entry, takenBack);
}

/**
 * Returns the currency of the open period in which a late entry would be billed, where that is another than its own.
 */
export function otherCurrencyThan(
  cache: ReferenceCache,
  { tenantId, charge, currency }: Pick<NewEntry, 'tenantId' | 'charge' | 'currency'>,
  { period, late, due }: Placement,
): string | null {
  if (!late || !due || !charge) return null;
  const pays = cache.pricing().bookOf(tenantId, period.endsAt - 1)?.currency ?? null;
  return pays === currency ? null : pays;
}

/** Refuses to take back, in the open period, what was billed in a currency in which the tenant pays no longer (R15). */
export function refuseOtherCurrency(entry: StoredEntry, paysNow: string, remedy: Remedy): never {
  throw new Refusal(
    'conflict',
    `ent_${entry.entryId} was billed in ${entry.currency}, and tenant "${entry.tenantId}" pays in ${paysNow} now; one period cannot hold both`,
    remedy,
  );
}

/**
 * Returns the tenant to whom a correction moves an entry; undefined where it stays with its own.
 */
function targetOf({ change }: Pick<CorrectionRequest, 'change'>): string | undefined {
  return change === null || change === 'free' ? undefined : change.tenantId;
}

interface PostedEntries {
  readonly batchId: bigint;
  readonly ids: ReadonlyMap<NewEntry, bigint>;
}

/**
 * Copies entries that no event brought, corrections, shares of a pool or adjustments, as a batch of their own. The
 * rollups fold it like any other.
 */
export async function postOwnEntries(
  transaction: Transaction,
  entries: readonly NewEntry[],
  of: {
    readonly kind: 'correction' | 'allocation' | 'adjustment';
    readonly cache: ReferenceCache;
    readonly recordedAt: number;
  },
): Promise<PostedEntries> {
  const { kind, cache, recordedAt } = of;
  await insertPeriods(transaction, newPeriods(cache, entries));
  const batch = await insertBatch(transaction, { kind, recordedAt, entries });
  const sorted = await copyEntries(transaction, entries, batch);
  const ids = idsOfSorted(batch.batchId, sorted);
  return { batchId: batch.batchId, ids };
}

function newPeriods(cache: ReferenceCache, entries: readonly NewEntry[]) {
  return entries.flatMap(({ tenantId, occurredAt }) => {
    const { period } = placeUsage(cache.tenant(tenantId), occurredAt);
    return cache.mustMakePeriod(tenantId, period.startDate) ? [{ tenantId, period }] : [];
  });
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

/** Returns the revision of one entry's replacement, as of many. */
export async function revisionInTarget(
  transaction: Transaction,
  entry: StoredEntry,
  target: string | undefined,
): Promise<number> {
  const revisions = await revisionsInTarget(transaction, [entry], target);
  return present(revisions.get(entry), 'the revision of an entry that was asked for');
}

/**
 * Returns the revision of each entry's replacement: the next but one where it stays with its tenant; with
 * another tenant the first one free there, so that a later delivery under that tenant is a
 * duplicate or a conflict. Refuses where that tenant has the same call standing already, or would have it twice.
 */
export async function revisionsInTarget(
  transaction: Transaction,
  entries: readonly StoredEntry[],
  target: string | undefined,
): Promise<ReadonlyMap<StoredEntry, number>> {
  const revisions = new Map(entries.map((entry) => [entry, entry.revision + 2]));
  const moved = target === undefined ? [] : entries.filter((entry) => entry.tenantId !== target);
  if (target === undefined || moved.length === 0) return revisions;
  const held = {
    revisions: await readRevisions(transaction, target, moved),
    responses: await readHeldResponses(transaction, target, moved.flatMap(reportedAs)),
  };
  const taken = new Set<string>();
  for (const [place, entry] of moved.entries()) {
    const { next, stands } = present<HeldRevisions>(
      held.revisions[place],
      'what a tenant has of an event',
    );
    const event = `${entry.source}\u0000${entry.eventId}\u0000${entry.memberId}`;
    // The ledger's key holds the first report of a response alone.
    const responses = next === 0 ? reportedAs(entry).map(responseText) : [];
    const isHeld = responses.some((response) => held.responses.has(response));
    // Two that shared their response before are two calls.
    const own = entry.sharesResponse || entry.status !== 'ok' ? [event] : [event, ...responses];
    if (stands || isHeld || own.some((key) => taken.has(key))) refuseSecondBill(entry, target);
    for (const key of own) taken.add(key);
    revisions.set(entry, next);
  }
  return revisions;
}

function reportedAs({ responseId, memberId, gatewayCache }: StoredEntry) {
  return responseId === null || gatewayCache !== 'none' ? [] : [{ responseId, memberId }];
}

function refuseSecondBill(entry: StoredEntry, target: string): never {
  throw new Refusal(
    'conflict',
    `tenant "${target}" has event "${entry.eventId}" of source "${entry.source}" already, or the same provider response; it would be billed twice`,
    `void ent_${entry.entryId} instead`,
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
