import { unwrapEnvelope } from './envelope.ts';
import { isGzip, isGzipBase64, unfold } from './folded.ts';
import { isObject, type JsonObject } from './foreign/foreign-value.ts';
import { DEEPEST_NESTING, isTextTooDeep, isTooDeep } from './nesting.ts';
import { decodeOtlpProtobuf } from './otlp/otlp-protobuf.ts';
import {
  type EmptyItem,
  type ItemContext,
  preview,
  type ReadItem,
  readItem,
  refuse,
} from './read-item.ts';

export interface ReadContext extends ItemContext {
  /** Text attributes of the message; a content type says that a body is OTLP protobuf in base64. */
  readonly attributes: Readonly<Record<string, string>>;
}

const PROTOBUF = 'application/x-protobuf';
const PROTOBUF_URL = `data:${PROTOBUF};base64,`;

/** The reason why a message held no event at all. */
const NOTHING_IN_IT = 'the message holds no events';

/**
 * Reads one SQS message body into its events: at least one item, for a message in which nothing was used
 * says so. Never throws, whatever the body is.
 */
export function readBody(body: string, context: ReadContext): readonly ReadItem[] {
  try {
    const items = readMessageBody(body, context);
    return items.length > 0 ? items : [empty(NOTHING_IN_IT, () => body)];
  } catch (error) {
    const detail = `the body cannot be read (${String(error)})`;
    return [refuse({ reason: 'unknown_format', detail }, () => body)];
  }
}

function readMessageBody(body: string, context: ReadContext): readonly ReadItem[] {
  if (contentTypeOf(context.attributes) === PROTOBUF) return readProtobuf({ ...context, body });
  // The form in which a protobuf body lies in quarantine: it says itself what it is, since
  // attributes are not kept.
  if (body.startsWith(PROTOBUF_URL)) {
    return readProtobuf({ ...context, body: body.slice(PROTOBUF_URL.length) });
  }
  if (isGzipBase64(body)) return readFolded(body, context);
  return readText(body, context);
}

/** A body that a subscription or an exporter compressed; what is inside is compressed no further. */
function readFolded(body: string, context: ReadContext): readonly ReadItem[] {
  const unfolded = unfold('gzip', Buffer.from(body, 'base64'), 'the body');
  if (unfolded.kind === 'refused') return [refuse(unfolded, () => body)];
  return readText(unfolded.bytes.toString('utf8'), context);
}

function readText(body: string, context: ReadContext): readonly ReadItem[] {
  const json = parseJson(body);
  if (json === undefined) return readLines(body, context);
  if (isTextTooDeep(body)) return [refuse(tooDeep, () => body)];
  return readMessage(json, { ...context, body });
}

/** One JSON text a line, as batches, logs and exporters write files; each line stands alone. */
function readLines(body: string, context: ReadContext): readonly ReadItem[] {
  const lines = body.split('\n').filter((line) => line.trim() !== '');
  const [first = ''] = lines;
  if (lines.length < 2 || !isObject(parseJson(first))) {
    const detail = `the body is not JSON: it begins ${preview(body)}`;
    return [refuse({ reason: 'not_json', detail }, () => body)];
  }
  return lines.flatMap((line) => {
    const json = parseJson(line);
    const detail = `the line is not JSON: it begins ${preview(line)}`;
    if (json === undefined) return [refuse({ reason: 'not_json', detail }, () => line)];
    if (isTextTooDeep(line)) return [refuse(tooDeep, () => line)];
    return readMessage(json, { ...context, body: line });
  });
}

const tooDeep = {
  reason: 'invalid_field',
  detail: `the body is nested more than ${DEEPEST_NESTING} deep; a usage event is flat`,
} as const;

interface MessageContext extends ReadContext {
  readonly body: string;
}

function readMessage(received: unknown, context: MessageContext): readonly ReadItem[] {
  const whole = () => context.body;
  const unwrapped = unwrapEnvelope(received);
  if (unwrapped.kind === 'refused') return [refuse(unwrapped, whole)];
  if (unwrapped.kind === 'empty') return [empty(unwrapped.reason, whole)];
  if (unwrapped.kind === 'values') return readEach(unwrapped.values, unwrapped.what, context);
  const json = unwrapped.value;
  // What an envelope carries as text was not looked into before.
  if (json !== received && isTooDeep(json)) return [refuse(tooDeep, whole)];
  if (Array.isArray(json)) return json.flatMap((item) => readItem(item, context));
  if (!isObject(json)) {
    const detail = 'the body is JSON, but not an object';
    return [refuse({ reason: 'unknown_format', detail }, whole)];
  }
  if (Array.isArray(json['events']) && !('encoding' in json)) {
    return json['events'].flatMap((item) => readItem(item, context));
  }
  if ('encoding' in json) return readEncodedPack(json, context);
  const items = readItem(json, context, context.body);
  return items.length > 0 ? items : [empty(NOTHING_IN_IT, whole)];
}

/** What travelled together, each on its own: one that cannot be read leaves the others as they are. */
function readEach(
  values: readonly unknown[],
  what: string,
  context: MessageContext,
): readonly ReadItem[] {
  return values.flatMap((value): readonly ReadItem[] => {
    const body = () => (value === null ? context.body : JSON.stringify(value));
    if (value === null) {
      return [refuse({ reason: 'not_json', detail: `a ${what} holds no JSON` }, body)];
    }
    if (isTooDeep(value)) return [refuse(tooDeep, body)];
    return readItem(value, context);
  });
}

/** A body of an OTLP exporter that sends protobuf; SQS carries text, so it comes as base64. */
function readProtobuf(context: MessageContext): readonly ReadItem[] {
  const whole = () => PROTOBUF_URL + context.body;
  const bytes = Buffer.from(context.body, 'base64');
  // Node passes over what is not base64, and no bytes at all would be a request without spans.
  if (bytes.length === 0 || !/^[\w+/-]+={0,2}$/.test(context.body.trim())) {
    const detail = 'the body is not base64, as OTLP protobuf must be on a queue that carries text';
    return [refuse({ reason: 'unknown_format', detail }, whole)];
  }
  const unfolded = isGzip(bytes)
    ? unfold('gzip', bytes, 'the body')
    : { kind: 'bytes' as const, bytes };
  if (unfolded.kind === 'refused') return [refuse(unfolded, whole)];
  try {
    const decoded = decodeOtlpProtobuf(unfolded.bytes);
    if (isTooDeep(decoded)) return [refuse(tooDeep, whole)];
    return readMessage(decoded, context);
  } catch (error) {
    const detail = `the body is not the base64 of an OTLP request (${String(error)})`;
    return [refuse({ reason: 'unknown_format', detail }, whole)];
  }
}

function contentTypeOf(attributes: Readonly<Record<string, string>>): string {
  const name = Object.keys(attributes).find((key) => /^content-?type$/i.test(key));
  return name === undefined ? '' : ((attributes[name] ?? '').split(';')[0]?.trim() ?? '');
}

/** Unfolds `{"encoding":"gzip"|"zstd","events":"<base64>"}`; a bomb stops at the size limit. */
function readEncodedPack(pack: JsonObject, context: MessageContext): readonly ReadItem[] {
  const whole = () => context.body;
  const { encoding, events } = pack;
  if (encoding !== 'gzip' && encoding !== 'zstd') {
    const detail = `encoding: ${JSON.stringify(encoding)} is not one of "gzip", "zstd"`;
    return [refuse({ reason: 'invalid_field', detail }, whole)];
  }
  if (typeof events !== 'string') {
    return [refuse({ reason: 'invalid_field', detail: 'events: is not a base64 string' }, whole)];
  }
  const unfolded = unfold(encoding, Buffer.from(events, 'base64'), 'events');
  if (unfolded.kind === 'refused') return [refuse(unfolded, whole)];
  const text = unfolded.bytes.toString('utf8');
  const json = parseJson(text);
  if (!Array.isArray(json) || isTextTooDeep(text)) {
    const detail = 'events: does not unfold to a JSON array of events';
    return [refuse({ reason: 'invalid_field', detail }, whole)];
  }
  return json.flatMap((item) => readItem(item, context));
}

function empty(reason: string, body: () => string): EmptyItem {
  return { kind: 'empty', reason, source: null, body };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
