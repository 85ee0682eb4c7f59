import type { InstantMs } from '../clock.ts';

/**
 * A usage event after reading: what any producer said about one span, in one shape. Token counts are
 * whole numbers in disjoint buckets (R5); an absent value is an explicit null.
 */
export interface UsageEvent {
  readonly source: string;
  readonly eventId: string;
  readonly occurredAt: InstantMs;
  readonly startedAt: InstantMs | null;
  readonly status: EventStatus;
  readonly errorType: string | null;
  readonly operation: string;
  readonly provider: string | null;
  /** Null only on structure spans (R1), which are never rated. */
  readonly requestedModel: string | null;
  readonly executedModel: string | null;
  readonly responseId: string | null;
  readonly serviceTier: ServiceTier;
  readonly gatewayCache: GatewayCache;
  readonly attempt: number;
  readonly usage: TokenBuckets;
  readonly usageSource: UsageSource;
  readonly layers: TokenLayers | null;
  readonly tags: AttributionTags;
  readonly furtherTags: Readonly<Record<string, string>>;
  readonly traceId: string | null;
  readonly spanId: string | null;
  readonly parentSpanId: string | null;
  /** Null for an event about one tenant; a batched request (R7) has at least one member. */
  readonly members: readonly EventMember[] | null;
}

export type EventStatus = 'ok' | 'error' | 'cancelled';
export type ServiceTier = 'standard' | 'batch' | 'flex' | 'priority';
export type GatewayCache = 'none' | 'exact' | 'semantic';

/** `reported` by the provider, `estimated` by the producer, or `assumed` inclusive of cache (R5). */
export type UsageSource = 'reported' | 'estimated' | 'assumed';

/** Disjoint: uncached + cacheRead + cacheWrite is the whole input; reasoning is inside output. */
export interface TokenBuckets {
  readonly uncachedInput: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly output: number;
  readonly reasoning: number;
}

/** Prompt, tool and memory share out the input; response is the output. */
export interface TokenLayers {
  readonly prompt: number;
  readonly tool: number;
  readonly memory: number;
  readonly response: number;
}

export interface AttributionTags {
  readonly tenantId: string | null;
  readonly userId: string | null;
  readonly feature: string | null;
  readonly agentRunId: string | null;
  readonly promptVersion: string | null;
}

export interface EventMember {
  readonly memberId: string;
  readonly status: EventStatus;
  readonly tags: AttributionTags;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly weight: number | null;
}

/** Only these operations make charges (R1); every other span is structure for the run tree. */
const MODEL_CALL_OPERATIONS: ReadonlySet<string> = new Set([
  'chat',
  'text_completion',
  'generate_content',
  'embeddings',
]);

export function isModelCall(event: Pick<UsageEvent, 'operation'>): boolean {
  return MODEL_CALL_OPERATIONS.has(event.operation);
}

/** Input, cache included, as the OpenTelemetry GenAI conventions count it. */
export function totalInput(usage: TokenBuckets): number {
  return usage.uncachedInput + usage.cacheRead + usage.cacheWrite;
}

/** Why an event cannot be posted. The names stand in `audit.quarantine`, and people rely on them. */
export type QuarantineReason =
  | 'not_json'
  | 'unknown_format'
  | 'invalid_field'
  | 'conflict'
  | 'too_large'
  | 'occurred_in_future';
