import { at, firstGiven, isObject, type JsonObject, parseJson } from '../foreign/foreign-value.ts';
import { type Attributes, firstAttribute, readAttributes } from './otlp-attributes.ts';
import { roleOf, type SpanRole } from './otlp-operation.ts';
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
  readonly role: SpanRole;
}

export interface OtlpRequest {
  readonly spans: readonly OtlpSpan[];
  /** What stands where a span or a list of spans should be: nothing may vanish unseen. */
  readonly unreadable: readonly unknown[];
}

export function readRequest(value: object): OtlpRequest {
  const unreadable: unknown[] = [];
  const spans = listAt(value, 'resourceSpans', unreadable).flatMap((ofResource) => {
    const resource = readAttributes(at(ofResource, 'resource', 'attributes'));
    return listAt(ofResource, 'scopeSpans', unreadable).flatMap((ofScope) => {
      const name = at(ofScope, 'scope', 'name');
      const scope = typeof name === 'string' ? name : '';
      return listAt(ofScope, 'spans', unreadable).map((span) => readSpan(span, resource, scope));
    });
  });
  return { spans, unreadable };
}

/** The objects of a list. The protocol leaves an empty list out, or writes null. */
function listAt(value: unknown, name: string, unreadable: unknown[]): readonly JsonObject[] {
  const list = at(value, name) ?? [];
  if (!Array.isArray(list)) {
    unreadable.push(list);
    return [];
  }
  unreadable.push(...list.filter((item) => !isObject(item)));
  return list.filter(isObject);
}

function readSpan(fields: JsonObject, resource: Attributes, scope: string): OtlpSpan {
  const attributes = readAttributes(at(fields, 'attributes'));
  return {
    fields,
    attributes,
    resource,
    scope,
    traceId: readId(at(fields, 'traceId')),
    spanId: readId(at(fields, 'spanId')),
    parentSpanId: readId(at(fields, 'parentSpanId')),
    role: roleOf(attributes),
  };
}

/** Hexadecimal ids may be written in either case; an empty one means that there is none. */
function readId(id: unknown): unknown {
  return typeof id === 'string' ? firstGiven(id.toLowerCase()) : firstGiven(id);
}

/** Identifies what has this id within this trace; null when one of them is no id at all. */
export function keyInTrace(traceId: unknown, id: unknown): string | null {
  return typeof traceId === 'string' && typeof id === 'string' ? `${traceId}:${id}` : null;
}

/** The provider's id of the response. OpenInference has it only inside the response that it attaches. */
export function responseIdOf(attributes: Attributes): unknown {
  return firstGiven(
    firstAttribute(attributes, ['gen_ai.response.id', 'ai.response.id']),
    attributes.has('openinference.span.kind')
      ? at(parseJson(attributes.get('output.value')), 'id')
      : undefined,
  );
}

export function outputTokensOf(span: OtlpSpan): unknown {
  return at(spanUsage(span.attributes, span.scope).usage, 'output_tokens');
}

/** Failed by its status code, whose name some exporters write out, or by an error type. */
export function hasFailed(span: OtlpSpan): boolean {
  const code = at(span.fields, 'status', 'code');
  return code === 2 || code === 'STATUS_CODE_ERROR' || errorTypeAttribute(span) !== undefined;
}

function errorTypeAttribute(span: OtlpSpan): unknown {
  return firstAttribute(span.attributes, ['error.type']);
}

/** The error type, or that of the exception which the span recorded. */
export function errorTypeOf(span: OtlpSpan): unknown {
  const events = at(span.fields, 'events');
  const recorded = Array.isArray(events)
    ? events.map((event) => readAttributes(at(event, 'attributes')).get('exception.type'))
    : [];
  return firstGiven(errorTypeAttribute(span), ...recorded);
}
