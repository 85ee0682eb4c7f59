import { formatInstant } from '../clock.ts';
import type { AttributionTags, UsageEvent } from '../events/event.ts';
import { isMeasured, isModelCall } from '../events/event.ts';
import type { ReadItem } from '../events/item.ts';
import { readBody } from '../events/read-body.ts';
import type { ReadSettings } from '../events/read-item.ts';
import { formatPico } from '../money.ts';
import type { Parts } from '../parts.ts';
import { jsonIn } from '../text/json.ts';
import { FURTHER_UNITS } from '../units.ts';
import { findIgnored, MOST_TRIES } from './ignored-fields.ts';
import type {
  CheckedEvent,
  CheckedItem,
  ProducerAnswer,
  ProducerRequest,
} from './producer-answer.ts';

/** What a check needs: how bodies are read, and no database. */
export interface CheckParts extends Pick<Parts, 'clock'> {
  readonly reading: ReadSettings;
}

/**
 * Tells what the bodies of a file would become if the queue brought them now: each event with its
 * units, tags and ids, or why there is none; and the fields that nobody reads. Nothing is stored.
 */
export function checkProducer(
  { clock, reading }: CheckParts,
  { text, is_protobuf: isProtobuf }: ProducerRequest,
): ProducerAnswer {
  const attributes = isProtobuf ? { 'content-type': 'application/x-protobuf' } : {};
  const context = { ...reading, receivedAt: clock(), attributes };
  const bodies = isProtobuf ? [text] : bodiesOf(text);
  const read = (body: string) => readBody(body, context);
  const seen = new Map<string, string>();
  const items = bodies.flatMap((body, index) =>
    read(body).map((item) => checkItem(item, index + 1, seen)),
  );
  const outcomes = Map.groupBy(items, ({ outcome }) => outcome);
  return {
    bodies: bodies.length,
    outcomes: Object.fromEntries([...outcomes].map(([outcome, of]) => [outcome, of.length])),
    items,
    ignored: isProtobuf ? null : ignoredIn(bodies, read),
  };
}

/** One document is one body, and a list of them several; else each line is one. */
function bodiesOf(text: string): readonly string[] {
  const whole = jsonIn(text);
  if (Array.isArray(whole)) return whole.map((body) => JSON.stringify(body));
  if (whole !== undefined) return [text.trim()];
  return text.split('\n').filter((line) => line.trim() !== '');
}

function checkItem(item: ReadItem, body: number, seen: Map<string, string>): CheckedItem {
  if (item.kind === 'empty') {
    return { body, outcome: 'empty', reason: item.reason, detail: null, event: null };
  }
  if (item.kind === 'refused') {
    const { reason, detail } = item;
    return { body, outcome: 'quarantine', reason, detail, event: null };
  }
  const repeated = repetitionOf(item.event, item.digest.toString('hex'), seen);
  const outcome = repeated ?? outcomeOf(item.event);
  return { body, outcome, ...WHY[outcome], event: describe(item.event) };
}

/** Tells whether the event's id came before in the file, and with the same content. */
function repetitionOf(
  event: UsageEvent,
  digest: string,
  seen: Map<string, string>,
): 'duplicate' | 'conflict' | null {
  const key = `${event.tags.tenantId ?? ''}\u0000${event.source}\u0000${event.eventId}`;
  const before = seen.get(key);
  seen.set(key, before ?? digest);
  if (before === undefined) return null;
  return before === digest ? 'duplicate' : 'conflict';
}

function outcomeOf(event: UsageEvent): 'call' | 'unmeasured' | 'structure' {
  if (!isModelCall(event)) return 'structure';
  return event.status === 'ok' && !isMeasured(event.usage) ? 'unmeasured' : 'call';
}

type EventOutcome = ReturnType<typeof outcomeOf> | 'duplicate' | 'conflict';

const NOTHING_TO_SAY = { reason: null, detail: null };

const WHY: Readonly<Record<EventOutcome, Pick<CheckedItem, 'reason' | 'detail'>>> = {
  call: NOTHING_TO_SAY,
  structure: NOTHING_TO_SAY,
  unmeasured: {
    reason: 'no_usage',
    detail:
      'the call succeeded and reports no usage: it holds the month unless its model is priced by the call',
  },
  duplicate: { reason: 'same_id', detail: 'an earlier part of the file has the same event id' },
  conflict: {
    reason: 'same_id',
    detail:
      'an earlier part of the file has the same event id and other content: it would wait in quarantine',
  },
};

function describe(event: UsageEvent): CheckedEvent {
  const { reportedCost } = event;
  return {
    identity: {
      source: event.source,
      event_id: event.eventId,
      provider: event.provider,
      response_id: event.responseId,
      call_id: event.callId,
      trace_id: event.traceId,
      span_id: event.spanId,
      parent_span_id: event.parentSpanId,
      attempt: event.attempt,
    },
    occurred_at: formatInstant(event.occurredAt),
    operation: event.operation,
    status: event.status,
    error_type: event.errorType,
    requested_model: event.requestedModel,
    executed_model: event.executedModel,
    service_tier: event.serviceTier,
    gateway_cache: event.gatewayCache,
    usage_source: event.usageSource,
    units: unitsOf(event),
    reasoning_tokens: event.usage.reasoning,
    tags: tagsOf(event.tags),
    further_tags: { ...event.furtherTags },
    reported_cost:
      reportedCost === null ? null : { ...reportedCost, amount: formatPico(reportedCost.amount) },
    members:
      event.members?.map(({ memberId, tags }) => ({ member_id: memberId, tags: tagsOf(tags) })) ??
      null,
  };
}

function unitsOf({ usage }: UsageEvent): CheckedEvent['units'] {
  const text = {
    input_tokens: usage.uncachedInput,
    cache_read_tokens: usage.cacheRead,
    cache_write_tokens: usage.cacheWrite,
    output_tokens: usage.output,
  };
  const further = FURTHER_UNITS.map(({ name }) => [name, usage.units?.[name] ?? 0] as const);
  const counted = [...Object.entries(text), ...further].filter(([, count]) => count > 0);
  return Object.fromEntries(counted);
}

function tagsOf(tags: AttributionTags): CheckedEvent['tags'] {
  return {
    tenant_id: tags.tenantId,
    user_id: tags.userId,
    feature: tags.feature,
    agent_run_id: tags.agentRunId,
    prompt_version: tags.promptVersion,
  };
}

/** Fields that no body has any use of. A body that is no JSON, or gives no event, says nothing of its fields. */
function ignoredIn(
  bodies: readonly string[],
  read: (body: string) => readonly ReadItem[],
): readonly string[] | null {
  const ignored = new Set<string>();
  const used = new Set<string>();
  let left = MOST_TRIES;
  for (const body of bodies) {
    const message = jsonIn(body);
    if (typeof message !== 'object' || message === null) continue;
    if (!read(body).some(({ kind }) => kind === 'event')) continue;
    const use = findIgnored(message, (other) => said(read(JSON.stringify(other))), left);
    if (use === null) return null;
    left -= use.tries;
    for (const path of use.ignored) ignored.add(path);
    for (const path of use.used) used.add(path);
  }
  return [...ignored].filter((path) => ![...used].some((of) => isWithin(of, path))).sort();
}

/** What is read in one place is not ignored, although it may be in another. */
function isWithin(path: string, whole: string): boolean {
  return path === whole || path.startsWith(`${whole}.`) || path.startsWith(`${whole}[`);
}

/**
 * Returns what a reading comes to, but for the words of refusals, which repeat what they refuse.
 */
function said(items: readonly ReadItem[]): string {
  const facts = items.map((item) =>
    item.kind === 'event' ? item.event : [item.kind, item.reason],
  );
  return JSON.stringify(facts, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
}
