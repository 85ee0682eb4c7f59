import { z } from 'zod';
import { formatInstant, type InstantMs, parseInstant } from '../clock.ts';
import { andMore } from '../text/counted.ts';
import { acceptorOf } from './acceptor.ts';
import type { AttributionTags, EventMember, TokenLayers, UsageEvent } from './event.ts';
import { isModelCall } from './event.ts';
import { tierIn } from './foreign/foreign-tier.ts';
import { costInUsage } from './foreign/reported-cost.ts';
import { readProviderUsage, usageWithin } from './provider-usage.ts';
import { readReportedCost, reportedCostSchema } from './reported-cost.ts';
import { choice, count, flag, id, text, wholeNumber } from './schema-parts.ts';
import { langchainParts, langchainTier } from './usage-details.ts';
import { findUsageContradiction, readUsage, readUsageSource, usageSchema } from './usage-fields.ts';

/**
 * The native event as one zod schema. Producers rely on its field names, which may grow in number and
 * never change. Each error text is what is allowed; `readNativeEvent` puts the field and the value before it.
 */

const MOST_MEMBERS = 10_000;
const MOST_TAGS = 20;

/** The farthest that a producer's clock may be ahead of us. */
const FUTURE_TOLERANCE_MS = 24 * 60 * 60 * 1000;

const INSTANT =
  'an RFC 3339 instant with seconds and an offset, such as "2026-10-01T12:00:00Z" or "…+02:00"';

const instant = z.iso.datetime({ offset: true, error: INSTANT });

const layersSchema = z.object(
  {
    prompt: count.nullish(),
    tool: count.nullish(),
    memory: count.nullish(),
    response: count.nullish(),
  },
  { error: 'an object {prompt, tool, memory, response}' },
);

const tagFields = {
  tenant_id: id.nullish(),
  user_id: id.nullish(),
  feature: id.nullish(),
  agent_run_id: id.nullish(),
  prompt_version: id.nullish(),
};

const status = choice(['ok', 'error', 'cancelled']);
const serviceTier = choice(['standard', 'batch', 'flex', 'priority']);

const memberSchema = z.object(
  {
    member_id: id,
    customer_id: id.nullish(),
    ...tagFields,
    status: status.nullish(),
    input_tokens: count.nullish(),
    output_tokens: count.nullish(),
    weight: z
      .number({ error: 'a number from 0 to 1,000,000,000' })
      .min(0, { error: 'a number from 0 to 1,000,000,000' })
      .max(1_000_000_000, { error: 'a number from 0 to 1,000,000,000' })
      .nullish(),
  },
  { error: 'an object with a member_id' },
);

export const nativeEventSchema = z.object(
  {
    event_id: id,
    source: text(100).nullish(),
    occurred_at: instant,
    /** The producer said no instant, and that of the receipt stands for it. */
    occurred_at_assumed: flag().nullish(),
    started_at: instant.nullish(),
    status,
    error_type: text(500).nullish(),
    operation: text(100).nullish(),
    /** The producer named no operation; a span with a call within it is none itself. */
    operation_assumed: flag().nullish(),
    provider: text(100).nullish(),
    requested_model: id.nullish(),
    executed_model: id.nullish(),
    response_id: text(500).nullish(),
    service_tier: serviceTier.nullish(),
    gateway_cache: choice(['none', 'exact', 'semantic']).nullish(),
    attempt: wholeNumber(1, 1_000_000).nullish(),
    usage: usageSchema.nullish(),
    provider_usage: z
      .record(z.string(), z.unknown(), { error: "the provider's own usage object" })
      .nullish(),
    provider_api: text(100).nullish(),
    reported_cost: reportedCostSchema.nullish(),
    call_id: text(500).nullish(),
    hold_id: id.nullish(),
    layers: layersSchema.nullish(),
    customer_id: id.nullish(),
    ...tagFields,
    tags: z
      .record(text(100), text(500), { error: `an object of up to ${MOST_TAGS} strings` })
      .refine((tags) => Object.keys(tags).length <= MOST_TAGS, {
        error: `an object of up to ${MOST_TAGS} strings`,
      })
      .nullish(),
    trace_id: id.nullish(),
    span_id: id.nullish(),
    parent_span_id: id.nullish(),
    members: z
      .array(memberSchema, { error: 'an array of members' })
      .min(1, { error: 'an array of at least one member' })
      .max(MOST_MEMBERS, { error: `an array of at most ${MOST_MEMBERS} members` })
      .nullish(),
  },
  { error: 'a JSON object' },
);

export const acceptsNativeEvent = acceptorOf(nativeEventSchema);

/** A native event as a producer writes it. */
export type NativeEvent = z.infer<typeof nativeEventSchema>;
type NativeTags = Pick<NativeEvent, keyof typeof tagFields | 'customer_id'>;

export type NativeReading =
  | { readonly kind: 'event'; readonly event: UsageEvent; readonly native: NativeEvent }
  | {
      readonly kind: 'refused';
      readonly reason: 'invalid_field' | 'occurred_in_future' | 'not_understood';
      /** The field, its value's type, and what is allowed. */
      readonly detail: string;
    };

/** Reads one native event; never throws, whatever the value is. */
export function readNativeEvent(value: unknown, receivedAt: InstantMs): NativeReading {
  return acceptsNativeEvent(value)
    ? readChecked(value, receivedAt)
    : parseNativeEvent(value, receivedAt);
}

/** Reads a native event by zod alone: what the schema does not know is gone from `native`. */
export function parseNativeEvent(value: unknown, receivedAt: InstantMs): NativeReading {
  const parsed = nativeEventSchema.safeParse(inUpperCase(value), { reportInput: true });
  return parsed.success
    ? readChecked(parsed.data, receivedAt)
    : invalid(describeIssues(parsed.error.issues));
}

const INSTANT_FIELDS = ['occurred_at', 'started_at'] as const;
const IN_LOWER_CASE = /^[\d-]{10}[Tt][\d:.]+(?:[Zz]|[+-]\d\d:\d\d)$/;

/** RFC 3339 allows its letters in lower case, and some producers write them so. */
function inUpperCase(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const event: Readonly<Record<string, unknown>> = { ...value };
  const instants = INSTANT_FIELDS.flatMap((field) => {
    const text = event[field];
    return typeof text === 'string' && IN_LOWER_CASE.test(text)
      ? [[field, text.toUpperCase()]]
      : [];
  });
  return instants.length === 0 ? value : { ...event, ...Object.fromEntries(instants) };
}

function readChecked(sent: NativeEvent, receivedAt: InstantMs): NativeReading {
  const native = sent.provider_usage == null ? sent : withProviderUsage(sent);
  if (native === null) {
    const detail = `provider_usage: none of its fields (${Object.keys(sent.provider_usage ?? {})
      .slice(0, 10)
      .join(', ')
      .slice(0, 200)}) is a count that is known here; send the counts under usage`;
    return { kind: 'refused', reason: 'not_understood', detail };
  }
  const event = toUsageEvent(native);
  const contradiction = findContradiction(sent, event) ?? findTwoUsages(sent);
  if (contradiction !== null) return invalid(contradiction);
  if (event.occurredAt > receivedAt + FUTURE_TOLERANCE_MS) {
    const detail = `occurred_at: ${native.occurred_at} is more than 24 hours after its receipt at ${formatInstant(receivedAt)}; correct the producer's clock and send it again`;
    return { kind: 'refused', reason: 'occurred_in_future', detail };
  }
  return { kind: 'event', event, native: sent };
}

/**
 * Returns a provider's own usage object in the words of an event; null where nothing in it is
 * understood.
 */
function withProviderUsage(native: NativeEvent): NativeEvent | null {
  const { provider_usage: usage, provider, provider_api: api } = native;
  const model = native.executed_model ?? native.requested_model;
  const read = readProviderUsage({ usage, provider, api, model });
  const counted = usageSchema.safeParse({
    ...read.usage,
    ...(read.assumed ? { assumed: true } : {}),
  });
  if (read.usage === undefined || !counted.success) return null;
  const cost = reportedCostSchema.safeParse(costInUsage(usage, provider));
  const reportedCost = native.reported_cost ?? (cost.success ? cost.data : null);
  const counts = { usage: counted.data, reported_cost: reportedCost };
  const tier = tierIn(usage, usageWithin(usage)) ?? langchainTier(...langchainParts(usage));
  return { ...native, ...counts, ...servedTier(native, tier) };
}

/** One of which nobody has heard is priced as standard, rather than by a guess, and named in a tag. */
function servedTier(
  { service_tier: own, tags }: NativeEvent,
  said: unknown,
): Pick<NativeEvent, 'service_tier' | 'tags'> {
  if (own != null || said === undefined) return { service_tier: own, tags };
  const tier = serviceTier.safeParse(said);
  if (tier.success) return { service_tier: tier.data, tags };
  const named = { service_tier: String(said).slice(0, 100), ...tags };
  return { tags: Object.keys(named).length <= MOST_TAGS ? named : tags };
}

function findTwoUsages(native: NativeEvent): string | null {
  if (native.provider_usage == null || native.usage == null) return null;
  return 'provider_usage: stands beside usage; send one, the provider counts or those of the event';
}

/** Finds what each field alone allows but the event as a whole does not. */
function findContradiction(native: NativeEvent, event: UsageEvent): string | null {
  if (isModelCall(event)) {
    if (event.requestedModel === null) {
      return `requested_model: is missing; a ${event.operation} call is charged on the model requested`;
    }
    if (event.status === 'ok' && (native.usage ?? native.provider_usage ?? null) === null) {
      return 'usage: is missing; it is required with status "ok"';
    }
  }
  const contradiction = findUsageContradiction(native.usage ?? null, event.usage, event.operation);
  if (contradiction !== null) return contradiction;
  return findTenantContradiction(native) ?? findRepeatedMember(event.members);
}

function findTenantContradiction(native: NativeEvent): string | null {
  for (const tags of [native, ...(native.members ?? [])]) {
    const { tenant_id, customer_id } = tags;
    if (tenant_id != null && customer_id != null && tenant_id !== customer_id) {
      return `customer_id: ${JSON.stringify(customer_id)} contradicts tenant_id ${JSON.stringify(tenant_id)}; they are synonyms, send one`;
    }
  }
  return null;
}

function findRepeatedMember(members: readonly EventMember[] | null): string | null {
  const seen = new Set<string>();
  for (const [index, member] of (members ?? []).entries()) {
    if (seen.has(member.memberId)) {
      return `members[${index}].member_id: ${JSON.stringify(member.memberId)} stands twice; it must be unique in the event`;
    }
    seen.add(member.memberId);
  }
  return null;
}

function toUsageEvent(native: NativeEvent): UsageEvent {
  const tags = readTags(native, NO_TAGS);
  return {
    source: native.source ?? 'default',
    eventId: native.event_id,
    occurredAt: parseInstant(native.occurred_at),
    startedAt: native.started_at == null ? null : parseInstant(native.started_at),
    status: native.status,
    errorType: native.error_type ?? null,
    operation: native.operation ?? 'chat',
    provider: native.provider ?? null,
    requestedModel: native.requested_model ?? null,
    executedModel: native.executed_model ?? native.requested_model ?? null,
    responseId: native.response_id ?? null,
    serviceTier: native.service_tier ?? 'standard',
    gatewayCache: native.gateway_cache ?? 'none',
    attempt: native.attempt ?? 1,
    usage: readUsage(native.usage ?? null),
    usageSource: readUsageSource(native.usage ?? null),
    reportedCost: native.reported_cost == null ? null : readReportedCost(native.reported_cost),
    callId: native.call_id ?? null,
    holdId: native.hold_id ?? null,
    layers: readLayers(native.layers),
    tags,
    furtherTags: native.tags ?? {},
    traceId: native.trace_id ?? null,
    spanId: native.span_id ?? null,
    parentSpanId: native.parent_span_id ?? null,
    members: native.members?.map((member) => readMember(member, native, tags)) ?? null,
  };
}

const NO_TAGS: AttributionTags = {
  tenantId: null,
  userId: null,
  feature: null,
  agentRunId: null,
  promptVersion: null,
};

function readTags(native: NativeTags, defaults: AttributionTags): AttributionTags {
  return {
    tenantId: native.tenant_id ?? native.customer_id ?? defaults.tenantId,
    userId: native.user_id ?? defaults.userId,
    feature: native.feature ?? defaults.feature,
    agentRunId: native.agent_run_id ?? defaults.agentRunId,
    promptVersion: native.prompt_version ?? defaults.promptVersion,
  };
}

function readMember(
  member: z.infer<typeof memberSchema>,
  native: NativeEvent,
  tags: AttributionTags,
): EventMember {
  return {
    memberId: member.member_id,
    status: member.status ?? native.status,
    tags: readTags(member, tags),
    inputTokens: member.input_tokens ?? null,
    outputTokens: member.output_tokens ?? null,
    weight: member.weight ?? null,
  };
}

function readLayers(layers: NativeEvent['layers']): TokenLayers | null {
  if (layers == null) return null;
  return {
    prompt: layers.prompt ?? 0,
    tool: layers.tool ?? 0,
    memory: layers.memory ?? 0,
    response: layers.response ?? 0,
  };
}

function invalid(detail: string): NativeReading {
  return { kind: 'refused', reason: 'invalid_field', detail };
}

function describeIssues(issues: readonly z.core.$ZodIssue[]): string {
  const first = issues[0];
  if (first === undefined) return 'the event does not fit';
  return andMore([describe(first)], issues.length, '; and ');
}

function describe(issue: z.core.$ZodIssue): string {
  const path = issue.path.map((step) =>
    typeof step === 'number' ? `[${step}]` : `.${String(step)}`,
  );
  const field = path.join('').replace(/^\./, '').slice(0, 200) || 'event';
  if (issue.code === 'unrecognized_keys') return describeUnknown(field, issue.keys);
  if (issue.input === undefined) return `${field}: is missing; it must be ${issue.message}`;
  return `${field}: ${typeOf(issue.input)} is not ${issue.message}`;
}

/** Every field of `usage` was counted by somebody, so none is ignored. */
function describeUnknown(field: string, keys: readonly string[]): string {
  const [first = ''] = keys;
  const rest = keys.length > 1 ? ` (and ${keys.length - 1} more)` : '';
  return `${field}.${first.slice(0, 100)}${rest}: is not a known field; send the count under one of these: ${USAGE_FIELDS.join(', ')}`;
}

const USAGE_FIELDS = Object.keys(usageSchema.shape);

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'string') return describeText(value);
  if (typeof value === 'number' || typeof value === 'boolean')
    return `a ${typeof value} (${value})`;
  return 'an object';
}

/** A value is shown as it is, but for what reads like a sentence: nobody's words are kept in a reason. */
function describeText(text: string): string {
  return text.length > 30 && text.trim().split(/\s+/).length > 3
    ? `a string of ${text.length} characters`
    : `a string (${JSON.stringify(text.slice(0, 60))})`;
}
