import { timeFromNanos } from '../foreign/foreign-time.ts';
import { type NativeUsage, usageOfCall } from '../foreign/foreign-usage.ts';
import {
  at,
  firstGiven,
  type JsonObject,
  OTHER_TENANT,
  unlessEmpty,
  withoutAbsent,
} from '../foreign/foreign-value.ts';
import {
  type Translation,
  type Translator,
  translationOf,
  UNKNOWN_MODEL,
} from '../foreign/translation.ts';
import { type Attributes, firstAttribute } from './otlp-attributes.ts';
import { executedModel, providerOf, tierOf } from './otlp-call.ts';
import { spanCost } from './otlp-cost.ts';
import { findReports, type Reports } from './otlp-duplicates.ts';
import { isSnakeCase } from './otlp-names.ts';
import {
  errorTypeOf,
  hasFailed,
  keyInTrace,
  type OtlpSpan,
  readTraces,
  responseIdOf,
} from './otlp-spans.ts';
import { firstTags, spanFurtherTags, spanTags, tagsOf } from './otlp-tags.ts';
import { mayStandBetween, PROGRAM_SPAN } from './program-spans.ts';
import { unreadUsage } from './unread-usage.ts';

/** An ExportTraceServiceRequest in the JSON encoding of OTLP; its names may be in snake_case, too. */
export const otlpTranslator: Translator = {
  format: 'otlp',
  recognizes: (value) =>
    Array.isArray(at(value, 'resourceSpans')) ||
    (isSnakeCase(value) && Array.isArray(at(value, 'resource_spans'))),
  translate: translateRequest,
};

function translateRequest(value: object): readonly Translation[] {
  const { spans, unreadable } = readTraces(value);
  const reports = findReports(spans);
  const bySpan = new Map(spans.map((span) => [span, translateSpan(span, reports)]));
  return [
    ...[...bySpan].flatMap(([span, translations]) => {
      const repeated = reports.duplicates.get(span) ?? reports.toldAround.get(span);
      const [kept] = repeated === undefined ? [] : (bySpan.get(repeated.kept) ?? []);
      if (repeated === undefined || kept === undefined) return translations;
      const repeats = { event: kept.event, because: repeated.because };
      return translations.map((translation) => ({ ...translation, repeats }));
    }),
    ...unreadable.map(refusedLater),
  ];
}

/** Anything that is not a span becomes an event without the required fields, so that it is quarantined, not dropped. */
function refusedLater(value: unknown): Translation {
  return {
    event: withoutAbsent({ source: 'otlp', event_id: value ?? undefined }),
    usageAssumed: false,
  };
}

function translateSpan(span: OtlpSpan, reports: Reports): readonly Translation[] {
  const operation = reports.calls.get(span);
  if (operation !== undefined) return [callOrUnread(span, { operation, reports })];
  if (reports.duplicates.has(span)) return [secondReport(span, reports)];
  if (span.role.kind === 'usage') return [aroundCall(span, reports)];
  if (span.role.kind === 'structure') return [structure(span, span.role.operation)];
  const unread = unreadUsage(span.attributes);
  if (unread.length > 0 && !reports.aroundCalls.has(span)) return [notUnderstood(span, unread)];
  return mayStandBetween(span, reports) ? [structure(span, PROGRAM_SPAN)] : [];
}

interface Decided {
  readonly operation: string;
  readonly reports: Reports;
}

/** A call whose usage is written in unknown words is no call without usage. */
function callOrUnread(span: OtlpSpan, decided: Decided): Translation {
  const isRead = usedBy(span, decided.reports).usage !== undefined;
  if (isRead && span.model === undefined && span.role.kind === 'usage') {
    if (isRawRequest(span)) return structure(span, 'duplicate_report');
    return notUnderstood(
      span,
      [...span.attributes.keys()].filter((name) => /usage|token/i.test(name)),
    );
  }
  const unread = isRead || hasFailed(span) ? [] : unreadUsage(span.attributes);
  if (unread.length > 0) return notUnderstood(span, unread);
  if (isOuterEmbedding(span, decided.operation)) return structure(span, 'invoke_workflow');
  return modelCall(span, decided);
}

/** LiteLLM puts a span of what it sent and was answered into that of the call, which says the same of both. */
function isRawRequest({ scope, fields }: OtlpSpan): boolean {
  return scope === 'litellm' && at(fields, 'name') === 'raw_gen_ai_request';
}

/** AI SDK 7 calls both spans of an embedding by one name, and only the inner one has usage. */
function isOuterEmbedding(span: OtlpSpan, operation: string): boolean {
  const isUnmeasured = span.used.usage === undefined && !hasFailed(span);
  const isNamed = span.attributes.get('gen_ai.operation.name') === 'embeddings';
  return operation === 'embeddings' && isNamed && isUnmeasured && span.scope === 'gen_ai';
}

/** In a message without the one that it repeats it is a call, and is known as that. */
function secondReport(span: OtlpSpan, reports: Reports): Translation {
  const operation = span.role.kind === 'call' ? span.role.operation : 'chat';
  return { ...structure(span, 'duplicate_report'), alone: () => alone(span, operation, reports) };
}

/** So is what counts something, names no operation, and lies around a call. */
function aroundCall(span: OtlpSpan, reports: Reports): Translation {
  return { ...structure(span, 'invoke_workflow'), alone: () => alone(span, 'chat', reports) };
}

function alone(span: OtlpSpan, operation: string, reports: Reports): Translation {
  return callOrUnread(span, { operation, reports: { ...reports, ...TOLD_BY_NO_OTHER } });
}

const TOLD_BY_NO_OTHER: Pick<Reports, 'finer' | 'asked'> = { finer: new Map(), asked: new Map() };

/**
 * Usage and model stay out: a wrapper repeats what its children report, and not even always rightly. A second tenant
 * stays out, too, which is refused where a call is charged.
 */
function structure(span: OtlpSpan, operation: string): Translation {
  const { [OTHER_TENANT]: _, ...tags } = spanTags(span.attributes, span.resource);
  const event = withoutAbsent({
    ...spanFields(span),
    ...tags,
    operation,
  });
  return { event, usageAssumed: false };
}

/** Long texts may be prompts, which quarantine does not keep. */
const LONGEST_KEPT_TEXT = 200;

function notUnderstood(span: OtlpSpan, names: readonly string[]): Translation {
  const said = names.slice(0, 5).join(', ').slice(0, 300);
  const missing = span.used.usage === undefined ? 'counts that are not read' : 'usage but no model';
  const detail = `the span ${JSON.stringify(String(at(span.fields, 'name') ?? '').slice(0, 100))} of ${JSON.stringify(span.scope.slice(0, 100))} has ${missing} (${said}); name the model and its usage as the OpenTelemetry GenAI conventions do, or set spanledger.requested_model, and replay`;
  const { source, event_id } = spanFields(span);
  const kept = [...span.attributes].filter(([, value]) => !isLongText(value));
  const body = {
    resourceSpans: [
      {
        resource: { attributes: Object.fromEntries(span.resource) },
        scopeSpans: [
          {
            scope: { name: span.scope },
            spans: [{ ...identityOf(span.fields), attributes: Object.fromEntries(kept) }],
          },
        ],
      },
    ],
  };
  const event = withoutAbsent({ source, event_id });
  return { event, usageAssumed: false, instead: { kind: 'not_understood', detail, body } };
}

function isLongText(value: unknown): boolean {
  return typeof value === 'string' && value.length > LONGEST_KEPT_TEXT;
}

function identityOf({ attributes: _, events: __, links: ___, ...fields }: JsonObject): JsonObject {
  return fields;
}

function modelCall(span: OtlpSpan, decided: Decided): Translation {
  const used = usedBy(span, decided.reports);
  const call = callThatUsed(span, used, decided);
  if (used === span.used && !decided.reports.asked.has(span)) return call;
  return { ...call, alone: () => alone(span, decided.operation, decided.reports) };
}

function usedBy(span: OtlpSpan, { finer }: Reports): NativeUsage {
  return finer.get(span) ?? span.used;
}

function callThatUsed(span: OtlpSpan, used: NativeUsage, decided: Decided): Translation {
  const { attributes } = span;
  const status = hasFailed(span) ? 'error' : 'ok';
  const asked = decided.reports.asked.get(span);
  const event = withoutAbsent({
    ...spanFields(span),
    ...callTags(span, decided.reports),
    operation: decided.operation,
    operation_assumed: span.role.kind === 'usage' ? true : undefined,
    provider: providerOf(attributes),
    requested_model:
      asked?.requested ?? span.model ?? (status === 'ok' ? undefined : UNKNOWN_MODEL),
    executed_model: asked?.executed ?? executedModel(attributes),
    response_id: responseIdOf(attributes),
    call_id: firstAttribute(attributes, CALL_IDS),
    service_tier: tierOf(attributes),
    gateway_cache: firstAttribute(attributes, ['spanledger.gateway_cache']),
    attempt: firstAttribute(attributes, ['spanledger.attempt']),
    usage: usageOfCall(used, status),
    reported_cost: spanCost(attributes),
    hold_id: firstAttribute(attributes, ['spanledger.hold_id']),
    layers: layers(attributes),
  });
  return translationOf(event, used);
}

/** Ids of one call over its attempts: our own, and those by which the logs of LiteLLM and of LangWatch's gateway know it. */
const CALL_IDS = [
  'spanledger.call_id',
  'litellm_call_id',
  'metadata.litellm_call_id',
  'litellm.call_id',
  'langwatch.gateway_request_id',
];

/** Returns what every event of a span has, model call or not. */
function spanFields(span: OtlpSpan): JsonObject {
  const failed = hasFailed(span);
  return {
    event_id: eventId(span),
    source: firstGiven(
      firstAttribute(span.attributes, ['spanledger.source']),
      firstAttribute(span.resource, ['spanledger.source']),
      'otlp',
    ),
    occurred_at: timeFromNanos(at(span.fields, 'endTimeUnixNano')),
    started_at: timeFromNanos(at(span.fields, 'startTimeUnixNano')),
    status: failed ? 'error' : 'ok',
    error_type: failed ? errorTypeOf(span) : undefined,
    tags: unlessEmpty(spanFurtherTags(span.attributes)),
    trace_id: span.traceId,
    span_id: span.spanId,
    parent_span_id: span.parentSpanId,
  };
}

/** A log record sent to the address for traces decodes as a span without ids; it gets no event id. */
function eventId(span: OtlpSpan): unknown {
  return keyInTrace(span.traceId, span.spanId) ?? undefined;
}

/**
 * Both reports tell of one call, so the kept one also takes the tags that only the other carries; then those
 * of the nearest enclosing span of the message that has one, and at last those of the resource.
 */
function callTags(span: OtlpSpan, reports: Reports): JsonObject {
  const others = reports.otherReports.get(span) ?? [];
  const around = reports.enclosing.get(span) ?? [];
  const own = [span, ...others, ...around].map(({ attributes }) => tagsOf(attributes));
  const resources = [span, ...others, ...around].map(({ resource }) => tagsOf(resource));
  return firstTags([...own, ...resources]);
}

const LAYERS = ['prompt', 'tool', 'memory', 'response'];

/** No convention splits the input into layers, so they come under our own names. */
function layers(attributes: Attributes): JsonObject | undefined {
  const counts = LAYERS.map((layer) => [layer, attributes.get(`spanledger.layers.${layer}`)]);
  return unlessEmpty(withoutAbsent(Object.fromEntries(counts)));
}
