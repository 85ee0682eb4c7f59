import type { InstantMs } from '../clock.ts';
import { mayOnlyRead } from '../database/database.ts';
import { inParallel } from '../in-parallel.ts';
import { periodKey } from '../periods/period-key.ts';
import { byTenantAndStart } from '../periods/period-order.ts';
import { watchAnswers } from './answer-watch.ts';
import type { Destination, PushParts } from './destination.ts';
import { ForeignCount, isAddress } from './destination.ts';
import type { Intent } from './intent.ts';
import {
  confirmedSum,
  intendedSum,
  isProven,
  isTakeBack,
  newestAttempt,
  settledSum,
  unseenTakeBack,
} from './intent.ts';
import { markProven, readIntentsOf } from './intent-store.ts';
import type { PushTarget } from './push-target.ts';
import { refuseNothingClosed } from './push-targets.ts';
import { readTargets } from './target-store.ts';

/**
 * The difference says why what the ledger closed, what is confirmed and what was counted differ, or
 * that they do not.
 *
 * | difference         | explained | what is seen                                                            |
 * |--------------------|-----------|-------------------------------------------------------------------------|
 * | none               | yes       | all three are the same                                                  |
 * | shadow             | yes       | metered and stated, never pushed (R19)                                  |
 * | in_flight          | yes       | a request is unanswered; the next push settles it                       |
 * | unanswered         | no        | a request is unanswered for days, in which no push has settled it       |
 * | billed             | yes       | less is counted than is confirmed, and final invoices bill all of it    |
 * | excused            | yes       | final invoices bill what is counted, and a person said what is foreign  |
 * | lag                | yes       | less is counted than is confirmed, and the push is younger than the lag |
 * | missing            | no        | still less is counted, or what was taken back is counted still          |
 * | duplicate          | no        | an identifier's value is counted twice                                  |
 * | foreign_usage      | no        | more is counted than we ever intended, by no value of ours              |
 * | unread             | no        | the count cannot be asked for this one, and has not proven all of it    |
 * | after_finalization | no        | it is counted, and the final invoice lacks it                           |
 * | not_pushed         | no        | the ledger has more than is confirmed, and no request is out            |
 * | invoice_wrong      | no        | it is counted, and an open alert says what is wrong with its invoice    |
 */
export const DIFFERENCES = [
  'none',
  'shadow',
  'not_pushed',
  'in_flight',
  'unanswered',
  'billed',
  'excused',
  'lag',
  'missing',
  'duplicate',
  'after_finalization',
  'foreign_usage',
  'unread',
  'invoice_wrong',
] as const;

type Difference = (typeof DIFFERENCES)[number];

const EXPLAINED: ReadonlySet<Difference> = new Set([
  'none',
  'shadow',
  'in_flight',
  'billed',
  'excused',
  'lag',
]);

/** The result of comparing one period. */
export interface ComparedPeriod {
  readonly tenantId: string;
  readonly periodStart: string;
  readonly currency: string;
  readonly closedMicro: bigint;
  readonly confirmedMicro: bigint;
  /** The part of what is confirmed that a person billed elsewhere. */
  readonly settledMicro: bigint;
  /** What the destinations count together, as they show it; null where none was asked. */
  readonly counted: string | null;
  readonly difference: Difference;
  readonly isExplained: boolean;
  /** The reason why its count could not be asked for, with the remedy; null where it could. */
  readonly unread: string | null;
  /** Identifiers of what was answered and is in no count, or in none any more: a person may have each told again. */
  readonly absent: readonly string[];
}

const PARALLEL_READS = 8;

/** A final invoice that bills what was told has counted it, whatever became of the count. */
const PROVEN: ReadonlySet<Difference> = new Set(['none', 'billed', 'excused']);

/**
 * Puts side by side what the ledger closed, what we know to be delivered, and what the destinations
 * count, for each tenant of a month. One read for each live tenant. What is found in order is kept as
 * proof, which releases the tenant's invoice. A tenant whose count is refused hides no other's.
 */
export async function comparePeriods(
  parts: PushParts,
  { month, tenant_id: tenantId }: { readonly month: string; readonly tenant_id: string | null },
  onProgress?: (done: number, all: number) => void,
): Promise<readonly ComparedPeriod[]> {
  const { database, destinations, clock } = parts;
  const targets = await readTargets(database, { month, tenantId });
  if (targets.length === 0) refuseNothingClosed(month);
  const intents = await readIntentsOf(database, targets);
  const billed = new Map<Destination, ReadonlyMap<string, bigint>>();
  for (const destination of destinations) {
    billed.set(destination, await destination.readBilled({ month, tenantId }));
  }
  const rows: ComparedPeriod[] = [];
  const answers = watchAnswers();
  await inParallel(targets, PARALLEL_READS, async (target) => {
    const own = intents.get(periodKey(target)) ?? [];
    const counts: Count[] = [];
    let unread: string | null = null;
    for (const destination of destinationsToAsk(destinations, target, own)) {
      const counted = await countOf(destination, target, own).catch(answers.reasonOf);
      if (counted === null) continue;
      if (typeof counted === 'string') {
        unread = counted;
        continue;
      }
      answers.answered();
      const onInvoices = billed.get(destination)?.get(periodKey(target)) ?? null;
      const told = confirmedSum(own.filter(({ destination: kind }) => kind === destination.kind));
      const { countsWithinMs: lagMs } = destination.memory;
      const isExcused =
        isBeyond({ counted, told, billed: onInvoices }) && (await destination.isExcused(target));
      counts.push({ counted, told, billed: onInvoices, lagMs, isExcused });
    }
    const row = comparePeriod({ target, intents: own, counts, unread, now: clock() });
    if (counts.length > 0 && PROVEN.has(row.difference)) await keepProof(parts, own);
    rows.push(row);
    onProgress?.(rows.length, targets.length);
  });
  answers.end();
  return rows.sort(byTenantAndStart);
}

/** The same where no destination can be asked: what was proven before stays proven, and the rest is unread. */
export async function compareUnasked(
  { database, clock }: Pick<PushParts, 'database' | 'clock'>,
  { month, tenant_id: tenantId }: { readonly month: string; readonly tenant_id: string | null },
  unread: string,
): Promise<readonly ComparedPeriod[]> {
  const targets = await readTargets(database, { month, tenantId });
  if (targets.length === 0) refuseNothingClosed(month);
  const intents = await readIntentsOf(database, targets);
  const rows = targets.map((target) => {
    const own = intents.get(periodKey(target)) ?? [];
    return comparePeriod({ target, intents: own, counts: [], unread, now: clock() });
  });
  return rows.sort(byTenantAndStart);
}

/**
 * Chooses the destinations that the period was told to, or is about to be. Where no intent was ever made, the
 * preferred one, for somebody else's usage: nothing of ours is there, of an idle tenant neither. What a person
 * settled before anything was sent was told to none: they have said who bills it.
 */
function destinationsToAsk(
  destinations: readonly Destination[],
  target: PushTarget,
  intents: readonly Intent[],
): readonly Destination[] {
  if (intents.length > 0) {
    const told = intents.filter((intent) => !isWithdrawn(intent));
    return destinations.filter(({ kind }) => told.some((intent) => intent.destination === kind));
  }
  return target.mode === 'live' ? destinations.slice(0, 1) : [];
}

/** It was never sent and never will be: whatever is counted at its address, nothing of it is ours. */
function isWithdrawn({ state, attempts }: Intent): boolean {
  return state === 'missing' && attempts === 0;
}

/** Usage stands where it was told, even if the tenant has been given another customer since. */
async function countOf(
  destination: Destination,
  target: PushTarget,
  intents: readonly Intent[],
): Promise<bigint | ForeignCount | null> {
  const told = intents.filter((intent) => intent.destination === destination.kind).at(-1);
  const address = told ?? destination.describe(target);
  if (!isAddress(address)) return null;
  const { tenantId, periodStart, startsAt, endsAt } = target;
  const { customer, channel } = address;
  return destination
    .readCount({ tenantId, periodStart, startsAt, endsAt, customer, channel, mayBeOld: true })
    .catch(asForeign);
}

/** A foreign count is one tenant's difference, and hides no other's. */
function asForeign(error: unknown): ForeignCount {
  if (error instanceof ForeignCount) return error;
  throw error;
}

async function keepProof(
  { database, clock }: PushParts,
  intents: readonly Intent[],
): Promise<void> {
  const unproven = unprovenOf(intents);
  if (unproven.length === 0) return;
  const identifiers = unproven.map((intent) => intent.identifier);
  try {
    await markProven(database, identifiers, clock());
  } catch (error) {
    // An auditor finds it in order, and keeps nothing.
    if (!mayOnlyRead(error)) throw error;
  }
}

function unprovenOf(intents: readonly Intent[]): readonly Intent[] {
  return intents.filter(({ state, provenAt }) => state === 'confirmed' && provenAt === null);
}

/**
 * What no count has shown; where there is none of that, what all counts together lack and showed before, as of an item that
 * was deleted: the one that comes to it, or each where nothing is counted.
 */
function absentOf(intents: readonly Intent[], counts: readonly Count[]): readonly Intent[] {
  const unproven = unprovenOf(intents);
  if (unproven.length > 0 || counts.length === 0) return unproven;
  const lacking = counts.reduce((sum, { told }) => sum + told, 0n) - sumOf(counts);
  const shown = intents.filter(({ state, attempts }) => state === 'confirmed' && attempts > 0);
  const one = shown.filter(({ valueMicro }) => valueMicro === lacking).slice(-1);
  const isNothingThere = sumOf(counts) === 0n && !shown.some(isTakeBack);
  return one.length === 0 && isNothingThere ? shown : one;
}

/** What one destination counts of a period, and what its final invoices bill; null while none is final. */
interface Count {
  readonly counted: bigint | ForeignCount;
  /** What is confirmed as told there. */
  readonly told: bigint;
  readonly billed: bigint | null;
  /** The time that its count may lag behind what it was told. */
  readonly lagMs: number;
  /** Whether a person has said what it is that is counted, and billed, beyond what was told. */
  readonly isExcused?: boolean;
}

/** Whether more is counted than was told, and no more than final invoices bill, as far as that is still compared. */
function isBeyond({ counted, told, billed }: Pick<Count, 'counted' | 'told' | 'billed'>): boolean {
  if (counted instanceof ForeignCount) return false;
  return told < counted && (billed === null || counted <= billed);
}

interface Compared {
  readonly target: PushTarget;
  readonly intents: readonly Intent[];
  /** The counts are those of the destinations that were asked. */
  readonly counts: readonly Count[];
  readonly unread?: string | null;
  readonly now: InstantMs;
}

/** Compares the figures of a period and classifies how they differ. Pure. */
export function comparePeriod(given: Compared): ComparedPeriod {
  const { target, intents, counts, unread = null } = given;
  const difference = classify(withoutSettled(given));
  return {
    tenantId: target.tenantId,
    periodStart: target.periodStart,
    currency: target.currency,
    closedMicro: target.billableMicro,
    confirmedMicro: confirmedSum(intents),
    settledMicro: settledSum(intents),
    counted: counts.length === 0 ? null : shownOf(counts),
    difference,
    isExplained: EXPLAINED.has(difference),
    unread,
    absent: absentOf(intents, counts).map(({ identifier }) => identifier),
  };
}

/** An amount that a person billed elsewhere is counted nowhere: only the rest of the period is compared. */
function withoutSettled(given: Compared): Compared {
  const { target } = given;
  const intents = given.intents.filter(({ destination }) => destination !== 'settled');
  const settled = settledSum(given.intents);
  return {
    ...given,
    intents,
    target: { ...target, billableMicro: target.billableMicro - settled },
  };
}

/** A count that is not ours is shown as it is; it can be added to nothing. */
function shownOf(counts: readonly Count[]): string {
  const foreign = counts.find(({ counted }) => counted instanceof ForeignCount)?.counted;
  return foreign instanceof ForeignCount ? foreign.shown : String(sumOf(counts));
}

function sumOf(counts: readonly Count[]): bigint {
  return counts.reduce(
    (sum, { counted }) => (counted instanceof ForeignCount ? sum : sum + counted),
    0n,
  );
}

function classify({ target, intents, counts, unread = null, now }: Compared): Difference {
  if (target.mode === 'shadow' && intents.length === 0) return 'shadow';
  // What a count has proven stays proven, whatever became of the customer.
  if (unread !== null) {
    if (intents.length === 0) return target.billableMicro === 0n ? 'none' : 'not_pushed';
    return isProven(target.billableMicro, intents) ? 'none' : 'unread';
  }
  if (counts.length === 0) return target.billableMicro === 0n ? 'none' : 'not_pushed';
  if (counts.some(({ counted }) => counted instanceof ForeignCount)) return 'foreign_usage';
  const counted = sumOf(counts.map(ownOf));
  const confirmed = confirmedSum(intents);
  // After a restore the count may hold an amount this ledger never sent; then it equals what is due.
  const isRestored = counted === target.billableMicro && confirmed < counted;
  const tried = intents.filter(isTried);
  const most = intendedSum(tried) + unseenTakeBack(tried);
  if (counted > most && !isRestored) {
    return isDuplicate(intents, counted - most) ? 'duplicate' : 'foreign_usage';
  }
  if (intents.some(isInFlight)) {
    return sinceAttempt(intents, now) < LONGEST_FLIGHT_MS ? 'in_flight' : 'unanswered';
  }
  if (confirmed !== target.billableMicro) return 'not_pushed';
  if (counts.some(isShortOnInvoice)) return 'after_finalization';
  if (counted === confirmed) return counts.some(({ isExcused }) => isExcused) ? 'excused' : 'none';
  if (counts.every(isCountedOrBilled)) return 'billed';
  const lagMs = Math.max(...counts.map((count) => count.lagMs));
  return sinceAttempt(intents, now) < lagMs ? 'lag' : 'missing';
}

/** The excused part of a count is not our usage: the rest is what was told. */
function ownOf(count: Count): Count {
  return count.isExcused === true ? { ...count, counted: count.told } : count;
}

/** An attempt that is in the future was made by a clock that has been set back since, and explains nothing forever. */
function sinceAttempt(intents: readonly Intent[], now: InstantMs): number {
  return Math.abs(now - newestAttempt(intents));
}

/** Two days decide any request, by an answer or by its lasting absence; a third is for a push to run. */
const LONGEST_FLIGHT_MS = 3 * 24 * 60 * 60 * 1000;

function isInFlight(intent: Intent): boolean {
  return intent.state === 'sent' || intent.state === 'ambiguous';
}

/**
 * Tells whether the excess is made of values that we did send, each once more: an identifier that
 * was counted again after it had been forgotten, or one that turned up after it was given up as
 * missing.
 */
function isDuplicate(intents: readonly Intent[], excess: bigint): boolean {
  const sent = intents.filter(isTried);
  let sums = new Set([0n]);
  for (const { valueMicro } of sent.slice(-MOST_INTENTS_COMBINED)) {
    sums = new Set([...sums, ...[...sums].map((sum) => sum + valueMicro)]);
  }
  return sums.has(excess);
}

function isTried({ state, attempts }: Intent): boolean {
  return !(state === 'pending' && attempts === 0);
}

/** A period has one intent, rarely two; beyond so many the combinations would say nothing. */
const MOST_INTENTS_COMBINED = 8;

/** What was on its invoice when that became final stays billed, even where the count loses it later. */
function isCountedOrBilled({ counted, told, billed }: Count): boolean {
  return counted === told || billed === told;
}

function isShortOnInvoice({ counted, billed }: Count): boolean {
  return billed !== null && !(counted instanceof ForeignCount) && billed < counted;
}
