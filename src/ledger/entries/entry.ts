import type { InstantMs } from '../../clock.ts';
import type {
  EventStatus,
  GatewayCache,
  ReportedCost,
  ServiceTier,
  TokenLayers,
  UsageCounts,
  UsageEvent,
  UsageSource,
} from '../../events/event.ts';
import type { Pico } from '../../money.ts';
import type { Placement } from '../../periods/placement.ts';
import type { Outcome, RatedPart } from '../../rating/rate-event.ts';
import type { FurtherUnits } from '../../units.ts';

/**
 * One row of the ledger before it has its id: one tenant's part of one event, a correction, or an
 * allocation. Its identity is (tenantId, source, eventId, memberId, revision), unique for ever (R9).
 */
export interface NewEntry {
  readonly tenantId: string;
  readonly source: string;
  readonly eventId: string;
  /** '' where the event has no members. */
  readonly memberId: string;
  /** The revision is 0 for usage; a correction of the same identity counts on. */
  readonly revision: number;
  readonly kind: 'usage' | 'correction' | 'allocation' | 'adjustment';
  readonly outcome: Outcome;
  readonly status: EventStatus;
  readonly errorType: string | null;
  readonly occurredAt: InstantMs;
  readonly startedAt: InstantMs | null;
  readonly periodStart: string;
  readonly late: boolean;
  /** False for what belongs to a period that was closed in shadow: no bill takes it in (R19). */
  readonly due: boolean;
  readonly operation: string;
  readonly provider: string | null;
  readonly requestedModel: string;
  readonly executedModel: string;
  readonly responseId: string | null;
  /**
   * Another report of its tenant has the same response, or one of the same hash, and posting looked at both (R8). It
   * is in no hash itself.
   */
  readonly sharesResponse: boolean;
  readonly serviceTier: ServiceTier;
  readonly gatewayCache: GatewayCache;
  /** Whole tokens in disjoint buckets; negative in a reversal. */
  readonly uncachedInputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  /** Every other unit, disjoint from text; null where there is none. Negative in a reversal. */
  readonly units: FurtherUnits | null;
  /** The whole call's input, which decides a context-length rate. */
  readonly contextTokens: number;
  /** Millionths of the call. */
  readonly callShare: number;
  /** The counts of the whole call, where the entry is a member's (R7). */
  readonly callUsage: UsageCounts | null;
  readonly usageSource: UsageSource;
  readonly layers: TokenLayers | null;
  /** It is null where no rate is known (R10). */
  readonly charge: Pico | null;
  readonly cost: Pico | null;
  readonly requestedCost: Pico | null;
  /** The cost of the call according to the producer: evidence beside our own cost (R22). */
  readonly reportedCost: ReportedCost | null;
  readonly currency: string;
  readonly chargeRate: RateReference | null;
  readonly costRate: RateReference | null;
  readonly userId: string | null;
  readonly feature: string | null;
  readonly agentRunId: string | null;
  readonly promptVersion: string | null;
  readonly furtherTags: Readonly<Record<string, string>>;
  readonly traceId: string | null;
  readonly spanId: string | null;
  readonly parentSpanId: string | null;
  readonly attempt: number;
  /** The gateway's id of one call over its attempts and reports (R8). */
  readonly callId: string | null;
  readonly correctsEntryId: bigint | null;
  /** It is true of the entry of a correction that takes the corrected entry back. */
  readonly isReversal: boolean;
  readonly reason: string | null;
  /** The person or program that posted a correction or an allocation. */
  readonly actor: string | null;
  readonly eventDigest: Buffer;
}

/** An entry as the ledger holds it. */
export interface StoredEntry extends NewEntry {
  readonly entryId: bigint;
}

/** The book version and the row in it behind an amount (R15). */
export interface RateReference {
  readonly book: string;
  readonly version: InstantMs;
  readonly rateId: bigint;
}

/** Makes the entry of one priced part of an event, placed in its tenant's period. */
export function usageEntry(options: {
  readonly event: UsageEvent;
  readonly digest: Buffer;
  readonly part: RatedPart;
  readonly placement: Placement;
}): NewEntry {
  const { event, part, placement } = options;
  return {
    tenantId: part.tenantId,
    source: event.source,
    eventId: event.eventId,
    memberId: part.memberId,
    revision: 0,
    kind: 'usage',
    outcome: part.outcome,
    status: part.status,
    errorType: event.errorType,
    occurredAt: event.occurredAt,
    startedAt: event.startedAt,
    periodStart: placement.period.startDate,
    late: placement.late,
    due: placement.due,
    operation: event.operation,
    provider: event.provider,
    requestedModel: event.requestedModel ?? '',
    executedModel: event.executedModel ?? event.requestedModel ?? '',
    responseId: event.responseId,
    sharesResponse: false,
    serviceTier: event.serviceTier,
    gatewayCache: event.gatewayCache,
    uncachedInputTokens: part.usage.uncachedInput,
    cacheReadTokens: part.usage.cacheRead,
    cacheWriteTokens: part.usage.cacheWrite,
    outputTokens: part.usage.output,
    reasoningTokens: part.usage.reasoning,
    units: part.usage.units,
    contextTokens: part.contextTokens,
    callShare: part.callShare,
    callUsage: part.callUsage,
    usageSource: event.usageSource,
    layers: part.layers,
    charge: part.charge,
    cost: part.cost,
    requestedCost: part.requestedCost,
    reportedCost: event.reportedCost,
    currency: part.currency,
    chargeRate: reference(part.chargeRate),
    costRate: reference(part.costRate),
    userId: part.tags.userId,
    feature: part.tags.feature,
    agentRunId: part.tags.agentRunId,
    promptVersion: part.tags.promptVersion,
    furtherTags: markRated(event.furtherTags, part),
    traceId: event.traceId,
    spanId: event.spanId,
    parentSpanId: event.parentSpanId,
    attempt: event.attempt,
    callId: event.callId,
    correctsEntryId: null,
    isReversal: false,
    reason: null,
    actor: null,
    eventDigest: options.digest,
  };
}

/** What an entry says of a call where there was none: a share of a pool, or an adjustment. */
export const ENTRY_WITHOUT_A_CALL = {
  memberId: '',
  status: 'ok',
  errorType: null,
  startedAt: null,
  provider: null,
  responseId: null,
  sharesResponse: false,
  serviceTier: 'standard',
  gatewayCache: 'none',
  uncachedInputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  units: null,
  contextTokens: 0,
  callShare: 0,
  callUsage: null,
  usageSource: 'reported',
  layers: null,
  requestedCost: null,
  reportedCost: null,
  chargeRate: null,
  costRate: null,
  userId: null,
  feature: null,
  agentRunId: null,
  promptVersion: null,
  traceId: null,
  spanId: null,
  parentSpanId: null,
  attempt: 1,
  callId: null,
  correctsEntryId: null,
  isReversal: false,
} as const;

/**
 * The further tag of an entry whose layers are shares of its usage, because the producer's own counts
 * did not sum to it. A tag, so that it stays with the entry through every correction.
 */
export const LAYERS_SOURCE = 'layers_source';
export const SCALED = 'scaled';

/**
 * The further tag of an entry whose cost was converted: the version of the rates, by which it recomputes. A
 * producer's own tag of that name is not kept, since it would be taken for one.
 */
export const COST_EXCHANGE = 'cost_exchange';

/** The tags of a part with what rating has to say in them, and nobody else. */
export function markRated(
  tags: NewEntry['furtherTags'],
  part: Pick<RatedPart, 'layersScaled' | 'costRate'>,
): NewEntry['furtherTags'] {
  const marked = part.layersScaled ? markScaled(tags) : tags;
  const version = part.costRate?.conversion?.versionId;
  if (version !== undefined) return { ...marked, [COST_EXCHANGE]: String(version) };
  if (marked[COST_EXCHANGE] === undefined) return marked;
  const { [COST_EXCHANGE]: _, ...others } = marked;
  return others;
}

function markScaled(tags: NewEntry['furtherTags']): NewEntry['furtherTags'] {
  return { ...tags, [LAYERS_SOURCE]: SCALED };
}

export function reference(found: RatedPart['chargeRate']): RateReference | null {
  if (found === null) return null;
  const { version, rate } = found;
  return { book: version.book, version: version.effectiveFrom, rateId: rate.rateId };
}
