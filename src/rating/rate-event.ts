import type { InstantMs } from '../clock.ts';
import type {
  AttributionTags,
  EventStatus,
  TokenLayers,
  UsageCounts,
  UsageEvent,
} from '../events/event.ts';
import { totalInput } from '../events/event.ts';
import type { Pico } from '../money.ts';
import type { FoundRate, PriceCatalog, PriceQuestion } from './books/price-catalog.ts';
import { findCharge, findCost } from './books/price-catalog.ts';
import type { RatedTokens } from './rate-usage.ts';
import { rateUsage, sumParts } from './rate-usage.ts';
import { scaleLayers } from './scale-layers.ts';
import { splitUsage, WHOLE_CALL } from './split.ts';

/** Where an event without a tenant posts (R11). */
export const UNATTRIBUTED = 'unattributed';

export type Outcome = 'charged' | 'failed' | 'cancelled' | 'unrated' | 'unattributed';

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
  readonly layers: TokenLayers | null;
  /** Whether the layers are other than the producer's own counts. */
  readonly layersScaled: boolean;
  readonly outcome: Outcome;
  /** Null where no rate is known (R10). */
  readonly charge: Pico | null;
  readonly cost: Pico | null;
  /** What the requested model would have cost; null where it answered itself or has no cost rate. */
  readonly requestedCost: Pico | null;
  readonly currency: string;
  readonly chargeRate: FoundRate | null;
  readonly costRate: FoundRate | null;
}

/** Currency of what belongs to no tenant, or to a tenant without a book. */
export const DEFAULT_CURRENCY = 'USD';

/**
 * Prices one model call: splits it over its members (R7), charges each on the model requested at its
 * own tenant's rates, and costs it on the model executed (R4). Pure and total.
 */
export function rateEvent(event: UsageEvent, pricing: Pricing): readonly RatedPart[] {
  const contextTokens = totalInput(event.usage);
  if (event.members === null) {
    const whole = { memberId: '', tags: event.tags, status: event.status };
    const split = { usage: event.usage, callShare: WHOLE_CALL };
    return [ratePart(event, { ...whole, ...split, contextTokens }, pricing)];
  }
  const parts = splitUsage(event, event.members);
  return event.members.map((member, index) => {
    const split = parts[index];
    if (split === undefined) throw new Error(`member ${index} has no part of its call`);
    return ratePart(event, { ...member, ...split, contextTokens }, pricing);
  });
}

/** What of a call decides the price of its parts, whether it comes from an event or from an entry. */
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
}

/** Prices one part of a call. */
export function ratePart(event: RatedCall, part: UnratedPart, pricing: Pricing): RatedPart {
  const tenantId = part.tags.tenantId ?? UNATTRIBUTED;
  const assigned = tenantId === UNATTRIBUTED ? null : pricing.bookOf(tenantId, event.occurredAt);
  const currency = assigned?.currency ?? DEFAULT_CURRENCY;
  const question = questionOf(event, part.contextTokens);
  const costRate = findCost(pricing.catalog, currency, {
    ...question,
    model: event.executedModel ?? question.model,
  });
  const chargeRate =
    assigned !== null && part.status === 'ok'
      ? findCharge(pricing.catalog, assigned.book, question)
      : null;
  const outcome = outcomeOf(part.status, tenantId, chargeRate);
  const layers = event.layers === null ? null : scaleLayers(event.layers, part.usage);
  return {
    tenantId,
    memberId: part.memberId,
    tags: part.tags,
    status: part.status,
    usage: part.usage,
    callShare: part.callShare,
    contextTokens: part.contextTokens,
    layers,
    layersScaled: isScaled(event.layers, layers),
    outcome,
    charge: chargeOf(event, part, { outcome, chargeRate }),
    cost: costOf(event, part, costRate),
    requestedCost: requestedCostOf(event, part, { catalog: pricing.catalog, currency, question }),
    currency,
    chargeRate,
    costRate,
  };
}

function isScaled(told: TokenLayers | null, scaled: TokenLayers | null): boolean {
  return told !== null && scaled !== null && LAYERS.some((layer) => told[layer] !== scaled[layer]);
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
function outcomeOf(status: EventStatus, tenantId: string, rate: FoundRate | null): Outcome {
  if (status === 'error') return 'failed';
  if (status === 'cancelled') return 'cancelled';
  if (tenantId === UNATTRIBUTED) return 'unattributed';
  return rate === null ? 'unrated' : 'charged';
}

function chargeOf(
  event: RatedCall,
  part: UnratedPart,
  rated: { readonly outcome: Outcome; readonly chargeRate: FoundRate | null },
): Pico | null {
  // Only what succeeded for a tenant has a rate to be charged by.
  if (rated.chargeRate === null) return rated.outcome === 'unrated' ? null : 0n;
  const { rate, version } = rated.chargeRate;
  // A gateway's cache answered: no provider was paid, and pass_through hands that on (R6).
  if (event.gatewayCache !== 'none' && version.caching === 'pass_through') return 0n;
  return sumParts(rateUsage(ratedTokens(part), rate, version.caching));
}

/** A gateway cache hit costs nothing; so does a call for which the provider reported no tokens. */
function costOf(event: RatedCall, part: UnratedPart, found: FoundRate | null): Pico | null {
  if (event.gatewayCache !== 'none') return 0n;
  const reachedProvider = part.contextTokens > 0 || part.usage.output > 0;
  if (part.status !== 'ok' && !reachedProvider) return 0n;
  if (found === null) return null;
  return sumParts(rateUsage(ratedTokens(part), found.rate, 'pass_through'));
}

/** Beside the cost it tells what a fallback to another model gained or lost (R4). */
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
  };
}
