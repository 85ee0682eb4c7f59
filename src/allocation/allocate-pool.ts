import type { InstantMs } from '../clock.ts';
import { formatInstant } from '../clock.ts';
import type { Transaction } from '../database/database.ts';
import { inTransaction } from '../database/database.ts';
import { retryLostRace } from '../database/lost-race.ts';
import type { NewEntry } from '../ledger/entries/entry.ts';
import { readBatch } from '../ledger/entries/entry-store.ts';
import { postOwnEntries } from '../ledger/posting/own-entries.ts';
import { lockForPosting } from '../ledger/posting/posting-store.ts';
import { ReferenceCache } from '../ledger/posting/reference-cache.ts';
import { reversalOf } from '../ledger/reversals/correction.ts';
import { otherCurrency, otherCurrencyThan } from '../ledger/reversals/made-correction.ts';
import { foldPosted } from '../ledger/rollups/fold-batches.ts';
import { formatPico } from '../money.ts';
import type { ActParts, Parts } from '../parts.ts';
import { placeReversal, placeUsage } from '../periods/placement.ts';
import { present } from '../present.ts';
import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';
import { counted } from '../text/counted.ts';
import type {
  AllocateRequest,
  AllocationAnswer,
  PoolKey,
  PoolsAnswer,
  PoolsRequest,
  ReverseRequest,
} from './allocation-answer.ts';
import type { PostedPool } from './allocation-store.ts';
import { insertPool, readConsumption, readPools } from './allocation-store.ts';
import type { Consumption } from './consumption.ts';
import { formatWeight, UNIT_NAMES, weightOf } from './consumption.ts';
import { dividePool } from './divide-pool.ts';
import type { PoolRequest } from './pool.ts';
import { digestOf, refuseImpossiblePool } from './pool.ts';
import { shareEntry } from './share-entry.ts';
import { answerOf, noteOnMoved, notesOf, withoutCosts } from './tell-pool.ts';
import { DEFAULT_WEIGHTS, formatWeights } from './token-weights.ts';

/**
 * Divides a pool over the tenants by what they used in their periods that begin in the month, and
 * posts a share for each (R20), all in one transaction. The same pool again is a duplicate and answers
 * what was posted; with other content it is refused. With `dryRun` it answers what would be posted.
 */
export async function allocatePool(
  parts: ActParts,
  asked: AllocateRequest,
): Promise<AllocationAnswer> {
  const { database, clock } = parts;
  const request = toPool(asked);
  refuseImpossiblePool(request);
  const answer = await retryLostRace(() =>
    inTransaction(database, async (transaction) => {
      await lockForPosting(transaction);
      const [last] = await readPools(transaction, request);
      if (last !== undefined && !last.isReversal) {
        if (!last.digest.equals(digestOf(request))) refuseOtherContent(last);
        return answerStanding(transaction, last, 'duplicate');
      }
      const revision = last === undefined ? 0 : last.revision + 1;
      const divided = await divide(transaction, { request, revision, now: clock() });
      if (asked.dry_run) return answerDryRun(divided);
      refuseUnfinished(divided, clock());
      refuseUnknownCosts(divided);
      return post(transaction, divided, clock());
    }),
  );
  if (!asked.dry_run) await foldPosted(parts);
  return answer;
}

function toPool({
  pool,
  month,
  amount,
  currency,
  by,
  weights,
  billed,
  reason,
  actor,
}: AllocateRequest): PoolRequest {
  const weighed = by === 'weighted-tokens';
  if (!weighed && weights !== null) {
    throw new Refusal(
      'bad_request',
      `weights of tokens have no meaning where a pool is divided by ${by}`,
      'leave them out, or divide by weighted-tokens',
    );
  }
  return {
    ...{ pool, month, amount, currency, basis: by, billed },
    weights: weighed ? (weights ?? DEFAULT_WEIGHTS) : null,
    note: { reason, actor },
  };
}

/** Takes a pool back, each share by its reversal (R13). Doing it again is a duplicate. */
export async function reversePool(
  parts: ActParts,
  { pool, month, ...note }: ReverseRequest,
): Promise<AllocationAnswer> {
  const { database, clock } = parts;
  const answer = await retryLostRace(() =>
    inTransaction(database, async (transaction) => {
      await lockForPosting(transaction);
      const last = await requirePool(transaction, { pool, month });
      if (last.isReversal) return answerHeld(transaction, last, 'duplicate');
      const now = clock();
      const shares = await readBatch(transaction, last.batchId);
      const cache = new ReferenceCache();
      await cache.refresh(transaction, new Set(shares.map((share) => share.tenantId)), now);
      const placed = shares.map((share) => {
        const takenBack = placeReversal(cache.tenant(share.tenantId), share);
        return { share, takenBack, paysNow: otherCurrency(cache, share, takenBack) };
      });
      refuseToTakeBack(placed);
      const reversals = placed.map(({ share, takenBack }) => reversalOf(share, note, takenBack));
      const of = { kind: 'allocation' as const, cache, recordedAt: now };
      const { batchId } = await postOwnEntries(transaction, reversals, of);
      const revision = last.revision + 1;
      const posted = { ...last, note, revision, batchId, amount: -last.amount, recordedAt: now };
      await insertPool(transaction, posted);
      return answerHeld(transaction, posted, 'reversed');
    }),
  );
  await foldPosted(parts);
  return answer;
}

/** A pool as the ledger holds it, with its shares, and what would be others if it were allocated anew. */
export async function showPool(
  { database }: Pick<Parts, 'database'>,
  key: PoolKey,
): Promise<AllocationAnswer> {
  return inTransaction(database, async (transaction) => {
    const last = await requirePool(transaction, key);
    return last.isReversal
      ? answerHeld(transaction, last, 'reversed')
      : answerStanding(transaction, last, 'standing');
  });
}

/** Lists the pools of a month or of all, and whether they stand. */
export async function listPools(
  { database }: Pick<Parts, 'database'>,
  { month }: PoolsRequest,
): Promise<PoolsAnswer> {
  const pools = await readPools(database, { pool: null, month });
  return pools.map((pool) => ({
    pool: pool.pool,
    month: pool.month,
    state: pool.isReversal ? 'reversed' : 'standing',
    amount: formatPico(pool.amount < 0n ? -pool.amount : pool.amount),
    currency: pool.currency,
    by: pool.basis,
    billed: pool.billed,
  }));
}

async function requirePool(transaction: Transaction, key: PoolKey): Promise<PostedPool> {
  const [last] = await readPools(transaction, key);
  if (last !== undefined) return last;
  throw new Refusal(
    'not_found',
    `pool "${key.pool}" was not allocated for ${key.month}`,
    advise`see ${{ operation: 'allocate list' }}; the month is the one in which the divided periods begin`,
  );
}

function refuseOtherContent(held: PostedPool): never {
  const weights = held.weights === null ? '' : ` with weights ${formatWeights(held.weights)}`;
  const billed = held.billed ? ', billed' : '';
  throw new Refusal(
    'conflict',
    `pool "${held.pool}" stands for ${held.month} with other content: ${formatPico(held.amount)} ${held.currency} by ${held.basis}${weights}${billed}`,
    advise`take it back first with ${{ operation: 'allocate reverse', pool: held.pool, month: held.month }}, then allocate again; or name another pool`,
  );
}

interface Divided {
  readonly request: PoolRequest;
  readonly revision: number;
  readonly cache: ReferenceCache;
  readonly consumed: readonly Consumption[];
  /** The total is in the units of the basis. */
  readonly weightTotal: string;
  readonly entries: readonly NewEntry[];
  readonly notes: readonly string[];
}

async function divide(
  transaction: Transaction,
  of: { readonly request: PoolRequest; readonly revision: number; readonly now: InstantMs },
): Promise<Divided> {
  const { request, revision } = of;
  const { month, billed: succeeded, currency } = request;
  const all = await readConsumption(transaction, { month, succeeded });
  const consumed = all.filter((one) => one.currency === currency);
  const weighed = consumed.map((one) => weightOf(one, request.basis, request.weights));
  const shares = dividePool(request.amount, weighed);
  if (shares.length === 0) refuseWithoutUsage(request, all);
  const cache = new ReferenceCache();
  await cache.refresh(transaction, new Set(shares.map(({ tenantId }) => tenantId)), of.now);
  const weightTotal = formatWeight(
    shares.reduce((sum, { weight }) => sum + weight, 0n),
    request.basis,
  );
  const division = { pool: request, note: request.note, revision, weightTotal };
  const endsAt = new Map(consumed.map((one) => [one.tenantId, one.endsAt]));
  const placed = shares.map((each) => {
    // The last moment of the period: what the share rests on is whole then, and it is still inside.
    const occurredAt = present(endsAt.get(each.tenantId), 'the end of the period') - 1;
    const placement = placeUsage(cache.tenant(each.tenantId), occurredAt);
    const share = shareEntry(division, each, { occurredAt, placement });
    return { share, paysNow: otherCurrencyThan(cache, share, placement) };
  });
  refuseToBill(placed);
  const entries = placed.map(({ share }) => share);
  const notes = notesOf(request, { all, shares, entries });
  return { request, revision, cache, consumed, weightTotal, entries, notes };
}

function refuseWithoutUsage(request: PoolRequest, all: readonly Consumption[]): never {
  const what = request.billed ? 'successful calls' : 'calls that reached a provider';
  const others = [...new Set(all.map((one) => one.currency))].filter(
    (currency) => currency !== request.currency,
  );
  const elsewhere = others.length === 0 ? '' : `; there is usage in ${others.join(', ')}`;
  const used = request.basis === 'direct' ? 'any direct cost' : UNIT_NAMES[request.basis];
  throw new Refusal(
    'incomplete',
    `nobody has ${used} in ${request.currency} in the periods that begin in ${request.month}: no ${what} weigh anything${elsewhere}`,
    'check the month and the currency, or divide by another basis',
  );
}

/** A share beside the currency of the period that would take it, where that is another. */
interface PlacedShare {
  readonly share: Pick<NewEntry, 'tenantId' | 'currency'>;
  readonly paysNow: string | null;
}

function refuseToBill(placed: readonly PlacedShare[]): void {
  const [first, ...others] = placed.filter(({ paysNow }) => paysNow !== null);
  if (first === undefined) return;
  const { tenantId, currency } = first.share;
  throw new Refusal(
    'conflict',
    `the share of tenant "${tenantId}" would be billed late in ${currency}, and the tenant pays in ${first.paysNow} now; one period cannot hold both${alike(others)}`,
    advise`allocate the pool without billing it, and charge each of its tenants in the currency that it pays in now with ${{ operation: 'adjust' }}`,
  );
}

function refuseToTakeBack(placed: readonly PlacedShare[]): void {
  const [first, ...others] = placed.filter(({ paysNow }) => paysNow !== null);
  if (first === undefined) return;
  const { tenantId, currency } = first.share;
  throw new Refusal(
    'conflict',
    `the share of tenant "${tenantId}" was billed in ${currency}, and the tenant pays in ${first.paysNow} now; one period cannot hold both${alike(others)}`,
    advise`let the pool stand, and credit each of its tenants in the currency that it pays in now with ${{ operation: 'adjust' }}`,
  );
}

/** All of them are named: who mends one is not to hear of the next. */
function alike(others: readonly PlacedShare[]): string {
  if (others.length === 0) return '';
  const named = others.map(({ share, paysNow }) => `"${share.tenantId}" (${paysNow})`);
  return `; so it is with ${named.join(', ')}`;
}

function refuseUnfinished(divided: Divided, now: InstantMs): void {
  const running = divided.consumed.filter(({ endsAt }) => endsAt > now);
  const [first] = running;
  if (first === undefined) return;
  const rest = running.length - 1;
  const others = rest === 0 ? '' : ` and ${counted(rest, 'other')}`;
  throw new Refusal(
    'too_early',
    `the period of tenant "${first.tenantId}"${others} has not ended (until ${formatInstant(first.endsAt)}); a pool is divided by whole periods`,
    'allocate when every period that begins in the month has ended; a dry run shows the shares so far',
  );
}

/**
 * A share by what is not known would be too small, and all the others too large (R10). In a period that is closed nothing can
 * be known any more, and a note says what weighs nothing.
 */
function refuseUnknownCosts({ request, consumed }: Divided): void {
  const unknown = withoutCosts(request, consumed, 'entriesToCost');
  if (unknown === null) return;
  throw new Refusal(
    'incomplete',
    `a pool is not divided by direct cost while costs are unknown: ${unknown}`,
    advise`import a cost book for these models, with a price of zero where they cost nothing, and run ${{ operation: 'rerate', month: request.month, tenant_id: null }}; or divide by another basis`,
  );
}

async function post(
  transaction: Transaction,
  divided: Divided,
  recordedAt: InstantMs,
): Promise<AllocationAnswer> {
  const { request, revision, cache, entries, weightTotal, notes } = divided;
  const of = { kind: 'allocation' as const, cache, recordedAt };
  const { batchId, ids } = await postOwnEntries(transaction, entries, of);
  await insertPool(transaction, { ...request, revision, batchId, weightTotal, recordedAt });
  const shares = entries.map((entry) => ({ entry, entryId: ids.get(entry) ?? null }));
  return answerOf(request, { state: 'posted', weightTotal, recordedAt, shares, notes });
}

function answerDryRun(divided: Divided): AllocationAnswer {
  const { request, weightTotal, notes } = divided;
  const shares = divided.entries.map((entry) => ({ entry, entryId: null }));
  return answerOf(request, { state: 'dry_run', weightTotal, recordedAt: null, shares, notes });
}

/** A pool that stands rests on the usage as it was; what it would be by the usage of now is noted. */
async function answerStanding(
  transaction: Transaction,
  held: PostedPool,
  state: 'standing' | 'duplicate',
): Promise<AllocationAnswer> {
  const answer = await answerHeld(transaction, held, state);
  const { month, billed: succeeded, currency, basis, weights } = held;
  const all = await readConsumption(transaction, { month, succeeded });
  const consumed = all.filter((one) => one.currency === currency);
  const weighed = consumed.map((one) => weightOf(one, basis, weights));
  return { ...answer, notes: noteOnMoved(answer, dividePool(held.amount, weighed)) };
}

async function answerHeld(
  transaction: Transaction,
  held: Omit<PostedPool, 'isReversal' | 'digest'>,
  state: AllocationAnswer['state'],
): Promise<AllocationAnswer> {
  const entries = await readBatch(transaction, held.batchId);
  const shares = entries.map((entry) => ({ entry, entryId: entry.entryId }));
  return answerOf(held, { ...held, state, shares, notes: [] });
}
