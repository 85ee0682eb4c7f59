import { hash } from 'node:crypto';
import type { AttributionTags, EventMember, UsageEvent } from './event.ts';

/**
 * The content of an event as 32 bytes of SHA-256: what tells a duplicate from a conflict (R9), for
 * ever. So the canonical form must never change for an event that was ever received: an absent value
 * leaves no trace in it, and a field added later has a name of its own. A NUL separates, and no
 * string of an event can hold one.
 */
export function digestEvent(event: UsageEvent): Buffer {
  const parts: string[] = [];
  write(parts, 'occurred_at', event.occurredAt);
  write(parts, 'started_at', event.startedAt);
  write(parts, 'status', event.status);
  write(parts, 'error_type', event.errorType);
  write(parts, 'operation', event.operation);
  write(parts, 'provider', event.provider);
  write(parts, 'requested_model', event.requestedModel);
  write(parts, 'executed_model', event.executedModel);
  write(parts, 'response_id', event.responseId);
  write(parts, 'service_tier', event.serviceTier);
  write(parts, 'gateway_cache', event.gatewayCache);
  write(parts, 'attempt', event.attempt);
  write(parts, 'uncached_input', event.usage.uncachedInput);
  write(parts, 'cache_read', event.usage.cacheRead);
  write(parts, 'cache_write', event.usage.cacheWrite);
  write(parts, 'output', event.usage.output);
  write(parts, 'reasoning', event.usage.reasoning);
  write(parts, 'usage_source', event.usageSource);
  writeLayers(parts, event);
  writeTags(parts, '', event.tags);
  for (const name of Object.keys(event.furtherTags).sort()) {
    write(parts, `tag:${JSON.stringify(name)}`, event.furtherTags[name] ?? null);
  }
  write(parts, 'trace_id', event.traceId);
  write(parts, 'span_id', event.spanId);
  write(parts, 'parent_span_id', event.parentSpanId);
  for (const member of event.members ?? []) writeMember(parts, member);
  return hash('sha256', parts.join('\u0000'), 'buffer');
}

function writeLayers(parts: string[], event: UsageEvent): void {
  if (event.layers === null) return;
  const { prompt, tool, memory, response } = event.layers;
  write(parts, 'layers', [prompt, tool, memory, response].join());
}

function writeTags(parts: string[], prefix: string, tags: AttributionTags): void {
  write(parts, `${prefix}tenant_id`, tags.tenantId);
  write(parts, `${prefix}user_id`, tags.userId);
  write(parts, `${prefix}feature`, tags.feature);
  write(parts, `${prefix}agent_run_id`, tags.agentRunId);
  write(parts, `${prefix}prompt_version`, tags.promptVersion);
}

/** Members follow one another in their order, which decides ties of the split (R7). */
function writeMember(parts: string[], member: EventMember): void {
  write(parts, 'member', member.memberId);
  write(parts, 'member.status', member.status);
  writeTags(parts, 'member.', member.tags);
  write(parts, 'member.input_tokens', member.inputTokens);
  write(parts, 'member.output_tokens', member.outputTokens);
  write(parts, 'member.weight', member.weight);
}

function write(parts: string[], name: string, value: string | number | null): void {
  if (value !== null) parts.push(`${name}=${value}`);
}
