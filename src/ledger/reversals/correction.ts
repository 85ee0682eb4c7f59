import type { AttributionTags, EventStatus, ServiceTier, UsageSource } from '../../events/event.ts';
import { isMeasured } from '../../events/event.ts';
import type { Placement } from '../../periods/placement.ts';
import type { Pricing, RatedPart } from '../../rating/rate-event.ts';
import { ratePart } from '../../rating/rate-event.ts';
import { Refusal } from '../../refusal.ts';
import { refuseWithoutNote } from '../../request.ts';
import { counted } from '../../text/counted.ts';
import type { FurtherUnits } from '../../units.ts';
import { countOnSide, FURTHER_UNITS } from '../../units.ts';
import type { NewEntry, StoredEntry } from '../entries/entry.ts';
import { markRated, reference } from '../entries/entry.ts';

/** What a correction changes of an entry; what is absent stays as it was. */
export interface EntryChange {
  readonly tenantId?: string;
  readonly userId?: string | null;
  readonly feature?: string | null;
  readonly agentRunId?: string | null;
  readonly promptVersion?: string | null;
  readonly status?: EventStatus;
  readonly requestedModel?: string;
  readonly executedModel?: string;
  readonly provider?: string | null;
  readonly serviceTier?: ServiceTier;
  readonly uncachedInputTokens?: number;
  readonly cacheReadTokens?: number;
  readonly cacheWriteTokens?: number;
  readonly outputTokens?: number;
  readonly reasoningTokens?: number;
  /** The units that are named here have other counts, of which 0 takes one away; the rest stay. */
  readonly units?: FurtherUnits;
  readonly usageSource?: UsageSource;
  readonly furtherTags?: NewEntry['furtherTags'];
}

/** The counts that a change may give. */
const COUNTS = [
  'uncachedInputTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'outputTokens',
  'units',
] as const satisfies readonly (keyof EntryChange)[];

/** The reason and the actor; both are kept with every entry of the correction (R13). */
export interface CorrectionNote {
  readonly reason: string;
  readonly actor: string;
}

/** The longest text of each field, as an event may have it. */
const LONGEST = {
  tenantId: 200,
  userId: 200,
  feature: 200,
  agentRunId: 200,
  promptVersion: 200,
  requestedModel: 200,
  executedModel: 200,
  provider: 100,
} as const;

/** What a person calls each field. */
const WORDS = {
  tenantId: 'tenant',
  userId: 'user',
  feature: 'feature',
  agentRunId: 'agent run',
  promptVersion: 'prompt version',
  requestedModel: 'requested model',
  executedModel: 'executed model',
  provider: 'provider',
} as const satisfies Record<keyof typeof LONGEST, string>;

/** Refuses what no event could have said: an entry must stay one that somebody could have reported. */
export function refuseUnfitChange(change: EntryChange): void {
  for (const [field, longest] of Object.entries(LONGEST)) {
    const value = change[field as keyof typeof LONGEST] ?? null;
    if (value === null || (value.length >= 1 && value.length <= longest)) continue;
    throw new Refusal(
      'bad_request',
      `the ${WORDS[field as keyof typeof LONGEST]} would have ${counted(value.length, 'character')}`,
      `give it 1 to ${longest} characters`,
    );
  }
}

/** Refuses a correction of which nobody could say later why it was made, or by whom (R13). */
export function refuseUnfitNote(note: CorrectionNote): void {
  refuseWithoutNote('a correction', note, 'say why it is made, and who makes it');
}

/**
 * Takes an entry back: the same facts with every count and amount negated, in the period that is
 * open now. Entry and reversal sum to nothing.
 */
export function reversalOf(
  entry: StoredEntry,
  note: CorrectionNote,
  placement: Placement,
): NewEntry {
  return changed(entry, {
    revision: entry.revision + 1,
    kind: entry.kind === 'allocation' || entry.kind === 'adjustment' ? entry.kind : 'correction',
    periodStart: placement.period.startDate,
    late: placement.late,
    due: placement.due,
    uncachedInputTokens: -entry.uncachedInputTokens,
    cacheReadTokens: -entry.cacheReadTokens,
    cacheWriteTokens: -entry.cacheWriteTokens,
    outputTokens: -entry.outputTokens,
    reasoningTokens: -entry.reasoningTokens,
    units: entry.units === null ? null : negateUnits(entry.units),
    callShare: -entry.callShare,
    layers:
      entry.layers === null
        ? null
        : {
            prompt: -entry.layers.prompt,
            tool: -entry.layers.tool,
            memory: -entry.layers.memory,
            response: -entry.layers.response,
          },
    charge: negate(entry.charge),
    cost: negate(entry.cost),
    requestedCost: negate(entry.requestedCost),
    reportedCost:
      entry.reportedCost === null
        ? null
        : { ...entry.reportedCost, amount: -entry.reportedCost.amount },
    correctsEntryId: entry.entryId,
    isReversal: true,
    ...note,
  });
}

/**
 * A copy of an entry with other values. It has the shape of every entry that was read, which one that is built of
 * some of its fields has not: a bulk correction makes it in half of the time. The id in it is that of what was read,
 * and nobody looks at it: an entry gets its own when it is posted.
 */
function changed<Change extends Partial<NewEntry>>(
  entry: NewEntry,
  change: Change,
): NewEntry & Change {
  return Object.assign({ ...entry }, change);
}

/**
 * Returns the entry as it should have been, priced anew at the instant at which the call completed.
 */
export function replacementOf(
  entry: StoredEntry,
  change: EntryChange,
  of: { readonly pricing: Pricing; readonly placement: Placement; readonly note: CorrectionNote },
): NewEntry {
  const units = changedUnits(entry.units, change.units);
  const corrected = changed(entry, {
    ...change,
    units,
    // The error was that of a call which did not fail after all.
    ...(change.status === 'ok' ? { errorType: null } : {}),
    revision: entry.revision + 2,
    kind: 'correction' as const,
    contextTokens: contextOf(entry, { ...change, units }),
    // Reasoning is a part of the output (R5), so less output cannot hold more of it.
    reasoningTokens: Math.min(
      change.reasoningTokens ?? entry.reasoningTokens,
      change.outputTokens ?? entry.outputTokens,
    ),
    periodStart: of.placement.period.startDate,
    late: of.placement.late,
    due: of.placement.due,
    correctsEntryId: entry.entryId,
    isReversal: false,
    ...of.note,
  });
  // What was taken for free was not worth asking what it counted; once it is said, that has a price.
  const isFree = isTakenAsFree(entry) && COUNTS.every((count) => change[count] === undefined);
  const price = isFree ? freePriceOf(corrected, of.pricing) : pricedAnew(corrected, of.pricing);
  // Nobody else has the copy yet, and a second one of all fields is felt in a bulk correction.
  return Object.assign(corrected, price);
}

/** Returns the entry as a person takes it: a call that succeeded, and charges nothing (R10). */
export function freeReplacementOf(
  entry: StoredEntry,
  of: { readonly pricing: Pricing; readonly placement: Placement; readonly note: CorrectionNote },
): NewEntry {
  const replacement = replacementOf(entry, {}, of);
  return changed(replacement, freePriceOf(replacement, of.pricing));
}

/** Tells whether a person took the entry for free: it is charged nothing, at no price. */
function isTakenAsFree(
  entry: Pick<NewEntry, 'kind' | 'outcome' | 'chargeRate' | 'isReversal'>,
): boolean {
  const { kind, outcome, chargeRate, isReversal } = entry;
  return kind === 'correction' && !isReversal && outcome === 'charged' && chargeRate === null;
}

type Price = Pick<
  NewEntry,
  | 'outcome'
  | 'charge'
  | 'cost'
  | 'requestedCost'
  | 'currency'
  | 'chargeRate'
  | 'costRate'
  | 'layers'
  | 'furtherTags'
>;

/**
 * Prices an entry's facts as rating prices an event; the entry's own amounts are not looked at. What a
 * person took for free stays so, whatever prices there are since.
 */
export function priceOf(entry: NewEntry, pricing: Pricing): Price {
  return isTakenAsFree(entry) ? freePriceOf(entry, pricing) : pricedAnew(entry, pricing);
}

/** A call that failed after all, or that belongs to nobody, charges nothing for that reason. */
function freePriceOf(entry: NewEntry, pricing: Pricing): Price {
  const price = pricedAnew(entry, pricing);
  const { outcome } = price;
  if (outcome !== 'charged' && outcome !== 'unrated' && outcome !== 'unmeasured') return price;
  return { ...price, outcome: 'charged', charge: 0n, chargeRate: null };
}

function pricedAnew(entry: NewEntry, pricing: Pricing): Price {
  const part = rateEntry(entry, pricing);
  const { outcome, charge, cost, requestedCost, currency, layers } = part;
  const furtherTags = markRated(entry.furtherTags, part);
  const rates = { chargeRate: reference(part.chargeRate), costRate: reference(part.costRate) };
  return { outcome, charge, cost, requestedCost, currency, layers, furtherTags, ...rates };
}

/** Rates an entry's facts; the entry's own amounts are not looked at. */
export function rateEntry(entry: NewEntry, pricing: Pricing): RatedPart {
  return ratePart(
    entry,
    {
      memberId: entry.memberId,
      tags: tagsOf(entry),
      status: entry.status,
      usage: {
        uncachedInput: entry.uncachedInputTokens,
        cacheRead: entry.cacheReadTokens,
        cacheWrite: entry.cacheWriteTokens,
        output: entry.outputTokens,
        reasoning: entry.reasoningTokens,
        units: entry.units,
      },
      callShare: entry.callShare,
      contextTokens: entry.contextTokens,
      callUsage: entry.callUsage,
      measured: isMeasuredCall(entry),
    },
    pricing,
  );
}

/** Picks the tags alone: a copy of all fields for each rating is felt in a bulk correction. */
function tagsOf(entry: NewEntry): AttributionTags {
  const { tenantId, userId, feature, agentRunId, promptVersion } = entry;
  return { tenantId, userId, feature, agentRunId, promptVersion };
}

/**
 * Tells whether anything of the call was counted; a member's part may be nothing of a call that
 * was.
 */
function isMeasuredCall(entry: NewEntry): boolean {
  if (entry.callUsage !== null && isMeasured(entry.callUsage)) return true;
  const counts = [
    entry.uncachedInputTokens,
    entry.cacheReadTokens,
    entry.cacheWriteTokens,
    entry.outputTokens,
    entry.contextTokens,
  ];
  return entry.units !== null || counts.some((count) => count !== 0);
}

/** A call that was not split has its own input as its context; a member keeps the whole call's. */
function contextOf(
  entry: StoredEntry,
  change: Omit<EntryChange, 'units'> & Pick<NewEntry, 'units'>,
): number {
  if (entry.memberId !== '') return entry.contextTokens;
  const { uncachedInputTokens, cacheReadTokens, cacheWriteTokens, units } = { ...entry, ...change };
  return uncachedInputTokens + cacheReadTokens + cacheWriteTokens + countOnSide(units, 'input');
}

/** Returns the units of an entry after a change; those that count nothing are left out. */
function changedUnits(
  held: FurtherUnits | null,
  change: FurtherUnits | undefined,
): FurtherUnits | null {
  if (change === undefined) return held;
  const counts = { ...held, ...change };
  const counted = FURTHER_UNITS.filter(({ name }) => (counts[name] ?? 0) !== 0);
  if (counted.length === 0) return null;
  return Object.fromEntries(counted.map(({ name }) => [name, counts[name]]));
}

function negateUnits(units: FurtherUnits): FurtherUnits {
  return Object.fromEntries(Object.entries(units).map(([unit, count]) => [unit, -count]));
}

function negate(amount: bigint | null): bigint | null {
  return amount === null ? null : -amount;
}
