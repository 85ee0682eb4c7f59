import { serviceTier } from '../foreign/foreign-tier.ts';
import { timeFromNanos } from '../foreign/foreign-time.ts';
import { withoutOutput } from '../foreign/foreign-usage.ts';
import {
  at,
  firstGiven,
  type JsonObject,
  parseJson,
  unlessEmpty,
  withoutAbsent,
} from '../foreign/foreign-value.ts';
import type { Translation, Translator } from '../foreign/translation.ts';
import { type Attributes, firstAttribute } from './otlp-attributes.ts';
import { findReports, type Reports } from './otlp-duplicates.ts';
import {
  errorTypeOf,
  hasFailed,
  keyInTrace,
  type OtlpSpan,
  readRequest,
  responseIdOf,
} from './otlp-spans.ts';
import { spanFurtherTags, spanTags } from './otlp-tags.ts';
import { spanUsage } from './otlp-usage.ts';

/** An ExportTraceServiceRequest in the JSON encoding of OTLP. */
export const otlpTranslator: Translator = {
  format: 'otlp',
  recognizes: (value) => Array.isArray(at(value, 'resourceSpans')),
  translate: translateRequest,
};

function translateRequest(value: object): readonly Translation[] {
  const { spans, unreadable } = readRequest(value);
  const reports = findReports(spans);
  return [
    ...spans.flatMap((span) => translateSpan(span, reports)),
    ...unreadable.map(refusedLater),
  ];
}

/** What is no span gets an event without the required fields, so that it is quarantined, not dropped. */
function refusedLater(value: unknown): Translation {
  return {
    event: withoutAbsent({ source: 'otlp', event_id: value ?? undefined }),
    usageAssumed: false,
  };
}

function translateSpan(span: OtlpSpan, reports: Reports): readonly Translation[] {
  const operation = reports.calls.get(span);
  if (operation !== undefined) return [modelCall(span, { operation, reports })];
  if (reports.duplicates.has(span)) return [structure(span, 'duplicate_report')];
  if (span.role.kind === 'usage') return [structure(span, 'invoke_workflow')];
  return span.role.kind === 'structure' ? [structure(span, span.role.operation)] : [];
}

/** Usage stays out: a wrapper repeats what its children report, and not even always rightly. */
function structure(span: OtlpSpan, operation: string): Translation {
  const event = withoutAbsent({
    ...spanFields(span),
    ...spanTags(span.attributes, span.resource),
    operation,
    requested_model: requestedModel(span.attributes),
  });
  return { event, usageAssumed: false };
}

function modelCall(
  span: OtlpSpan,
  decided: { readonly operation: string; readonly reports: Reports },
): Translation {
  const { attributes } = span;
  const { usage, assumed } = spanUsage(attributes, span.scope);
  const isWithoutOutput = decided.operation === 'embeddings' || hasFailed(span);
  const event = withoutAbsent({
    ...spanFields(span),
    ...callTags(span, decided.reports),
    operation: decided.operation,
    provider: provider(attributes),
    requested_model: requestedModel(attributes),
    executed_model: firstAttribute(attributes, EXECUTED_MODELS),
    response_id: responseIdOf(attributes),
    service_tier: tier(attributes),
    gateway_cache: firstAttribute(attributes, ['spanledger.gateway_cache']),
    attempt: firstAttribute(attributes, ['spanledger.attempt']),
    usage: isWithoutOutput ? withoutOutput(usage) : usage,
    layers: layers(attributes),
  });
  return { event, usageAssumed: assumed };
}

/** What every event of a span has, model call or not. */
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

/** Both reports tell of one call, so the kept one also takes the tags that only the other carries. */
function callTags(span: OtlpSpan, reports: Reports): JsonObject {
  const own = spanTags(span.attributes, span.resource);
  const others = (reports.otherReports.get(span) ?? []).map((other) =>
    spanTags(other.attributes, other.resource),
  );
  return Object.fromEntries(
    Object.entries(own).map(([name, value]) => [
      name,
      firstGiven(value, ...others.map((tags) => tags[name])),
    ]),
  );
}

const EXECUTED_MODELS = [
  'gen_ai.response.model',
  'llm.response.model_name',
  'ai.response.model',
  'llm.model_name',
];

/** OpenInference writes the executed model as the model; the requested one is in what was asked. */
function requestedModel(attributes: Attributes): unknown {
  return firstGiven(
    firstAttribute(attributes, [
      'spanledger.requested_model',
      'gen_ai.request.model',
      'llm.request.model_name',
      'ai.model.id',
      'langfuse.observation.model.name',
    ]),
    at(parseJson(attributes.get('llm.invocation_parameters')), 'model'),
    firstAttribute(attributes, ['llm.model_name', 'gen_ai.response.model']),
  );
}

/** The AI SDK names the provider's interface, too: `openai.responses` is `openai`. */
function provider(attributes: Attributes): unknown {
  const name = firstAttribute(attributes, [
    'gen_ai.provider.name',
    'gen_ai.system',
    'llm.provider',
    'llm.system',
    'ai.model.provider',
  ]);
  return typeof name === 'string'
    ? name.replace(/\.(?:responses|chat|completion|embedding|messages)$/, '')
    : name;
}

/** The tier that served the call; where the response does not tell, the one that was asked for. */
function tier(attributes: Attributes): unknown {
  const metadata = parseJson(attributes.get('ai.response.providerMetadata'));
  return serviceTier(
    firstAttribute(attributes, [
      'spanledger.service_tier',
      'openai.response.service_tier',
      'gen_ai.openai.response.service_tier',
      'anthropic.response.service_tier',
    ]),
    at(metadata, 'openai', 'serviceTier'),
    at(metadata, 'anthropic', 'usage', 'service_tier'),
    firstAttribute(attributes, [
      'openai.request.service_tier',
      'gen_ai.openai.request.service_tier',
    ]),
  );
}

const LAYERS = ['prompt', 'tool', 'memory', 'response'];

/** No convention splits the input into layers, so they come under our own names. */
function layers(attributes: Attributes): JsonObject | undefined {
  const counts = LAYERS.map((layer) => [layer, attributes.get(`spanledger.layers.${layer}`)]);
  return unlessEmpty(withoutAbsent(Object.fromEntries(counts)));
}
