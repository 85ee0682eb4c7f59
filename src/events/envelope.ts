import type { QuarantineReason } from './event.ts';
import { at, parseJson } from './foreign/foreign-value.ts';

/** What a queue message is about, once the services that passed it on are taken off. */
export type Unwrapped =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'refused'; readonly reason: QuarantineReason; readonly detail: string };

/** A topic behind a bus behind a topic is as deep as anybody builds; more is a loop or an attack. */
const ENVELOPE_LIMIT = 4;

/** The value inside an SNS notification or an EventBridge event, or the value itself. */
export function unwrapEnvelope(value: unknown): Unwrapped {
  let current = value;
  for (let opened = 0; opened <= ENVELOPE_LIMIT; opened += 1) {
    if (isPayloadPointer(current)) return refused('unknown_format', POINTER_DETAIL);
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
    return { envelope: 'SNS notification', value: parseJson(at(value, 'Message')) };
  }
  if (typeof at(value, 'detail-type') === 'string') {
    return { envelope: 'EventBridge event', value: at(value, 'detail') };
  }
  return null;
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
