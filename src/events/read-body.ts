import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { InstantMs } from '../clock.ts';
import { digestEvent } from './digest.ts';
import type { EmailPolicy } from './email-identifiers.ts';
import { guardEmails } from './email-identifiers.ts';
import { unwrapEnvelope } from './envelope.ts';
import type { QuarantineReason, UsageEvent } from './event.ts';
import { findTranslator } from './foreign/foreign-formats.ts';
import type { LitellmKey } from './foreign/litellm-encrypted.ts';
import { decryptLitellm, isLitellmEnvelope } from './foreign/litellm-encrypted.ts';
import type { Translator } from './foreign/translation.ts';
import { readNativeEvent } from './native-event.ts';
import { DEEPEST_NESTING, isTextTooDeep, isTooDeep } from './nesting.ts';
import { decodeOtlpProtobuf } from './otlp/otlp-protobuf.ts';
import { isStorable } from './schema-parts.ts';

/** One event of a message, good or bad; each stands alone, so a bad event never takes down its pack. */
export type ReadItem = ReadEvent | RefusedItem;

export interface ReadEvent {
  readonly kind: 'event';
  readonly event: UsageEvent;
  readonly digest: Buffer;
  /** The event's own JSON, made only when it must be quarantined after all. */
  readonly body: () => string;
}

export interface RefusedItem {
  readonly kind: 'refused';
  readonly reason: QuarantineReason;
  readonly detail: string;
  readonly source: string | null;
  readonly eventId: string | null;
  /** What to read again on a replay. */
  readonly body: () => string;
}

/** What an operator decides of reading. */
export interface ReadSettings {
  /** Opens LiteLLM's encrypted bodies; null where none is configured. */
  readonly litellmKey: LitellmKey | null;
  /** E-mail addresses are kept as they are where nothing else is said. */
  readonly emails?: EmailPolicy;
}

export interface ReadContext extends ReadSettings {
  readonly receivedAt: InstantMs;
  /** Text attributes of the message; a content type says that a body is OTLP protobuf in base64. */
  readonly attributes: Readonly<Record<string, string>>;
}

const KEEP_EMAILS: EmailPolicy = { kind: 'keep' };

const PROTOBUF = 'application/x-protobuf';
const PROTOBUF_URL = `data:${PROTOBUF};base64,`;

/** A pack may unfold to this many bytes; more is a bomb or a mistake. */
const LARGEST_PACK_BYTES = 64 * 1024 * 1024;
/** One event alone; the largest honest one, a thousand members, is about 200 KiB. */
const LARGEST_EVENT_CHARACTERS = 512 * 1024;

/** Reads one SQS message body into its events. Never throws, whatever the body is. */
export function readBody(body: string, context: ReadContext): readonly ReadItem[] {
  try {
    return readMessageBody(body, context);
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
  const json = parseJson(body);
  if (json === undefined) {
    const detail = `the body is not JSON: it begins ${preview(body)}`;
    return [refuse({ reason: 'not_json', detail }, () => body)];
  }
  if (isTextTooDeep(body)) return [refuse(tooDeep, () => body)];
  return readMessage(json, { ...context, body });
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
  const json = unwrapped.value;
  // What an envelope carries as text was not looked into before.
  if (json !== received && isTooDeep(json)) return [refuse(tooDeep, whole)];
  if (Array.isArray(json)) return json.flatMap((item) => readItem(item, context, null));
  if (!isObject(json)) {
    const detail = 'the body is JSON, but not an object';
    return [refuse({ reason: 'unknown_format', detail }, whole)];
  }
  if (Array.isArray(json['events']) && !('encoding' in json)) {
    return json['events'].flatMap((item) => readItem(item, context, null));
  }
  if ('encoding' in json) return readEncodedPack(json, context);
  if (isLitellmEnvelope(json)) return readEncrypted(json, context);
  return readItem(json, context, context.body);
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
  try {
    const decoded = decodeOtlpProtobuf(bytes);
    if (isTooDeep(decoded)) return [refuse(tooDeep, whole)];
    return readMessage(decoded, context);
  } catch (error) {
    const detail = `the body is not the base64 of an OTLP trace request (${String(error)})`;
    return [refuse({ reason: 'unknown_format', detail }, whole)];
  }
}

function contentTypeOf(attributes: Readonly<Record<string, string>>): string {
  const name = Object.keys(attributes).find((key) => /^content-?type$/i.test(key));
  return name === undefined ? '' : ((attributes[name] ?? '').split(';')[0]?.trim() ?? '');
}

/** Unfolds `{"encoding":"gzip"|"zstd","events":"<base64>"}`; a bomb stops at the size limit. */
function readEncodedPack(
  pack: Readonly<Record<string, unknown>>,
  context: MessageContext,
): readonly ReadItem[] {
  const whole = () => context.body;
  const { encoding, events } = pack;
  if (encoding !== 'gzip' && encoding !== 'zstd') {
    const detail = `encoding: ${JSON.stringify(encoding)} is not one of "gzip", "zstd"`;
    return [refuse({ reason: 'invalid_field', detail }, whole)];
  }
  if (typeof events !== 'string') {
    return [refuse({ reason: 'invalid_field', detail: 'events: is not a base64 string' }, whole)];
  }
  const unfolded = unfold(encoding, events);
  if (unfolded.kind === 'refused') return [refuse(unfolded, whole)];
  const json = parseJson(unfolded.text);
  if (!Array.isArray(json) || isTextTooDeep(unfolded.text)) {
    const detail = 'events: does not unfold to a JSON array of events';
    return [refuse({ reason: 'invalid_field', detail }, whole)];
  }
  return json.flatMap((item) => readItem(item, context, null));
}

type Unfolded =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'refused'; readonly reason: QuarantineReason; readonly detail: string };

function unfold(encoding: 'gzip' | 'zstd', base64: string): Unfolded {
  const bytes = Buffer.from(base64, 'base64');
  const limit = { maxOutputLength: LARGEST_PACK_BYTES };
  try {
    const unfolded =
      encoding === 'gzip' ? gunzipSync(bytes, limit) : zstdDecompressSync(bytes, limit);
    return { kind: 'text', text: unfolded.toString('utf8') };
  } catch (error) {
    if (error instanceof RangeError || codeOf(error) === 'ERR_BUFFER_TOO_LARGE') {
      const detail = `events: unfolds to more than ${LARGEST_PACK_BYTES} bytes; send smaller packs`;
      return { kind: 'refused', reason: 'too_large', detail };
    }
    const detail = `events: is not the base64 of ${encoding} data (${String(error)})`;
    return { kind: 'refused', reason: 'invalid_field', detail };
  }
}

function readEncrypted(
  envelope: Readonly<Record<string, unknown>>,
  context: MessageContext,
): readonly ReadItem[] {
  if (context.litellmKey === null) {
    const detail = '__encrypted__: no key is configured; set SPANLEDGER_LITELLM_KEY and replay';
    return [refuse({ reason: 'invalid_field', detail }, () => context.body)];
  }
  try {
    return readItem(decryptLitellm(envelope, context.litellmKey), context, null);
  } catch (error) {
    const detail = `payload: cannot be decrypted (${String(error)}); check SPANLEDGER_LITELLM_KEY`;
    return [refuse({ reason: 'invalid_field', detail }, () => context.body)];
  }
}

/** Fields of which a native event has at least one; with none of them a shape is unknown. */
const NATIVE_FIELDS = ['event_id', 'occurred_at', 'requested_model', 'usage', 'status'];

/** Reads one event of a message; `text` is its own JSON where it is the whole body. */
function readItem(
  item: unknown,
  context: MessageContext,
  text: string | null,
): readonly ReadItem[] {
  const body = () => text ?? JSON.stringify(item);
  if (!isObject(item)) {
    return [
      refuse(
        {
          reason: 'unknown_format',
          detail: `the event is ${preview(JSON.stringify(item))}, not an object`,
        },
        body,
      ),
    ];
  }
  if ((text ?? '').length > LARGEST_EVENT_CHARACTERS) {
    const detail = `the event has ${text?.length} characters, more than ${LARGEST_EVENT_CHARACTERS}`;
    return [refuse({ reason: 'too_large', detail }, body)];
  }
  const translator = Object.hasOwn(item, 'event_id') ? null : findTranslator(item);
  if (translator !== null) return readForeign(item, translator, { ...context, text });
  if (!NATIVE_FIELDS.some((field) => Object.hasOwn(item, field))) {
    const detail = `the object has none of ${NATIVE_FIELDS.join(', ')} and fits no known format`;
    return [refuse({ reason: 'unknown_format', detail }, body, item)];
  }
  return [readNative(item, context, body)];
}

function readForeign(
  item: Readonly<Record<string, unknown>>,
  translator: Translator,
  context: MessageContext & { readonly text: string | null },
): readonly ReadItem[] {
  try {
    return translator.translate(item).map(({ event, usageAssumed }) => {
      const native = usageAssumed ? markAssumed(event) : event;
      return readNative(native, context, () => JSON.stringify(native));
    });
  } catch (error) {
    const detail = `the ${translator.format} message cannot be translated (${String(error)})`;
    return [
      refuse(
        { reason: 'unknown_format', detail },
        () => context.text ?? JSON.stringify(item),
        item,
      ),
    ];
  }
}

function markAssumed(event: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const usage = event['usage'];
  return isObject(usage) ? { ...event, usage: { ...usage, assumed: true } } : event;
}

function readNative(
  item: Readonly<Record<string, unknown>>,
  context: MessageContext,
  body: () => string,
): ReadItem {
  const reading = readNativeEvent(item, context.receivedAt);
  if (reading.kind === 'refused') return refuse(reading, body, item);
  const guarded = guardEmails(reading.event, context.emails ?? KEEP_EMAILS);
  if (guarded.kind === 'refused') {
    return refuse({ reason: 'invalid_field', detail: guarded.detail }, body, item);
  }
  // The digest is of the event as it was sent: a policy that changes makes no conflict of what
  // comes again.
  return { kind: 'event', event: guarded.event, digest: digestEvent(reading.event), body };
}

function refuse(
  because: { readonly reason: QuarantineReason; readonly detail: string },
  body: () => string,
  item: Readonly<Record<string, unknown>> = {},
): RefusedItem {
  return {
    kind: 'refused',
    reason: because.reason,
    detail: because.detail,
    source: storable(item['source']),
    eventId: storable(item['event_id']),
    body,
  };
}

/** What of a refused event's identity can be kept beside its body. */
function storable(value: unknown): string | null {
  return typeof value === 'string' && value !== '' && isStorable(value)
    ? value.slice(0, 200)
    : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function preview(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}
