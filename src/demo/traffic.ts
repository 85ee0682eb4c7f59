import { formatInstant, type InstantMs } from '../clock.ts';
import { DEMO_MODELS, DEMO_TENANTS, type DemoModel, UNKNOWN_TENANT } from './cast.ts';
import type { Random } from './random.ts';
import type { TraceCall } from './trace.ts';

/** Native events made from a trace. Tags that a trace lacks are synthetic. */
export interface Traffic {
  readonly events: readonly NativeEvent[];
  /** Bodies that no ledger should take, each for a reason of its own. */
  readonly malformed: readonly string[];
  readonly counts: Readonly<
    Record<
      | 'calls'
      | 'failed'
      | 'fallbacks'
      | 'loops'
      | 'batches'
      | 'duplicates'
      | 'conflicts'
      | 'untagged',
      number
    >
  >;
}

type NativeEvent = Readonly<Record<string, unknown>>;

export interface DemoMonth {
  /** Ids of calls count from here; 0 where it is left out. */
  readonly firstCall?: number;
  readonly startsAt: InstantMs;
  readonly endsAt: InstantMs;
}

/** Shares of all calls, in percent. */
const FAILED = 2.5;
const FALLBACK = 4;
const BATCHED = 1.5;
const UNTAGGED = 0.8;
const UNKNOWN = 0.7;
const CACHED_PROMPT = 30;
const GATEWAY_HIT = 2;
const RESENT = 1.5;
const CONFLICTING = 5;
const STRUCTURE = 5;
const LOOPING = 0.4;

/** Calls of a run that repeats itself with growing context, each a while after the one before. */
const LOOP_CALLS = 6;
const LOOP_PAUSE_MS = 20_000;

/** Away from the month's ends by a day, so that every tenant's zone agrees on the month. */
const MARGIN_MS = 26 * 60 * 60 * 1000;

export function makeTraffic(
  random: Random,
  trace: readonly TraceCall[],
  month: DemoMonth,
): Traffic {
  const events: NativeEvent[] = [];
  const counts = {
    calls: 0,
    failed: 0,
    fallbacks: 0,
    loops: 0,
    batches: 0,
    duplicates: 0,
    conflicts: 0,
    untagged: 0,
  };
  const length = month.endsAt - month.startsAt - 2 * MARGIN_MS;
  for (const [index, call] of trace.entries()) {
    const occurredAt = month.startsAt + MARGIN_MS + Math.floor(call.position * length);
    const place = { index: (month.firstCall ?? 0) + index, occurredAt };
    const made = eventsOfCall(random, call, place);
    for (const event of made) {
      counts.calls += [AGENT, LOOP_AGENT].includes(String(event['operation'])) ? 0 : 1;
      counts.failed += event['status'] === 'error' ? 1 : 0;
      counts.batches += event['members'] === undefined ? 0 : 1;
      counts.untagged += event['tenant_id'] === undefined && event['members'] === undefined ? 1 : 0;
    }
    counts.loops += made.some((event) => event['operation'] === LOOP_AGENT) ? 1 : 0;
    counts.fallbacks += made.some((event) => event['attempt'] === 2) ? 1 : 0;
    events.push(...made);
  }
  const resent = events.filter(() => random.percent(RESENT));
  const conflicting = events
    .slice(0, CONFLICTING)
    .map((event) => ({ ...event, error_type: 'changed' }));
  counts.duplicates = resent.length;
  counts.conflicts = conflicting.length;
  return {
    events: [...events, ...resent, ...conflicting],
    malformed: malformedBodies(month),
    counts,
  };
}

interface Place {
  readonly index: number;
  readonly occurredAt: InstantMs;
}

function eventsOfCall(random: Random, call: TraceCall, place: Place): NativeEvent[] {
  const chosen = weighted(random, DEMO_MODELS);
  const base = baseEvent(random, { call, place, chosen });
  if (random.percent(BATCHED)) return [batchedEvent(random, base)];
  if (random.percent(FAILED)) return [failedEvent(base, 1)];
  if (chosen.fallback !== null && random.percent(FALLBACK * 2)) {
    const second = { ...base, event_id: `${base['event_id']}-2`, attempt: 2 };
    return [failedEvent(base, 1), { ...second, executed_model: chosen.fallback }];
  }
  if (base['operation'] === 'chat' && random.percent(LOOPING)) return loopEvents(base, place);
  if (random.percent(STRUCTURE)) return [base, agentSpan(base)];
  return [base];
}

function baseEvent(
  random: Random,
  of: { readonly call: TraceCall; readonly place: Place; readonly chosen: DemoModel },
): NativeEvent {
  const { call, place, chosen } = of;
  const tenantId = random.percent(UNTAGGED)
    ? undefined
    : random.percent(UNKNOWN)
      ? UNKNOWN_TENANT
      : weighted(random, DEMO_TENANTS).tenant_id;
  const outputTokens = chosen.operation === 'embeddings' ? 0 : call.outputTokens;
  const cached = random.percent(CACHED_PROMPT) ? Math.floor(call.inputTokens * 0.6) : 0;
  const tool = Math.floor(call.inputTokens * 0.2);
  return {
    event_id: `call-${place.index}`,
    source: 'demo',
    occurred_at: formatInstant(place.occurredAt),
    status: 'ok',
    operation: chosen.operation,
    provider: chosen.provider,
    requested_model: chosen.model,
    executed_model: chosen.model,
    response_id: `resp-${place.index}`,
    gateway_cache: random.percent(GATEWAY_HIT) ? 'exact' : 'none',
    usage: {
      input_tokens: call.inputTokens,
      output_tokens: outputTokens,
      cache_read_tokens: cached,
    },
    layers: { prompt: call.inputTokens - tool, tool, memory: 0, response: outputTokens },
    tenant_id: tenantId,
    user_id: `user-${random.below(400)}`,
    feature: random.pick(['support-chat', 'search', 'summaries', 'code-review']),
    agent_run_id: `run-${Math.floor(place.index / 4)}`,
    prompt_version: random.pick(['v7', 'v8']),
    trace_id: `trace-${Math.floor(place.index / 4)}`,
  };
}

const AGENT = 'invoke_agent';
const LOOP_AGENT = 'invoke_workflow';

/** Makes an agent that asks the same again and again, each time with all that it has so far. */
function loopEvents(base: NativeEvent, place: Place): NativeEvent[] {
  const { layers: _, gateway_cache: __, ...call } = base;
  const run = { agent_run_id: `loop-${place.index}`, trace_id: `loop-${place.index}` };
  const { input_tokens, output_tokens } = base['usage'] as Record<string, number>;
  const calls = Array.from({ length: LOOP_CALLS }, (_, step) => ({
    ...call,
    ...run,
    event_id: `call-${place.index}-${step}`,
    response_id: `resp-${place.index}-${step}`,
    occurred_at: formatInstant(place.occurredAt + step * LOOP_PAUSE_MS),
    usage: { input_tokens: Number(input_tokens) * (step + 1), output_tokens },
    span_id: `span-${step}`,
    parent_span_id: 'agent',
  }));
  const agent = {
    ...agentSpan(call),
    ...run,
    operation: LOOP_AGENT,
    started_at: formatInstant(place.occurredAt - LOOP_PAUSE_MS),
    occurred_at: formatInstant(place.occurredAt + LOOP_CALLS * LOOP_PAUSE_MS),
    span_id: 'agent',
  };
  return [...calls, agent];
}

function failedEvent(base: NativeEvent, attempt: number): NativeEvent {
  const { usage: _, response_id: __, ...rest } = base;
  return { ...rest, status: 'error', error_type: 'RateLimitError', attempt, gateway_cache: 'none' };
}

/** Makes a request for several tenants at once, shared out by what each one put in (R7). */
function batchedEvent(random: Random, base: NativeEvent): NativeEvent {
  const { tenant_id: _, user_id: __, ...rest } = base;
  const members = DEMO_TENANTS.slice(0, 2 + random.below(4)).map(({ tenant_id }, index) => ({
    member_id: `m${index}`,
    tenant_id,
    input_tokens: 1 + random.below(900),
    output_tokens: 1 + random.below(200),
  }));
  return { ...rest, members };
}

/** The wrapper around a call repeats its usage, and must not charge (R1). */
function agentSpan(base: NativeEvent): NativeEvent {
  const { response_id: _, ...rest } = base;
  return { ...rest, event_id: `${base['event_id']}-agent`, operation: AGENT };
}

function malformedBodies(month: DemoMonth): readonly string[] {
  const at = formatInstant(month.startsAt + MARGIN_MS);
  const good = { occurred_at: at, status: 'ok', requested_model: 'gpt-4o', source: 'demo' };
  const usage = { input_tokens: 10, output_tokens: 10 };
  return [
    'this is not JSON',
    JSON.stringify({ hello: 'world' }),
    JSON.stringify({ ...good, event_id: 'bad-1', usage: { ...usage, input_tokens: -4 } }),
    JSON.stringify({ ...good, event_id: 'bad-2', usage, occurred_at: '2026-10-01T00:00:00' }),
    JSON.stringify({ ...good, event_id: 'bad-3', usage, occurred_at: '2126-10-01T00:00:00Z' }),
    JSON.stringify({ ...good, event_id: 'bad-4', usage, members: [{ tenant_id: 'hooli' }] }),
    JSON.stringify({ ...good, event_id: 'b'.repeat(300), usage }),
    JSON.stringify({ ...good, event_id: 'bad-5' }),
  ];
}

function weighted<Item extends { readonly weight: number }>(
  random: Random,
  items: readonly Item[],
): Item {
  const all = items.reduce((sum, item) => sum + item.weight, 0);
  let left = random.next() * all;
  for (const item of items) {
    left -= item.weight;
    if (left < 0) return item;
  }
  const [first] = items;
  if (first === undefined) throw new Error('nothing to choose from');
  return first;
}
