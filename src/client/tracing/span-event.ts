import { formatInstant, type InstantMs } from '../../clock.ts';
import { at, firstGiven, isObject } from '../../events/foreign/foreign-value.ts';
import { isStorable } from '../../events/schema-parts.ts';
import { usageSchema } from '../../events/usage-fields.ts';
import type { NewEvent } from '../new-event.ts';
import type { UsageTags } from '../usage-scope.ts';

export type SpanFields = Readonly<Record<string, unknown>>;

/** A span that has ended, as the application told of it. */
interface EndedSpan {
  readonly place: {
    readonly traceId: string;
    readonly spanId: string;
    readonly parentSpanId: string | null;
  };
  readonly times: { readonly startedAt: InstantMs; readonly endedAt: InstantMs };
  readonly start: {
    readonly name?: string;
    readonly input?: unknown;
    readonly metadata?: SpanFields;
  };
  readonly end: {
    readonly status?: string;
    readonly output?: unknown;
    readonly metadata?: SpanFields;
    readonly errorType?: string;
  };
  /** The tags that it inherits, and those with which it began. */
  readonly inherited: UsageTags;
  readonly isRoot: boolean;
}

/**
 * Makes the event of a span: a call where it names a model or counts tokens, else structure for the
 * run's tree.
 */
export function spanEvent(span: EndedSpan): NewEvent {
  const { place, times, start, end, isRoot } = span;
  const { output } = end;
  const usage = usageIn(output);
  const look = (name: string) => wordIn([output, end.metadata, start.input, start.metadata], name);
  const requested = wordIn([start.input, start.metadata, output, end.metadata], 'model');
  const executed = look('executed_model') ?? look('model');
  const isCall = requested !== undefined || usage !== undefined;
  const status = statusOf(end.status);
  const tags = tagsIn([end.metadata, at(output, 'metadata'), output], span.inherited);
  return {
    event_id: `${place.traceId}:${place.spanId}`,
    occurred_at: formatInstant(times.endedAt),
    started_at: formatInstant(Math.min(times.startedAt, times.endedAt)),
    status,
    error_type: status === 'error' ? (end.errorType ?? look('error_type')) : undefined,
    operation: look('operation') ?? (isCall ? 'chat' : isRoot ? 'invoke_agent' : 'step'),
    provider: look('provider'),
    requested_model: look('requested_model') ?? requested,
    executed_model: executed,
    response_id: look('response_id'),
    ...usageFields(usage, isCall && status === 'ok'),
    tenant_id: tags.tenantId,
    user_id: tags.userId,
    feature: tags.feature,
    agent_run_id: tags.agentRunId,
    prompt_version: tags.promptVersion,
    tags: withName(tags.tags, start.name),
    trace_id: place.traceId,
    span_id: place.spanId,
    parent_span_id: place.parentSpanId,
  };
}

function statusOf(status = 'ok'): 'ok' | 'error' | 'cancelled' {
  if (status === 'ok' || status === 'success') return 'ok';
  return status === 'cancelled' ? 'cancelled' : 'error';
}

/** What is known of a call of which nothing was counted is that, and no zero. */
function usageFields(usage: Usage | undefined, isWanted: boolean): Partial<NewEvent> {
  if (usage === undefined) return isWanted ? { usage: {} } : {};
  return usage.isProviders ? { provider_usage: usage.counts } : { usage: usage.counts };
}

interface Usage {
  readonly counts: SpanFields;
  /** Whether the counts have a provider's own names, which a table reads. */
  readonly isProviders: boolean;
}

const NATIVE: ReadonlySet<string> = new Set(Object.keys(usageSchema.shape));

/** Counts that stand in the output itself, as tokens and their details. */
const COUNT = /token|^(?:cached|images|searches|characters|pages|audio_ms|video_ms)/i;

function usageIn(output: unknown): Usage | undefined {
  const own = at(output, 'usage');
  const found = countsIn(isObject(own) ? own : output, isObject(own) ? /./ : COUNT);
  const names = Object.keys(found).filter((name) => name !== 'total_tokens');
  if (names.length === 0) return undefined;
  const isProviders = !names.every((name) => NATIVE.has(name));
  const { total_tokens: _, ...native } = found;
  return { counts: isProviders ? found : native, isProviders };
}

/** Numbers alone: a word is no count, and might be anybody's text. */
function countsIn(value: unknown, names: RegExp): SpanFields {
  if (!isObject(value)) return {};
  const found = Object.entries(value).flatMap(([name, count]): [string, unknown][] => {
    if (!names.test(name)) return [];
    if (typeof count === 'number') return [[name, count]];
    const inner = countsIn(count, /./);
    return Object.keys(inner).length === 0 ? [] : [[name, inner]];
  });
  return Object.fromEntries(found);
}

const LONGEST_WORD = 200;

/** Returns a short word under this name in the first that has one. */
function wordIn(places: readonly unknown[], name: string): string | undefined {
  const words = places.map((place) => at(place, name)).filter(isWord);
  return firstGiven(...words) === undefined ? undefined : String(words[0]);
}

function isWord(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return (
    typeof value === 'string' && value !== '' && value.length <= LONGEST_WORD && isStorable(value)
  );
}

const KNOWN_TAGS = {
  tenantId: ['tenant_id', 'customer_id'],
  userId: ['user_id'],
  feature: ['feature'],
  agentRunId: ['agent_run_id', 'run_id'],
  promptVersion: ['prompt_version'],
} as const;

const MOST_FURTHER_TAGS = 18;
const KNOWN_NAMES: ReadonlySet<string> = new Set(Object.values(KNOWN_TAGS).flat());

/** The tags in the first of these that has them, over those that are inherited. Further ones come from metadata alone. */
export function tagsIn(places: readonly unknown[], outer: UsageTags): UsageTags {
  const known = Object.entries(KNOWN_TAGS).map(([field, names]) => {
    const own = names.map((name) => wordIn(places, name)).find((word) => word !== undefined);
    return [field, own ?? outer[field as keyof typeof KNOWN_TAGS]];
  });
  const [metadata] = places;
  const further = { ...outer.tags, ...furtherIn(metadata) };
  const kept = Object.entries(further).slice(0, MOST_FURTHER_TAGS);
  return { ...Object.fromEntries(known), tags: Object.fromEntries(kept) };
}

function furtherIn(metadata: unknown): Readonly<Record<string, string>> {
  if (!isObject(metadata)) return {};
  const found = Object.entries(metadata).flatMap(([name, value]) =>
    NOT_TAGS.has(name) || KNOWN_NAMES.has(name) || name.length > 100 || !isWord(value)
      ? []
      : [[name, String(value)]],
  );
  return Object.fromEntries(found);
}

/** What of metadata the event has fields for. */
const NOT_TAGS: ReadonlySet<string> = new Set(['model', 'provider', 'operation', '__proto__', '']);

function withName(tags: UsageTags['tags'], name: string | undefined): UsageTags['tags'] {
  return isWord(name) ? { ...tags, span_name: String(name) } : tags;
}
