import { hash } from 'node:crypto';
import { FURTHER_UNITS } from '../units.ts';
import type { AttributionTags, EventMember, UsageEvent } from './event.ts';

/**
 * Digests the content of an event to 32 bytes of SHA-256: what tells a duplicate from a conflict
 * (R9), for ever. So the canonical form must never change for an event that was ever received: an
 * absent value leaves no trace in it, and a field added later has a name of its own. A NUL
 * separates, and no string of an event can hold one. What a producer says of the cost, the call's
 * id and a hold are no content: they decide no amount, and a translation may learn to read them
 * after an event was received.
 */
export function digestEvent(event: UsageEvent): Buffer {
  const form = { text: '' };
  write(form, 'occurred_at', event.occurredAt);
  write(form, 'started_at', event.startedAt);
  write(form, 'status', event.status);
  write(form, 'error_type', event.errorType);
  write(form, 'operation', event.operation);
  write(form, 'provider', event.provider);
  write(form, 'requested_model', event.requestedModel);
  write(form, 'executed_model', event.executedModel);
  write(form, 'response_id', event.responseId);
  write(form, 'service_tier', event.serviceTier);
  write(form, 'gateway_cache', event.gatewayCache);
  write(form, 'attempt', event.attempt);
  write(form, 'uncached_input', event.usage.uncachedInput);
  write(form, 'cache_read', event.usage.cacheRead);
  write(form, 'cache_write', event.usage.cacheWrite);
  write(form, 'output', event.usage.output);
  write(form, 'reasoning', event.usage.reasoning);
  writeUnits(form, event);
  write(form, 'usage_source', event.usageSource);
  writeLayers(form, event);
  writeTags(form, '', event.tags);
  for (const name of Object.keys(event.furtherTags).sort()) {
    write(form, `tag:${JSON.stringify(name)}`, event.furtherTags[name] ?? null);
  }
  write(form, 'trace_id', event.traceId);
  write(form, 'span_id', event.spanId);
  write(form, 'parent_span_id', event.parentSpanId);
  for (const member of event.members ?? []) writeMember(form, member);
  // Through a string into Node's pool: asked for a buffer, it makes memory of its own for each digest.
  return Buffer.from(hash('sha256', form.text.slice(1), 'latin1'), 'latin1');
}

/** Grown by appending, which is half as dear as joining a list of parts. */
interface Form {
  text: string;
}

function writeUnits(form: Form, event: UsageEvent): void {
  const { units } = event.usage;
  if (units === null) return;
  for (const { name } of FURTHER_UNITS) write(form, name, units[name] ?? null);
}

function writeLayers(form: Form, event: UsageEvent): void {
  if (event.layers === null) return;
  const { prompt, tool, memory, response } = event.layers;
  write(form, 'layers', [prompt, tool, memory, response].join());
}

function writeTags(form: Form, prefix: string, tags: AttributionTags): void {
  write(form, `${prefix}tenant_id`, tags.tenantId);
  write(form, `${prefix}user_id`, tags.userId);
  write(form, `${prefix}feature`, tags.feature);
  write(form, `${prefix}agent_run_id`, tags.agentRunId);
  write(form, `${prefix}prompt_version`, tags.promptVersion);
}

/** Members follow one another in their order, which decides ties of the split (R7). */
function writeMember(form: Form, member: EventMember): void {
  write(form, 'member', member.memberId);
  write(form, 'member.status', member.status);
  writeTags(form, 'member.', member.tags);
  write(form, 'member.input_tokens', member.inputTokens);
  write(form, 'member.output_tokens', member.outputTokens);
  write(form, 'member.weight', member.weight);
}

function write(form: Form, name: string, value: string | number | null): void {
  if (value !== null) form.text += `\u0000${name}=${value}`;
}
