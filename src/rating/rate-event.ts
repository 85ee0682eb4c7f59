import type { InstantMs } from '../clock.ts';
import type {
  AttributionTags,
  EventStatus,
  TokenLayers,
  UsageCounts,
  UsageEvent,
} from '../events/event.ts';
import { isMeasured, totalInput } from '../events/event.ts';
import type { Pico } from '../money.ts';
import type { FurtherUnit, FurtherUnits, UnitName } from '../units.ts';
import { FURTHER_UNITS } from '../units.ts';
import type { FoundCost, FoundRate, PriceCatalog, PriceQuestion } from './books/price-catalog.ts';
import { findCharge, findCost } from './books/price-catalog.ts';
import { convert } from './exchange/exchange-rate.ts';
import type { RatedTokens, UnitAmounts } from './rate-usage.ts';
import { amountOf, isPricedByCall, unpricedUnits } from './rate-usage.ts';
import { scaleLayers } from './scale-layers.ts';
import { splitUsage, WHOLE_CALL } from './split.ts';

/** The reserved tenant to whom an event without a tenant posts (R11). */
export const UNATTRIBUTED = 'unattributed';

export const OUTCOMES = [
  'charged',
  'failed',
  'cancelled',
  'unrated',
  'unmeasured',
  'unattributed',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** The book that a tenant is charged by at an instant, and its currency; null without any book. */
type BookOf = (tenantId: string, at: InstantMs) => AssignedBook | null;

export interface AssignedBook {
  readonly book: string;
  readonly currency: string;
}

/** All that rating needs to know; plain values, so that the same event always gets the same price. */
export interface Pricing {
  readonly catalog: PriceCatalog;
  readonly bookOf: BookOf;
}

/** One tenant's part of one event, priced. */
export interface RatedPart {
  readonly tenantId: string;
  /** '' where the event has no members. */
  readonly memberId: string;
  readonly tags: AttributionTags;
  readonly status: EventStatus;
  readonly usage: UsageCounts;
  readonly callShare: number;
  readonly contextTokens: number;
  /** The counts of the whole call; null where the part is the whole. */
  readonly callUsage: UsageCounts | null;
  readonly layers: TokenLayers | null;
  /** Whether the layers are other than the producer's own counts. */
  readonly layersScaled: boolean;
  readonly outcome: Outcome;
  /** It is null where no rate is known, or nothing was measured (R10). */
  readonly charge: Pico | null;
  /** The units that were counted and have no price in the rate that was found. */
  readonly unpriced: readonly UnitName[];
  readonly cost: Pico | null;
  /** What the requested model would have cost; null where it answered itself or has no cost rate. */
  readonly requestedCost: Pico | null;
  readonly currency: string;
  readonly chargeRate: FoundRate | null;
  readonly costRate: FoundCost | null;
}

/** Currency of what belongs to no tenant, or to a tenant without a book. */
export const DEFAULT_CURRENCY = 'USD';

/**
 * Prices one model call: splits it over its members (R7), charges each on the model requested at its
 * own tenant's rates, and costs it on the model executed (R4). Pure and total.
 */
export function rateEvent(event: UsageEvent, pricing: Pricing): readonly RatedPart[] {
  const contextTokens = totalInput(event.usage);
  const measured = isMeasured(event.usage);
  if (event.members === null) {
    return [ratePart(event, wholeOf(event, { contextTokens, measured }), pricing)];
  }
  const parts = splitUsage(event, event.members);
  const call = { contextTokens, measured, callUsage: event.usage };
  // The producer counted the layers of the whole call, and each member has its share of them.
  const layersScaled =
    event.layers !== null && isScaled(event.layers, scaleLayers(event.layers, event.usage));
  return event.members.map((member, index) => {
    const split = parts[index];
    if (split === undefined) throw new Error(`member ${index} has no part of its call`);
    return { ...ratePart(event, { ...member, ...split, ...call }, pricing), layersScaled };
  });
}

/** The one part of a call that nobody shares. Nearly every event passes here, so that no object is made of others. */
function wholeOf(
  { tags, status, usage }: UsageEvent,
  { contextTokens, measured }: Pick<UnratedPart, 'contextTokens' | 'measured'>,
): UnratedPart {
  return {
    memberId: '',
    tags,
    status,
    usage,
    callShare: WHOLE_CALL,
    contextTokens,
    callUsage: null,
    measured,
  };
}

/** The properties of a call that decide the price of its parts, whether they come from an event or from an entry. */
export type RatedCall = Pick<
  UsageEvent,
  | 'occurredAt'
  | 'provider'
  | 'requestedModel'
  | 'executedModel'
  | 'serviceTier'
  | 'gatewayCache'
  | 'layers'
>;

/** A part before it is priced. */
export interface UnratedPart {
  readonly memberId: string;
  readonly tags: AttributionTags;
  readonly status: EventStatus;
  readonly usage: UsageCounts;
  readonly callShare: number;
  readonly contextTokens: number;
  readonly callUsage: UsageCounts | null;
  /** Whether the call, of which this may be a part of nothing, reported any usage at all (R10). */
  readonly measured: boolean;
}

/** Prices one part of a call. */
export function ratePart(event: RatedCall, part: UnratedPart, pricing: Pricing): RatedPart {
  const tenantId = part.tags.tenantId ?? UNATTRIBUTED;
  const assigned = tenantId === UNATTRIBUTED ? null : pricing.bookOf(tenantId, event.occurredAt);
  const currency = assigned?.currency ?? DEFAULT_CURRENCY;
  const question = questionOf(event, part.contextTokens);
  const executed = event.executedModel ?? question.model;
  const costRate = findCost(
    pricing.catalog,
    currency,
    executed === question.model ? question : { ...question, model: executed },
  );
  const found =
    assigned !== null && part.status === 'ok'
      ? findCharge(pricing.catalog, assigned.book, question)
      : null;
  const amount = found === null ? null : chargeOf(event, part, found);
  const outcome = outcomeOf(part, tenantId, amount);
  const layers = event.layers === null ? null : scaleLayers(event.layers, part.usage);
  return {
    tenantId,
    memberId: part.memberId,
    tags: part.tags,
    status: part.status,
    usage: part.usage,
    callShare: part.callShare,
    contextTokens: part.contextTokens,
    callUsage: part.callUsage,
    layers,
    layersScaled: event.layers !== null && layers !== null && isScaled(event.layers, layers),
    outcome,
    charge: outcome === 'unrated' || outcome === 'unmeasured' ? null : (amount ?? 0n),
    unpriced: outcome === 'unrated' && found !== null ? unpricedOf(part, found) : [],
    cost: costOf(event, part, costRate),
    requestedCost: requestedCostOf(event, part, { catalog: pricing.catalog, currency, question }),
    currency,
    chargeRate: outcome === 'charged' ? found : null,
    costRate,
  };
}

function isScaled(given: TokenLayers, scaled: TokenLayers): boolean {
  return LAYERS.some((layer) => given[layer] !== scaled[layer]);
}

const LAYERS = ['prompt', 'tool', 'memory', 'response'] as const;

function questionOf(event: RatedCall, contextTokens: number): PriceQuestion {
  return {
    provider: event.provider,
    model: event.requestedModel ?? '',
    serviceTier: event.serviceTier,
    contextTokens: BigInt(contextTokens),
    at: event.occurredAt,
  };
}

/** Failure comes first (R3): a failed call without a tenant is failed, and belongs to nobody. */
function outcomeOf(part: UnratedPart, tenantId: string, amount: Pico | null): Outcome {
  if (part.status === 'error') return 'failed';
  if (part.status === 'cancelled') return 'cancelled';
  if (tenantId === UNATTRIBUTED) return 'unattributed';
  if (amount !== null) return 'charged';
  return part.measured ? 'unrated' : 'unmeasured';
}

/**
 * Answers null where something was counted that has no price, or nothing was although it decides the
 * price.
 */
function chargeOf(event: RatedCall, part: UnratedPart, found: FoundRate): Pico | null {
  const { rate, version } = found;
  // A gateway's cache answered: no provider was paid, and pass_through hands that on (R6).
  if (event.gatewayCache !== 'none' && version.caching === 'pass_through') return 0n;
  if (!part.measured && !isPricedByCall(rate)) return null;
  return amountOf(ratedTokens(part), rate, version.caching);
}

function unpricedOf(part: UnratedPart, { rate, version }: FoundRate): readonly UnitName[] {
  return unpricedUnits(ratedTokens(part), rate, version.caching);
}

/** A gateway cache hit costs nothing; so does a call for which the provider reported no tokens. */
function costOf(event: RatedCall, part: UnratedPart, found: FoundCost | null): Pico | null {
  if (event.gatewayCache !== 'none') return 0n;
  const { usage } = part;
  const reachedProvider = part.contextTokens > 0 || usage.output > 0 || usage.units !== null;
  if (part.status !== 'ok' && !reachedProvider) return 0n;
  if (found === null || (!part.measured && !isPricedByCall(found.rate))) return null;
  const amount = amountOf(ratedTokens(part), found.rate, 'pass_through');
  return amount === null || found.conversion === null ? amount : convert(amount, found.conversion);
}

/**
 * The requested cost, beside the cost, says what a fallback to another model gained or lost (R4).
 */
function requestedCostOf(
  event: RatedCall,
  part: UnratedPart,
  of: {
    readonly catalog: PriceCatalog;
    readonly currency: string;
    readonly question: PriceQuestion;
  },
): Pico | null {
  if ((event.executedModel ?? event.requestedModel) === event.requestedModel) return null;
  return costOf(event, part, findCost(of.catalog, of.currency, of.question));
}

function ratedTokens(part: {
  readonly usage: UsageCounts;
  readonly callShare: number;
}): RatedTokens {
  return {
    uncachedInput: BigInt(part.usage.uncachedInput),
    cacheRead: BigInt(part.usage.cacheRead),
    cacheWrite: BigInt(part.usage.cacheWrite),
    output: BigInt(part.usage.output),
    callShare: BigInt(part.callShare),
    units: part.usage.units === null ? null : ratedUnits(part.usage.units),
  };
}

function ratedUnits(units: FurtherUnits): UnitAmounts {
  const rated: Partial<Record<FurtherUnit, bigint>> = {};
  for (const { name } of FURTHER_UNITS) {
    const count = units[name];
    if (count !== undefined) rated[name] = BigInt(count);
  }
  return rated;
}
