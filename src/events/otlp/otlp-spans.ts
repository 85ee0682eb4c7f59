import type { NativeUsage } from '../foreign/foreign-usage.ts';
import {
  at,
  firstGiven,
  isObject,
  type JsonObject,
  parseJson,
  withoutAbsent,
} from '../foreign/foreign-value.ts';
import { MOST_ITEMS, tooManyItems } from '../json-bounds.ts';
import { type Attributes, firstAttribute, objectAt, readAttributes } from './otlp-attributes.ts';
import { requestedModel } from './otlp-call.ts';
import { camelRequest } from './otlp-names.ts';
import { roleOf, type SpanRole } from './otlp-operation.ts';
import type { Instrumentation } from './otlp-scopes.ts';
import { spanUsage } from './otlp-usage.ts';

/** One span with what its surroundings in the request say about it. */
export interface OtlpSpan {
  readonly fields: JsonObject;
  readonly attributes: Attributes;
  readonly resource: Attributes;
  readonly scope: string;
  readonly traceId: unknown;
  readonly spanId: unknown;
  readonly parentSpanId: unknown;
  readonly model: unknown;
  readonly used: NativeUsage;
  readonly role: SpanRole;
}

export interface OtlpRequest {
  readonly spans: readonly OtlpSpan[];
  /** What stands where a span or a list of spans should be: nothing may vanish unseen. */
  readonly unreadable: readonly unknown[];
}

export function readTraces(value: object): OtlpRequest {
  const unreadable: unknown[] = [];
  let count = 0;
  const spans = listAt(camelRequest(value), 'resourceSpans', unreadable).flatMap((ofResource) => {
    const resource = readAttributes(at(ofResource, 'resource', 'attributes'));
    const scopes = [
      ...listAt(ofResource, 'scopeSpans', unreadable),
      ...listAt(ofResource, 'instrumentationLibrarySpans', unreadable),
    ];
    return scopes.flatMap((ofScope) => {
      const name = firstGiven(
        at(ofScope, 'scope', 'name'),
        at(ofScope, 'instrumentationLibrary', 'name'),
      );
      const version = firstGiven(
        at(ofScope, 'scope', 'version'),
        at(ofScope, 'instrumentationLibrary', 'version'),
      );
      const scope: Instrumentation = {
        name: typeof name === 'string' ? name : '',
        version: typeof version === 'string' ? version : null,
      };
      const ofName = listAt(ofScope, 'spans', unreadable);
      count += ofName.length;
      if (count > MOST_ITEMS) throw tooManyItems(count);
      return ofName.map((span) => readSpan(span, resource, scope));
    });
  });
  return { spans, unreadable };
}

/** Lists the objects of a list. The protocol leaves an empty list out, or writes null. */
export function listAt(value: unknown, name: string, unreadable: unknown[]): readonly JsonObject[] {
  const list = at(value, name) ?? [];
  if (!Array.isArray(list)) {
    unreadable.push(list);
    return [];
  }
  unreadable.push(...list.filter((item) => !isObject(item)));
  return list.filter(isObject);
}

function readSpan(fields: JsonObject, resource: Attributes, scope: Instrumentation): OtlpSpan {
  const attributes = withDialect(readAttributes(at(fields, 'attributes')), {
    name: at(fields, 'name'),
    scope: scope.name,
  });
  const used = spanUsage(attributes, scope);
  const model = requestedModel(attributes);
  const bears = { model: model !== undefined, usage: used.usage !== undefined };
  return {
    fields,
    attributes,
    resource,
    scope: scope.name,
    traceId: readSpanId(at(fields, 'traceId')),
    spanId: readSpanId(at(fields, 'spanId')),
    parentSpanId: readSpanId(at(fields, 'parentSpanId')),
    model,
    used,
    role: roleOf(attributes, at(fields, 'name'), bears),
  };
}

interface SpanNames {
  readonly name: unknown;
  readonly scope: string;
}

/**
 * Returns what a producer says by the name of its span or of its scope, or in quotes, as an
 * attribute of its own.
 */
function withDialect(attributes: Attributes, { name, scope }: SpanNames): Attributes {
  // Claude Code's span is known by its name; its attributes alone could be anybody's.
  if (name === 'claude_code.llm_request') {
    return new Map([...attributes, ['spanledger.dialect', 'claude_code']]);
  }
  // vLLM serves whatever model it is given, at nobody's list price.
  if (/^vllm(?:[._]|$)/.test(scope) && !attributes.has('gen_ai.provider.name')) {
    return new Map([...attributes, ['spanledger.provider', 'vllm']]);
  }
  if (attributes.has('lk.tts_metrics')) return withSpeech(attributes);
  if (!attributes.has('mlflow.spanType')) return attributes;
  return new Map([...attributes].map(([key, value]) => [key, unquoted(key, value)]));
}

/** LiveKit says in an object of its own alone what was spoken, by which model and how much. */
function withSpeech(attributes: Attributes): Attributes {
  const metrics = objectAt(attributes, 'lk.tts_metrics');
  const [input, output] = [at(metrics, 'input_tokens'), at(metrics, 'output_tokens')];
  const isOfTokens = Number(input) > 0 || Number(output) > 0;
  const said = {
    'gen_ai.operation.name': 'speech',
    'gen_ai.request.model': firstGiven(at(metrics, 'metadata', 'model_name')),
    'gen_ai.provider.name': firstGiven(at(metrics, 'metadata', 'model_provider')),
    ...(isOfTokens
      ? {
          'gen_ai.usage.input_tokens': input,
          'gen_ai.usage.output_tokens': output,
          'gen_ai.usage.audio.output_tokens': output,
        }
      : { 'gen_ai.usage.characters': at(metrics, 'characters_count') }),
  };
  return new Map([...Object.entries(withoutAbsent(said)), ...attributes]);
}

/** MLflow writes its attributes as JSON, so that a text stands in quotes. */
function unquoted(key: string, value: unknown): unknown {
  if (!key.startsWith('mlflow.') || typeof value !== 'string') return value;
  return value.replace(/^"(.*)"$/s, '$1');
}

/** Base64 of sixteen or of eight bytes, as encoders write ids that do not know of the JSON encoding. */
const BASE64_ID = /^(?:[A-Za-z0-9+/]{22}==|[A-Za-z0-9+/]{11}=)$/;

/** Hexadecimal ids may be written in either case; an empty one, or one of zeros, means that there is none. */
export function readSpanId(id: unknown): unknown {
  if (typeof id !== 'string') return firstGiven(id);
  const hex = BASE64_ID.test(id) ? Buffer.from(id, 'base64').toString('hex') : id.toLowerCase();
  return /^0*$/.test(hex) ? undefined : hex;
}

/** Identifies what has this id within this trace; null when one of them is no id at all. */
export function keyInTrace(traceId: unknown, id: unknown): string | null {
  return typeof traceId === 'string' && typeof id === 'string' ? `${traceId}:${id}` : null;
}

/**
 * Returns the provider's id of the response. OpenInference has it only inside the response that it
 * attaches.
 */
export function responseIdOf(attributes: Attributes): unknown {
  return firstGiven(
    firstAttribute(attributes, ['gen_ai.response.id', 'ai.response.id', 'llm.response.id']),
    attributes.has('openinference.span.kind')
      ? at(parseJson(attributes.get('output.value')), 'id')
      : undefined,
    // What Claude Code has of the answer is the id of the request, in its log events as well.
    attributes.get('spanledger.dialect') === 'claude_code'
      ? attributes.get('request_id')
      : undefined,
  );
}

/**
 * Tells whether a span failed: by its status code, whose name some exporters write out, by the level that Langfuse
 * gives it, or by an error type.
 */
export function hasFailed(span: OtlpSpan): boolean {
  const code = at(span.fields, 'status', 'code');
  if (code === 2 || code === '2' || /^(?:status_code_)?error$/i.test(String(code))) return true;
  if (span.attributes.get('success') === false && span.role.kind === 'call') return true;
  if (/^error$/i.test(String(span.attributes.get('langfuse.observation.level')))) return true;
  return errorTypeAttribute(span) !== undefined;
}

function errorTypeAttribute(span: OtlpSpan): unknown {
  return firstAttribute(span.attributes, ['error.type']);
}

/** Returns the error type, or that of the exception which the span recorded. */
export function errorTypeOf(span: OtlpSpan): unknown {
  const events = at(span.fields, 'events');
  const recorded = Array.isArray(events)
    ? events.map((event) => readAttributes(at(event, 'attributes')).get('exception.type'))
    : [];
  return firstGiven(errorTypeAttribute(span), ...recorded);
}
