import { hash } from 'node:crypto';
import type { EmailPolicy } from './email-identifiers.ts';
import { hashOfEmail, isEmail } from './email-identifiers.ts';
import { objectsNamedBy } from './envelope.ts';
import { isObject, type JsonObject, parseJson, parseLoose } from './foreign/foreign-value.ts';
import { isLitellmEnvelope } from './foreign/litellm-encrypted.ts';
import { checkBounds } from './json-bounds.ts';
import { nativeEventSchema } from './native-event.ts';
import { isForeign, isNative } from './native-shape.ts';

/** What of a refused body may be stored, and how many values were cut out of it. */
export interface CutBody {
  readonly body: string;
  readonly cut: number;
}

/**
 * Cuts a body to what may be kept of it (no text of a prompt or an answer): of a native event its own
 * fields, of a known format its keys, numbers and identifiers, of a notification of S3 the names of the
 * objects, of anything else only its shape. What is left reads as the whole would have, so that a replay works from it. E-mail addresses follow the policy.
 */
export function cutBody(text: string, emails: EmailPolicy): CutBody {
  if (isBeyondKeeping(text)) {
    return { body: JSON.stringify(shapeOfText(text, 'more than is kept')), cut: 1 };
  }
  const json = parseJson(text);
  const counter = { cut: 0, emails };
  if (!isObject(json)) {
    const what = json === undefined ? 'no JSON' : kindOf(json);
    return { body: JSON.stringify(shapeOfText(text, what)), cut: 1 };
  }
  // It is encrypted, and what is inside is cut when it is opened.
  if (isLitellmEnvelope(json)) return { body: text, cut: 0 };
  const kept = isNative(json)
    ? cutEvent(json, counter)
    : isForeign(json)
      ? cutForeign(json, counter, false)
      : (cutNotification(text, counter) ?? { shape: shapeOf(json, counter) });
  return { body: JSON.stringify(kept), cut: counter.cut };
}

/** A detail quotes values; under a policy that keeps addresses out, none of them is an address. */
export function cutDetail(detail: string, emails: EmailPolicy): string {
  return emails.kind === 'keep'
    ? detail
    : detail.replace(/[^\s@"]+@[^\s@"]+\.[^\s@"]+/g, '(an address)');
}

/**
 * Returns an identifier that a column keeps beside the body; null where it is an address that may
 * not be kept.
 */
export function cutIdentifier(id: string | null, emails: EmailPolicy): string | null {
  return emails.kind !== 'keep' && isEmail(id) ? null : id;
}

/** A message as long as the queue can carry; what was unfolded to more is not written down. */
const LONGEST_KEPT_BODY = 1024 * 1024;

function isBeyondKeeping(text: string): boolean {
  if (text.length > LONGEST_KEPT_BODY) return true;
  try {
    checkBounds(text);
    return false;
  } catch {
    return true;
  }
}

interface Counter {
  cut: number;
  readonly emails: EmailPolicy;
}

const LONGEST_KEPT = 500;
const MOST_LISTED = 10_000;

/** The fields of an event that hold more than one value, and what may stand in each. */
const NESTED: Readonly<Record<string, (value: unknown, counter: Counter) => unknown>> = {
  usage: cutCounts,
  layers: cutCounts,
  provider_usage: (value, counter) => cutForeign(value, counter, false),
  reported_cost: (value, counter) => cutForeign(value, counter, false),
  tags: cutTags,
  members: cutMembers,
};

/** Tags that an address may stand in and be hashed; in what bills and identifies it is cut out. */
const HASHED = new Set(['user_id', 'feature', 'agent_run_id', 'prompt_version', 'member_id']);
const GUARDED = new Set([...HASHED, 'event_id', 'source', 'tenant_id', 'customer_id']);
const EVENT_FIELDS = new Set(Object.keys(nativeEventSchema.shape));
const MEMBER_FIELDS = new Set([
  ...['member_id', 'customer_id', 'tenant_id', 'user_id', 'feature', 'agent_run_id'],
  ...['prompt_version', 'status', 'input_tokens', 'output_tokens', 'weight'],
]);

function cutEvent(event: JsonObject, counter: Counter): JsonObject {
  return cutFields(event, EVENT_FIELDS, counter);
}

function cutFields(of: JsonObject, known: ReadonlySet<string>, counter: Counter): JsonObject {
  const kept = Object.entries(of).flatMap(([name, value]) => {
    if (!known.has(name)) {
      counter.cut += 1;
      return [];
    }
    const nested = NESTED[name];
    return [[name, nested === undefined ? cutValue(name, value, counter) : nested(value, counter)]];
  });
  return Object.fromEntries(kept);
}

function cutMembers(members: unknown, counter: Counter): unknown {
  if (!Array.isArray(members)) return cutMisplaced(members, counter);
  return members
    .slice(0, MOST_LISTED + 1)
    .map((member) =>
      isObject(member) ? cutFields(member, MEMBER_FIELDS, counter) : cutMisplaced(member, counter),
    );
}

/** A field that nobody knows in `usage` is a refusal, and must be one again. */
function cutCounts(counts: unknown, counter: Counter): unknown {
  if (!isObject(counts)) return cutMisplaced(counts, counter);
  return Object.fromEntries(
    Object.entries(counts).map(([name, count]) => [
      name.slice(0, 100),
      typeof count === 'string' && !/^[\d.eE+-]{1,40}$/.test(count)
        ? marker(count, counter)
        : cutValue(name, count, counter),
    ]),
  );
}

function cutTags(tags: unknown, counter: Counter): unknown {
  if (!isObject(tags)) return cutMisplaced(tags, counter);
  return Object.fromEntries(
    Object.entries(tags).map(([name, tag]) => [
      name.slice(0, 100),
      cutValue('user_id', tag, counter),
    ]),
  );
}

/**
 * Returns one value of a field that holds no list and no object: whatever is one was put there by
 * mistake.
 */
function cutValue(name: string, value: unknown, counter: Counter): unknown {
  if (typeof value === 'object' && value !== null) return marker(value, counter);
  if (typeof value !== 'string') return value;
  if (value.length > LONGEST_KEPT) return marker(value, counter);
  const { emails } = counter;
  if (emails.kind === 'keep' || !GUARDED.has(name) || !isEmail(value)) return value;
  counter.cut += 1;
  return emails.kind === 'hash' && HASHED.has(name)
    ? hashOfEmail(value, emails.key)
    : { cut: 'an e-mail address' };
}

/** Returns what stands where an object or a list of them belongs. */
function cutMisplaced(value: unknown, counter: Counter): unknown {
  return ['number', 'boolean'].includes(typeof value) || value === null
    ? value
    : marker(value, counter);
}

/** It stands in the place of what was cut out, and is refused like it. */
function marker(value: unknown, counter: Counter): JsonObject {
  counter.cut += 1;
  return { cut: kindOf(value) };
}

function kindOf(value: unknown): string {
  if (typeof value === 'string') return `a text of ${value.length} characters`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === 'object' ? 'an object' : typeof value;
}

/** Keys under which producers write what was said. */
const SAID =
  /prompt|completion|content|message|text|argument|choice|query|document|instruction|answer|question|^(?:input|output|body|data)$|\.(?:input|output)(?:\.|$)/i;
const NOT_SAID = /token|version|_id$|\.id$|_name$|type|format|model|count|cost/i;
const IDENTIFIER = /^[^\s]{1,200}$/;

/** The keys, numbers and identifiers of a known format; every other text leaves its length. */
function cutForeign(value: unknown, counter: Counter, isSaid: boolean): unknown {
  if (typeof value === 'string') return cutForeignText(value, counter, isSaid);
  if (Array.isArray(value)) {
    return value.slice(0, MOST_LISTED).map((item) => cutForeign(item, counter, isSaid));
  }
  if (!isObject(value)) return value;
  // An attribute says under `key` what its `value` is.
  const named = typeof value['key'] === 'string' ? value['key'] : '';
  const isSaidHere = isSaid || isSaidUnder(named);
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name.slice(0, 200),
      name === 'key' ? inner : cutForeign(inner, counter, isSaidHere || isSaidUnder(name)),
    ]),
  );
}

function isSaidUnder(name: string): boolean {
  return SAID.test(name) && !NOT_SAID.test(name);
}

function cutForeignText(text: string, counter: Counter, isSaid: boolean): unknown {
  const json = /^\s*[[{]/.test(text) ? parseLoose(text) : undefined;
  // What travels as text inside a known format is of a format itself.
  if (json !== undefined) return JSON.stringify(cutForeign(json, counter, isSaid));
  if (!isSaid && IDENTIFIER.test(text) && cutIdentifier(text, counter.emails) !== null) return text;
  counter.cut += 1;
  return `(${text.length} characters)`;
}

const BUCKET = /^[\w.-]{1,255}$/;
const LONGEST_KEY = 1024;

/**
 * Returns the objects, as S3 itself names them; without them nobody could tell what was not
 * fetched.
 */
function cutNotification(text: string, counter: Counter): JsonObject | null {
  const objects = objectsNamedBy(text);
  const isNamed = objects.every(
    ({ bucket, key }) => BUCKET.test(bucket) && key.length <= LONGEST_KEY,
  );
  if (objects.length === 0 || !isNamed) return null;
  const Records = objects.map(({ bucket, key }) => {
    const kept = cutDetail(key, counter.emails);
    if (kept !== key) counter.cut += 1;
    return { s3: { bucket: { name: bucket }, object: { key: encodeURIComponent(kept) } } };
  });
  return { Records };
}

function shapeOf(value: unknown, counter: Counter): unknown {
  if (Array.isArray(value)) return value.slice(0, 20).map((item) => shapeOf(item, counter));
  if (isObject(value)) {
    return Object.fromEntries(
      Object.entries(value)
        .slice(0, 100)
        .map(([name, inner]) => [
          /^[\w.$@-]{1,60}$/.test(name) ? name : kindOf(name),
          shapeOf(inner, counter),
        ]),
    );
  }
  counter.cut += 1;
  return kindOf(value);
}

/** A body that is no object: its length and digest tell its producer which one it was. */
function shapeOfText(text: string, what: string): JsonObject {
  return { shape: what, characters: text.length, sha256: hash('sha256', text) };
}
