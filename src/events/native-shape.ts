import { findTranslator } from './foreign/foreign-formats.ts';
import type { JsonObject } from './foreign/foreign-value.ts';
import { isLitellmEnvelope } from './foreign/litellm-encrypted.ts';

/** Fields of which a native event has at least one; with none of them a shape is unknown. */
export const NATIVE_FIELDS = [
  'event_id',
  'occurred_at',
  'requested_model',
  'usage',
  'provider_usage',
  'status',
];

/** Whether an object is read as a message of another producer, which has events in a form of its own. */
export function isForeign(item: JsonObject): boolean {
  return !Object.hasOwn(item, 'event_id') && findTranslator(item) !== null;
}

/** Whether an object is read as a native event, so that its own fields say whose it is. */
export function isNative(item: JsonObject): boolean {
  return (
    !isLitellmEnvelope(item) &&
    !isForeign(item) &&
    NATIVE_FIELDS.some((field) => Object.hasOwn(item, field))
  );
}
