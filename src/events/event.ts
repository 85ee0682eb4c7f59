import type { InstantMs } from '../clock.ts';
import type { Pico } from '../money.ts';
import type { FurtherUnits } from '../units.ts';
import { countOnSide } from '../units.ts';

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
  /** It is null only on structure spans (R1), which are never rated. */
  readonly requestedModel: string | null;
  readonly executedModel: string | null;
  readonly responseId: string | null;
  readonly serviceTier: ServiceTier;
  readonly gatewayCache: GatewayCache;
  readonly attempt: number;
  readonly usage: UsageCounts;
  readonly usageSource: UsageSource;
  /** The cost of the call according to the producer: evidence that decides nothing (R22). */
  readonly reportedCost: ReportedCost | null;
  /** The gateway's id of one call over its attempts and reports (R8). */
  readonly callId: string | null;
  /** The hold of a budget that this call settles (R23). */
  readonly holdId: string | null;
  readonly layers: TokenLayers | null;
  readonly tags: AttributionTags;
  readonly furtherTags: Readonly<Record<string, string>>;
  readonly traceId: string | null;
  readonly spanId: string | null;
  readonly parentSpanId: string | null;
  /** It is null for an event about one tenant; a batched request (R7) has at least one member. */
  readonly members: readonly EventMember[] | null;
}

export type EventStatus = 'ok' | 'error' | 'cancelled';
export type ServiceTier = 'standard' | 'batch' | 'flex' | 'priority';
export type GatewayCache = 'none' | 'exact' | 'semantic';

/** `reported` by the provider, `estimated` by the producer, or `assumed` inclusive of cache (R5). */
export type UsageSource = 'reported' | 'estimated' | 'assumed';

/**
 * Counts in disjoint units (R21): no token is counted in two of them. Text stands in fields, since
 * every call has it; reasoning alone is no unit of its own, but a part of the text output.
 */
export interface UsageCounts {
  readonly uncachedInput: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly output: number;
  readonly reasoning: number;
  /** Every other unit; null, as it nearly always is, where none was counted. */
  readonly units: FurtherUnits | null;
}

export interface ReportedCost {
  readonly amount: Pico;
  /** ISO 4217. */
  readonly currency: string;
  /** The producer that says so, such as `litellm`. */
  readonly source: string;
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

/** Kinds of call that a provider takes money for (R1). */
const MODEL_CALLS: ReadonlySet<string> = new Set([
  'chat',
  'text_completion',
  'completion',
  'generate_content',
  'response',
  'embeddings',
  'image',
  'speech',
  'transcription',
  'translation',
  'rerank',
  'moderation',
  'realtime',
  'video',
  'search',
]);

/**
 * Spans around calls, and second reports of them that a translation found: they repeat the usage of
 * others, and never make a charge (R1).
 */
const WRAPPERS: ReadonlySet<string> = new Set([
  'invoke_agent',
  'create_agent',
  'invoke_workflow',
  'execute_tool',
  'agent',
  'workflow',
  'step',
  'tool',
  'chain',
  'duplicate_report',
  // A span of a program that has to do with no model, between two that may have.
  'program_span',
]);

/**
 * Tells whether an event makes a charge. An operation that nobody listed is a call where it carries
 * usage or a model, and then waits for a price; what has neither is structure for the run tree
 * (R1).
 */
export function isModelCall(
  event: Pick<UsageEvent, 'operation' | 'requestedModel' | 'usage'>,
): boolean {
  if (MODEL_CALLS.has(event.operation)) return true;
  if (WRAPPERS.has(event.operation)) return false;
  return event.requestedModel !== null || isMeasured(event.usage);
}

/** Tells whether anything at all was counted; no measure is not a measure of zero (R10). */
export function isMeasured(usage: UsageCounts): boolean {
  return (
    usage.units !== null || usage.output > 0 || usage.uncachedInput > 0 || totalInput(usage) > 0
  );
}

/**
 * Returns the whole input in tokens, cache included, as the OpenTelemetry GenAI conventions count
 * it.
 */
export function totalInput(usage: UsageCounts): number {
  const text = usage.uncachedInput + usage.cacheRead + usage.cacheWrite;
  return usage.units === null ? text : text + countOnSide(usage.units, 'input');
}

/** Returns the whole output in tokens, whatever they carry. */
export function totalOutput(usage: UsageCounts): number {
  return usage.units === null ? usage.output : usage.output + countOnSide(usage.units, 'output');
}

/**
 * The reason why an event cannot be posted. The names stand in `audit.quarantine`, and people rely
 * on them.
 */
export type QuarantineReason =
  | 'not_json'
  | 'unknown_format'
  | 'invalid_field'
  | 'conflict'
  | 'too_large'
  | 'occurred_in_future'
  | 'occurred_too_early'
  | 'not_understood';
