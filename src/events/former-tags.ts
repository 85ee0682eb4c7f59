import type { JsonObject } from './foreign/foreign-value.ts';
import { isObject } from './foreign/foreign-value.ts';

/**
 * Tags in camel case, and LangWatch's, were no tags once: they were passed over, or were further tags of the event. What
 * was received then has the digest of that reading, and when it comes again it must be known by it (R9).
 */
const FORMER_TAGS = [
  ...['tenantId', 'customerId', 'userId', 'agentRunId', 'promptVersion'],
  ...['langwatch.customer_id', 'langwatch.customer.id', 'langwatch.user_id', 'langwatch.user.id'],
  ...['langwatch.end_user_id', 'langwatch.reserved.request_metadata'],
];
const FORMER_TAG = new RegExp(
  `(${FORMER_TAGS.map((name) => name.replaceAll('.', '\\.')).join('|')})(?=\\\\*")`,
  'g',
);
const HIDDEN = '\u2060';

/**
 * Returns a producer's message, as text, with the names of such tags changed so that nobody knows them; null where
 * there are none. They end a text: as the name of a field, as that of an attribute, and both within a text that is JSON
 * itself.
 */
export function withTagsHidden(message: JsonObject, body: string): string | null {
  // What came as protobuf was no JSON.
  const text = body.startsWith('{') ? body : JSON.stringify(message);
  // Nearly every message has none of them, and to look for words is cheaper than for a pattern.
  if (!FORMER_TAGS.some((name) => text.includes(name))) return null;
  const hidden = text.replaceAll(FORMER_TAG, `$1${HIDDEN}`);
  return hidden === text ? null : hidden;
}

/** Returns an event out of such a message with its further tags under the names that they had. */
export function withTagsShown(event: JsonObject): JsonObject {
  const { tags } = event;
  if (!isObject(tags)) return event;
  const shown = Object.entries(tags).map(([name, tag]) => [name.replaceAll(HIDDEN, ''), tag]);
  return { ...event, tags: Object.fromEntries(shown) };
}
