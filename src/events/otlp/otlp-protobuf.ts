import { at } from '../foreign/foreign-value.ts';
import { MOST_VALUES, OutOfBounds } from '../json-bounds.ts';
import { type Field, type MessageType, readMessage } from './protobuf-wire.ts';

/**
 * Decodes a request in OTLP's protobuf encoding, as the object that the JSON encoding has, with the
 * fields that are read further on. Throws an Error that says where and why the bytes are no such
 * request. The bytes do not say whether they are spans or log records: spans have ids of sixteen
 * and of eight bytes, which the fields of a log record under the same numbers have not.
 */
export function decodeOtlpProtobuf(bytes: Uint8Array): object {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const traces = decoded(buffer, request);
  if (traces.kind === 'message' && spansOf(traces.message).every(hasIds)) {
    return { resourceSpans: [], ...traces.message };
  }
  const logs = decoded(buffer, logsRequest);
  if (logs.kind === 'message') return { resourceLogs: [], ...logs.message };
  if (traces.kind === 'error') throw traces.error;
  return { resourceSpans: [], ...traces.message };
}

type Decoded =
  | { readonly kind: 'message'; readonly message: object }
  | { readonly kind: 'error'; readonly error: unknown };

function decoded(bytes: Buffer, type: MessageType): Decoded {
  try {
    const budget = { values: MOST_VALUES };
    return { kind: 'message', message: readMessage(bytes, type, { budget }) };
  } catch (error) {
    if (error instanceof OutOfBounds) throw error;
    return { kind: 'error', error };
  }
}

function spansOf(message: object): readonly unknown[] {
  return listOf(message, 'resourceSpans')
    .flatMap((ofResource) => listOf(ofResource, 'scopeSpans'))
    .flatMap((ofScope) => listOf(ofScope, 'spans'));
}

function listOf(value: unknown, name: string): readonly unknown[] {
  const list = at(value, name);
  return Array.isArray(list) ? list : [];
}

function hasIds(one: unknown): boolean {
  return String(at(one, 'traceId')).length === 32 && String(at(one, 'spanId')).length === 16;
}

/* The message types of opentelemetry-proto's trace service, the innermost first. */

const anyValue: MessageType = new Map<number, Field>([
  [1, { name: 'stringValue', type: 'text' }],
  [2, { name: 'boolValue', type: 'boolean' }],
  [3, { name: 'intValue', type: 'integer' }],
  [4, { name: 'doubleValue', type: 'double' }],
  [5, { name: 'arrayValue', type: () => valueList }],
  [6, { name: 'kvlistValue', type: () => keyValueList }],
  [7, { name: 'bytesValue', type: 'base64' }],
]);

const valueList: MessageType = new Map<number, Field>([
  [1, { name: 'values', type: () => anyValue, repeated: true }],
]);

const keyValue: MessageType = new Map<number, Field>([
  [1, { name: 'key', type: 'text' }],
  [2, { name: 'value', type: () => anyValue }],
]);

const keyValueList: MessageType = new Map<number, Field>([
  [1, { name: 'values', type: () => keyValue, repeated: true }],
]);

const event: MessageType = new Map<number, Field>([
  [1, { name: 'timeUnixNano', type: 'nanos' }],
  [2, { name: 'name', type: 'text' }],
  [3, { name: 'attributes', type: () => keyValue, repeated: true }],
]);

const status: MessageType = new Map<number, Field>([
  [2, { name: 'message', type: 'text' }],
  [3, { name: 'code', type: 'enum' }],
]);

const span: MessageType = new Map<number, Field>([
  [1, { name: 'traceId', type: 'hex' }],
  [2, { name: 'spanId', type: 'hex' }],
  [4, { name: 'parentSpanId', type: 'hex' }],
  [5, { name: 'name', type: 'text' }],
  [6, { name: 'kind', type: 'enum' }],
  [7, { name: 'startTimeUnixNano', type: 'nanos' }],
  [8, { name: 'endTimeUnixNano', type: 'nanos' }],
  [9, { name: 'attributes', type: () => keyValue, repeated: true }],
  [11, { name: 'events', type: () => event, repeated: true }],
  [15, { name: 'status', type: () => status }],
]);

const scope: MessageType = new Map<number, Field>([
  [1, { name: 'name', type: 'text' }],
  [2, { name: 'version', type: 'text' }],
]);

const scopeSpans: MessageType = new Map<number, Field>([
  [1, { name: 'scope', type: () => scope }],
  [2, { name: 'spans', type: () => span, repeated: true }],
]);

const resource: MessageType = new Map<number, Field>([
  [1, { name: 'attributes', type: () => keyValue, repeated: true }],
]);

const resourceSpans: MessageType = new Map<number, Field>([
  [1, { name: 'resource', type: () => resource }],
  [2, { name: 'scopeSpans', type: () => scopeSpans, repeated: true }],
]);

const request: MessageType = new Map<number, Field>([
  [1, { name: 'resourceSpans', type: () => resourceSpans, repeated: true }],
]);

/* The message types of its logs service. */

const logRecord: MessageType = new Map<number, Field>([
  [1, { name: 'timeUnixNano', type: 'nanos' }],
  [5, { name: 'body', type: () => anyValue }],
  [6, { name: 'attributes', type: () => keyValue, repeated: true }],
  [9, { name: 'traceId', type: 'hex' }],
  [10, { name: 'spanId', type: 'hex' }],
  [11, { name: 'observedTimeUnixNano', type: 'nanos' }],
  [12, { name: 'eventName', type: 'text' }],
]);

const scopeLogs: MessageType = new Map<number, Field>([
  [1, { name: 'scope', type: () => scope }],
  [2, { name: 'logRecords', type: () => logRecord, repeated: true }],
]);

const resourceLogs: MessageType = new Map<number, Field>([
  [1, { name: 'resource', type: () => resource }],
  [2, { name: 'scopeLogs', type: () => scopeLogs, repeated: true }],
]);

const logsRequest: MessageType = new Map<number, Field>([
  [1, { name: 'resourceLogs', type: () => resourceLogs, repeated: true }],
]);
