import type { QuarantineReason } from './event.ts';
import { isGzipBase64, unfold } from './folded.ts';
import { at, firstGiven, parseJson } from './foreign/foreign-value.ts';
import { OutOfBounds, readJson } from './json-bounds.ts';
import { textOfBytes } from './text-of-bytes.ts';

/** What a queue message is about, once the services that passed it on are taken off. */
export type Unwrapped =
  | { readonly kind: 'value'; readonly value: unknown }
  /** Several messages that travelled together, each with the text that it was. */
  | { readonly kind: 'texts'; readonly texts: readonly TravelledText[]; readonly what: string }
  | { readonly kind: 'empty'; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: QuarantineReason; readonly detail: string };

/** One message of several in an envelope. */
export interface TravelledText {
  readonly text: string;
  /** The envelope with this message alone, to be read again; made only when it must be. */
  readonly body: () => string;
}

/** A topic behind a bus behind a topic is as deep as anybody builds; more is a loop or an attack. */
const ENVELOPE_LIMIT = 4;

/**
 * The value inside an SNS notification, an EventBridge event or a subscription of CloudWatch Logs, or the
 * value itself. Throws `OutOfBounds` where what is inside holds too much.
 */
export function unwrapEnvelope(value: unknown): Unwrapped {
  let current = value;
  for (let opened = 0; opened <= ENVELOPE_LIMIT; opened += 1) {
    if (isPayloadPointer(current)) return refused('unknown_format', POINTER_DETAIL);
    const ended = cloudWatchMessages(current) ?? s3Notification(current);
    if (ended !== null) return ended;
    const inner = innerOf(current);
    if (inner === null) return { kind: 'value', value: current };
    if (inner.value === undefined) {
      return refused('not_json', `the ${inner.envelope} around this event holds no JSON`);
    }
    current = inner.value;
  }
  return refused('unknown_format', `the event is wrapped in more than ${ENVELOPE_LIMIT} envelopes`);
}

interface Inner {
  readonly envelope: string;
  /** It is undefined when what the envelope holds cannot be read. */
  readonly value: unknown;
}

function innerOf(value: unknown): Inner | null {
  if (at(value, 'Type') === 'Notification') {
    return { envelope: 'SNS notification', value: innerJson(at(value, 'Message')) };
  }
  if (typeof at(value, 'detail-type') === 'string') {
    return { envelope: 'EventBridge event', value: at(value, 'detail') };
  }
  const folded = at(value, 'awslogs', 'data');
  if (typeof folded === 'string') {
    return { envelope: 'CloudWatch Logs subscription', value: unfoldedJson(folded) };
  }
  return null;
}

function unfoldedJson(base64: string): unknown {
  if (!isGzipBase64(base64)) return undefined;
  const unfolded = unfold('gzip', Buffer.from(base64, 'base64'), 'awslogs.data');
  if (unfolded.kind === 'bytes') return readJson(textOfBytes(unfolded.bytes));
  if (unfolded.reason === 'too_large') throw new OutOfBounds(unfolded.reason, unfolded.detail);
  return undefined;
}

function innerJson(text: unknown): unknown {
  return typeof text === 'string' ? readJson(text) : undefined;
}

const CONTROL_MESSAGE = 'a control message by which CloudWatch Logs tests its subscription';

/** A subscription hands on log events, each with what was logged as text. */
function cloudWatchMessages(value: unknown): Unwrapped | null {
  const type = at(value, 'messageType');
  const events = at(value, 'logEvents');
  if (type === 'CONTROL_MESSAGE') return { kind: 'empty', reason: CONTROL_MESSAGE };
  if (type !== 'DATA_MESSAGE' || !Array.isArray(events)) return null;
  const texts = events.map((event) => ({
    text: String(at(event, 'message') ?? ''),
    body: () => JSON.stringify({ messageType: type, logEvents: [event] }),
  }));
  return { kind: 'texts', texts, what: 'log event of the CloudWatch Logs subscription' };
}

const S3_DETAIL =
  'the body tells of an object in S3, which is not fetched here; set SPANLEDGER_FETCH_OBJECTS=yes for the worker and send the notification again, or send what is in the object';

const S3_TEST = 'a test by which S3 tries its notifications';

/** S3 tells that an object was made, by itself or over EventBridge; what was used stands in the object. */
function s3Notification(value: unknown): Unwrapped | null {
  if (at(value, 'Event') === 's3:TestEvent') return { kind: 'empty', reason: S3_TEST };
  return objectsIn(value).length === 0 ? null : refused('unknown_format', S3_DETAIL);
}

export interface ObjectName {
  readonly bucket: string;
  readonly key: string;
}

/** Returns the objects that a notification of S3 tells of; none where it is something else. */
function objectsIn(value: unknown): readonly ObjectName[] {
  const records = at(value, 'Records');
  const named = Array.isArray(records) ? records.map((record) => at(record, 's3')) : [value];
  return named.flatMap((object) => {
    const bucket = at(object, 'bucket', 'name');
    const key = firstGiven(at(object, 'object', 'key'));
    if (typeof bucket !== 'string' || typeof key !== 'string') return [];
    return [{ bucket, key: Array.isArray(records) ? decodedKey(key) : key }];
  });
}

/** Finds the objects that the text of a message names, by itself or inside SNS or EventBridge. */
export function objectsNamedBy(body: string): readonly ObjectName[] {
  try {
    const value = parseJson(body);
    const { value: inner } = innerOf(value) ?? { value };
    return objectsIn(inner);
  } catch {
    // A notification is small; what holds too much is refused where it is read.
    return [];
  }
}

/** S3's own notifications write keys as forms do; EventBridge hands them on as they are. */
function decodedKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return key;
  }
}

const POINTER_DETAIL =
  'the body is a pointer of the SQS extended client to an object in S3, which is not read; send the event itself, or a compressed pack of events';

const POINTER_CLASSES: ReadonlySet<unknown> = new Set([
  'software.amazon.payloadoffloading.PayloadS3Pointer',
  'com.amazon.sqs.javamessaging.MessageS3Pointer',
]);

/** The extended client replaces a large body by the name of a Java class and where the body went. */
function isPayloadPointer(value: unknown): boolean {
  return Array.isArray(value) && POINTER_CLASSES.has(value[0]);
}

function refused(reason: QuarantineReason, detail: string): Unwrapped {
  return { kind: 'refused', reason, detail };
}
