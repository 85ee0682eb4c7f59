import { at, isObject, type JsonObject } from '../foreign/foreign-value.ts';

/** The protocol's own names in the spelling of protobuf, in which some JSON encoders leave them. */
const SNAKE_NAMES = [
  'resource_spans',
  'scope_spans',
  'resource_logs',
  'scope_logs',
  'log_records',
  'resource_metrics',
  'instrumentation_library_spans',
  'instrumentation_library',
  'trace_id',
  'span_id',
  'parent_span_id',
  'start_time_unix_nano',
  'end_time_unix_nano',
  'time_unix_nano',
  'observed_time_unix_nano',
  'event_name',
  'severity_text',
  'string_value',
  'int_value',
  'double_value',
  'bool_value',
  'bytes_value',
  'array_value',
  'kvlist_value',
];

const CAMEL_NAMES: ReadonlyMap<string, string> = new Map(
  SNAKE_NAMES.map((name) => [name, name.replaceAll(/_(\w)/g, (_, letter) => letter.toUpperCase())]),
);

const ROOTS = ['resource_spans', 'resource_logs', 'resource_metrics'];

export function isSnakeCase(value: object): boolean {
  return ROOTS.some((name) => Object.hasOwn(value, name));
}

/**
 * Returns a request with the protocol's names as its JSON encoding spells them; other names stay. An exporter that writes its
 * outermost names by hand may leave what is within as protobuf spells it.
 */
export function camelRequest(value: object): object {
  return isSnakeCase(value) || hasSnakeCaseWithin(value) ? (camel(value) as object) : value;
}

const WITHIN = ['scope_spans', 'scope_logs', 'instrumentation_library_spans'];

function hasSnakeCaseWithin(value: object): boolean {
  const lists = [at(value, 'resourceSpans'), at(value, 'resourceLogs')].filter(Array.isArray);
  return lists.flat().some((ofResource) => {
    return isObject(ofResource) && WITHIN.some((name) => Object.hasOwn(ofResource, name));
  });
}

function camel(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camel);
  if (!isObject(value)) return value;
  const renamed: JsonObject = Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [CAMEL_NAMES.get(name) ?? name, camel(inner)]),
  );
  return renamed;
}
