import { formatInstant } from '../clock.ts';
import type { NewEntry, RateReference } from './entry.ts';

/** The columns of an entry in the order in which `copyLine` writes them. */
export const COPY_COLUMNS = `tenant_id, source, event_id, member_id, revision, entry_id, kind, outcome,
  status, error_type, occurred_at, started_at, recorded_at, period_start, late, operation, provider,
  requested_model, executed_model, response_id, service_tier, gateway_cache, uncached_input_tokens,
  cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, context_tokens, call_share,
  usage_source, layer_prompt_tokens, layer_tool_tokens, layer_memory_tokens, layer_response_tokens,
  charge, cost, requested_cost, currency, charge_book, charge_version, charge_rate_id, cost_book, cost_version,
  cost_rate_id, user_id, feature, agent_run_id, prompt_version, further_tags, trace_id, span_id,
  parent_span_id, attempt, corrects_entry_id, is_reversal, reason, actor, event_digest`;

/** One entry in the text format of Postgres's COPY: columns by tabs, `\N` for null. */
export function copyLine(
  entry: NewEntry,
  given: { readonly entryId: bigint; readonly recordedAt: string },
): string {
  const columns = [
    escapeText(entry.tenantId),
    escapeText(entry.source),
    escapeText(entry.eventId),
    escapeText(entry.memberId),
    entry.revision,
    given.entryId,
    entry.kind,
    entry.outcome,
    entry.status,
    text(entry.errorType),
    formatInstant(entry.occurredAt),
    entry.startedAt === null ? NULL : formatInstant(entry.startedAt),
    given.recordedAt,
    entry.periodStart,
    entry.late ? 't' : 'f',
    escapeText(entry.operation),
    text(entry.provider),
    escapeText(entry.requestedModel),
    escapeText(entry.executedModel),
    text(entry.responseId),
    entry.serviceTier,
    entry.gatewayCache,
    entry.uncachedInputTokens,
    entry.cacheReadTokens,
    entry.cacheWriteTokens,
    entry.outputTokens,
    entry.reasoningTokens,
    entry.contextTokens,
    entry.callShare,
    entry.usageSource,
    entry.layers?.prompt ?? NULL,
    entry.layers?.tool ?? NULL,
    entry.layers?.memory ?? NULL,
    entry.layers?.response ?? NULL,
    entry.charge ?? NULL,
    entry.cost ?? NULL,
    entry.requestedCost ?? NULL,
    entry.currency,
    ...rateColumns(entry.chargeRate),
    ...rateColumns(entry.costRate),
    text(entry.userId),
    text(entry.feature),
    text(entry.agentRunId),
    text(entry.promptVersion),
    tags(entry.furtherTags),
    text(entry.traceId),
    text(entry.spanId),
    text(entry.parentSpanId),
    entry.attempt,
    entry.correctsEntryId ?? NULL,
    entry.isReversal ? 't' : 'f',
    text(entry.reason),
    text(entry.actor),
    `\\\\x${entry.eventDigest.toString('hex')}`,
  ];
  return `${columns.join('\t')}\n`;
}

const NULL = '\\N';

function rateColumns(rate: RateReference | null): (string | bigint)[] {
  if (rate === null) return [NULL, NULL, NULL];
  return [escapeText(rate.book), formatInstant(rate.version), rate.rateId];
}

function tags(furtherTags: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(furtherTags).sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.length === 0 ? NULL : escapeText(JSON.stringify(Object.fromEntries(sorted)));
}

function text(value: string | null): string {
  return value === null ? NULL : escapeText(value);
}

const SPECIAL = /[\\\t\n\r]/;

function escapeText(value: string): string {
  if (!SPECIAL.test(value)) return value;
  return value
    .replaceAll('\\', '\\\\')
    .replaceAll('\t', '\\t')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r');
}
