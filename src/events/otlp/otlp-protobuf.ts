import { type Field, type MessageType, readMessage } from './protobuf-wire.ts';

/**
 * A request in OTLP's protobuf encoding, as the object that the JSON encoding has, with the fields that
 * are read further on. Throws an Error that says where and why the bytes are no such request.
 */
export function decodeOtlpProtobuf(bytes: Uint8Array): object {
  const message = readMessage(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), request);
  return { resourceSpans: [], ...message };
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
