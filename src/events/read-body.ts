import { type TravelledText, unwrapEnvelope } from './envelope.ts';
import { isGzip, isGzipBase64, unfold } from './folded.ts';
import { isObject, type JsonObject } from './foreign/foreign-value.ts';
import type { EmptyItem, ReadItem } from './item.ts';
import {
  isTooDeep,
  MOST_ITEMS,
  OutOfBounds,
  readJson,
  tooDeep,
  tooManyItems,
} from './json-bounds.ts';
import { decodeOtlpProtobuf } from './otlp/otlp-protobuf.ts';
import {
  entriesWithin,
  type ItemContext,
  isLongEvent,
  LARGEST_EVENT_CHARACTERS,
  preview,
  readItem,
  refuse,
  refuseLongEvent,
} from './read-item.ts';
import { textOfBytes } from './text-of-bytes.ts';

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
 * says so. Never throws, whatever the body is. A message that holds more than a worker can bear is one
 * refused item, and no object is made of it.
 */
export function readBody(body: string, context: ReadContext): readonly ReadItem[] {
  try {
    const items = readMessageBody(body, context);
    return items.length > 0 ? items : [empty(NOTHING_IN_IT, () => body)];
  } catch (error) {
    return [refuse(becauseOf(error, 'the body cannot be read'), () => body)];
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

/**
 * Reads a body that a subscription or an exporter compressed; what is inside is compressed no
 * further.
 */
function readFolded(body: string, context: ReadContext): readonly ReadItem[] {
  const unfolded = unfold('gzip', Buffer.from(body, 'base64'), 'the body');
  if (unfolded.kind === 'refused') return [refuse(unfolded, () => body)];
  return readText(textOfBytes(unfolded.bytes), context);
}

function readText(body: string, context: ReadContext): readonly ReadItem[] {
  if (isLines(body)) return readLines(body, context);
  const json = readJson(body);
  if (json !== undefined) return readMessage(json, { ...context, body });
  const detail = `the body is not JSON: it begins ${preview(body)}`;
  return [refuse({ reason: 'not_json', detail }, () => body)];
}

/** Tells whether a text has one JSON object a line, as batches, logs and exporters write files. */
function isLines(body: string): boolean {
  const end = body.indexOf('\n');
  if (end === -1 || body.slice(end).trim() === '') return false;
  // A document that is written over many lines has no whole object in its first.
  const [first = ''] = body.trimStart().split('\n', 1);
  return isObject(readJson(first));
}

/** Each line stands alone: one that cannot be read leaves the others as they are. */
function readLines(body: string, context: ReadContext): readonly ReadItem[] {
  const lines = body.split('\n', MOST_ITEMS + 1).filter((line) => line.trim() !== '');
  if (lines.length > MOST_ITEMS) throw tooManyItems(lines.length);
  return gather(lines, (line) => {
    const whole = () => line;
    return alone(whole, () => {
      const json = readJson(line);
      const detail = `the line is not JSON: it begins ${preview(line)}`;
      if (json === undefined) return [refuse({ reason: 'not_json', detail }, whole)];
      return readMessage(json, { ...context, body: line });
    });
  });
}

/** Returns what one of several holds; where that is more than can be borne, it alone is refused. */
function alone(body: () => string, read: () => readonly ReadItem[]): readonly ReadItem[] {
  try {
    return read();
  } catch (error) {
    return [refuse(becauseOf(error, 'a part of the body cannot be read'), body)];
  }
}

function becauseOf(error: unknown, what: string) {
  if (error instanceof OutOfBounds) return { reason: error.reason, detail: error.message };
  return { reason: 'unknown_format', detail: `${what} (${String(error)})` } as const;
}

/**
 * Returns the items of all parts. Throws `OutOfBounds` before there are more than one transaction
 * should post.
 */
function gather<Part>(
  parts: readonly Part[],
  read: (part: Part) => readonly ReadItem[],
): readonly ReadItem[] {
  const items: ReadItem[] = [];
  let entries = 0;
  for (const part of parts) {
    for (const item of read(part)) {
      entries += entriesWithin(item);
      if (entries > MOST_ITEMS) throw tooManyItems(entries);
      items.push(item);
    }
  }
  return items;
}

function readItems(values: readonly unknown[], context: MessageContext): readonly ReadItem[] {
  const characters = context.unfoldedCharacters ?? context.body.length;
  const isLong = characters > LARGEST_EVENT_CHARACTERS;
  return gather(values, (value) => {
    if (isLong && isLongEvent(value)) return [refuseLongEvent(value)];
    return readItem(value, context);
  });
}

interface MessageContext extends ReadContext {
  readonly body: string;
  /** How long what is read is, where it was compressed and is longer than the body. */
  readonly unfoldedCharacters?: number;
}

function readMessage(received: unknown, context: MessageContext): readonly ReadItem[] {
  const whole = () => context.body;
  const unwrapped = unwrapEnvelope(received);
  if (unwrapped.kind === 'refused') return [refuse(unwrapped, whole)];
  if (unwrapped.kind === 'empty') return [empty(unwrapped.reason, whole)];
  if (unwrapped.kind === 'texts') return readEach(unwrapped.texts, unwrapped.what, context);
  const json = unwrapped.value;
  // What an envelope carries as text was not looked into before.
  if (json !== received && isTooDeep(json)) throw tooDeep();
  if (Array.isArray(json)) return readItems(json, context);
  if (!isObject(json)) {
    const detail = 'the body is JSON, but not an object';
    return [refuse({ reason: 'unknown_format', detail }, whole)];
  }
  if (Array.isArray(json['events']) && !('encoding' in json)) {
    return readItems(json['events'], context);
  }
  if ('encoding' in json) return readEncodedPack(json, context);
  // What is refused is kept as the event itself, which says what the envelope around it does not.
  if (json !== received) return readItems([json], context);
  const items = gather([json], (item) => readItem(item, context, context.body));
  return items.length > 0 ? items : [empty(NOTHING_IN_IT, whole)];
}

/**
 * Reads what travelled together, each on its own: one that cannot be read leaves the others as they
 * are.
 */
function readEach(
  texts: readonly TravelledText[],
  what: string,
  context: ReadContext,
): readonly ReadItem[] {
  return gather(texts, ({ text, body }) =>
    alone(body, () => {
      const value = readJson(text);
      if (value !== undefined) return readItem(value, context, text);
      return [refuse({ reason: 'not_json', detail: `a ${what} holds no JSON` }, body)];
    }),
  );
}

/**
 * Reads a body of an OTLP exporter that sends protobuf; SQS carries text, so it comes as base64.
 */
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
    if (isTooDeep(decoded)) throw tooDeep();
    return readMessage(decoded, context);
  } catch (error) {
    const what = 'the body is not the base64 of an OTLP request';
    return [refuse(becauseOf(error, what), whole)];
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
  const text = textOfBytes(unfolded.bytes);
  const json = readJson(text);
  if (!Array.isArray(json)) {
    const detail = 'events: does not unfold to a JSON array of events';
    return [refuse({ reason: 'invalid_field', detail }, whole)];
  }
  return readItems(json, { ...context, unfoldedCharacters: text.length });
}

function empty(reason: string, body: () => string): EmptyItem {
  return { kind: 'empty', reason, source: null, body };
}
