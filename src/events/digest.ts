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
  write(form, OF_EVENT.occurred_at, event.occurredAt);
  write(form, OF_EVENT.started_at, event.startedAt);
  write(form, OF_EVENT.status, event.status);
  write(form, OF_EVENT.error_type, event.errorType);
  write(form, OF_EVENT.operation, event.operation);
  write(form, OF_EVENT.provider, event.provider);
  write(form, OF_EVENT.requested_model, event.requestedModel);
  write(form, OF_EVENT.executed_model, event.executedModel);
  write(form, OF_EVENT.response_id, event.responseId);
  write(form, OF_EVENT.service_tier, event.serviceTier);
  write(form, OF_EVENT.gateway_cache, event.gatewayCache);
  write(form, OF_EVENT.attempt, event.attempt);
  write(form, OF_EVENT.uncached_input, event.usage.uncachedInput);
  write(form, OF_EVENT.cache_read, event.usage.cacheRead);
  write(form, OF_EVENT.cache_write, event.usage.cacheWrite);
  write(form, OF_EVENT.output, event.usage.output);
  write(form, OF_EVENT.reasoning, event.usage.reasoning);
  writeUnits(form, event);
  write(form, OF_EVENT.usage_source, event.usageSource);
  writeLayers(form, event);
  writeTags(form, TAGS, event.tags);
  for (const name of Object.keys(event.furtherTags).sort()) {
    write(form, headOf(`tag:${JSON.stringify(name)}`), event.furtherTags[name] ?? null);
  }
  write(form, OF_EVENT.trace_id, event.traceId);
  write(form, OF_EVENT.span_id, event.spanId);
  write(form, OF_EVENT.parent_span_id, event.parentSpanId);
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
  for (const { name } of FURTHER_UNITS) write(form, headOf(name), units[name] ?? null);
}

function writeLayers(form: Form, event: UsageEvent): void {
  if (event.layers === null) return;
  const { prompt, tool, memory, response } = event.layers;
  write(form, OF_EVENT.layers, [prompt, tool, memory, response].join());
}

function writeTags(form: Form, heads: typeof TAGS, tags: AttributionTags): void {
  write(form, heads.tenant_id, tags.tenantId);
  write(form, heads.user_id, tags.userId);
  write(form, heads.feature, tags.feature);
  write(form, heads.agent_run_id, tags.agentRunId);
  write(form, heads.prompt_version, tags.promptVersion);
}

/** Members follow one another in their order, which decides ties of the split (R7). */
function writeMember(form: Form, member: EventMember): void {
  write(form, OF_MEMBER.member, member.memberId);
  write(form, OF_MEMBER['member.status'], member.status);
  writeTags(form, TAGS_OF_MEMBER, member.tags);
  write(form, OF_MEMBER['member.input_tokens'], member.inputTokens);
  write(form, OF_MEMBER['member.output_tokens'], member.outputTokens);
  write(form, OF_MEMBER['member.weight'], member.weight);
}

function write(form: Form, head: string, value: string | number | null): void {
  if (value !== null) form.text += head + value;
}

/** What stands before a value. Those of every event are made once: a text of many parts is felt there. */
function headOf(name: string): string {
  return `\u0000${name}=`;
}

function headsOf<const Name extends string>(names: readonly Name[], prefix = '') {
  const heads = names.map((name) => [name, headOf(prefix + name)]);
  return Object.fromEntries(heads) as Readonly<Record<Name, string>>;
}

const OF_EVENT = headsOf([
  'occurred_at',
  'started_at',
  'status',
  'error_type',
  'operation',
  'provider',
  'requested_model',
  'executed_model',
  'response_id',
  'service_tier',
  'gateway_cache',
  'attempt',
  'uncached_input',
  'cache_read',
  'cache_write',
  'output',
  'reasoning',
  'usage_source',
  'trace_id',
  'span_id',
  'parent_span_id',
  'layers',
]);

const TAG_NAMES = ['tenant_id', 'user_id', 'feature', 'agent_run_id', 'prompt_version'] as const;
const TAGS = headsOf(TAG_NAMES);
const TAGS_OF_MEMBER = headsOf(TAG_NAMES, 'member.');

const OF_MEMBER = headsOf([
  'member',
  'member.status',
  'member.input_tokens',
  'member.output_tokens',
  'member.weight',
]);
