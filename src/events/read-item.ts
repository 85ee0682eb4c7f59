import { DAY_MS, formatInstant, type InstantMs } from '../clock.ts';
import { digestEvent } from './digest.ts';
import type { EmailPolicy } from './email-identifiers.ts';
import { guardEmails, withoutEmails } from './email-identifiers.ts';
import type { QuarantineReason, UsageEvent } from './event.ts';
import { batchResultTranslator } from './foreign/batch-result.ts';
import { carriedMessage, findTranslator } from './foreign/foreign-formats.ts';
import { isObject, type JsonObject } from './foreign/foreign-value.ts';
import type { LitellmKey } from './foreign/litellm-encrypted.ts';
import { decryptLitellm, isLitellmEnvelope } from './foreign/litellm-encrypted.ts';
import { tidyEvent } from './foreign/tidy-event.ts';
import type { NoEvent, Translation, Translator } from './foreign/translation.ts';
import {
  digestsAsReadOnce,
  knownAsRead,
  withImagesAsText,
  withNamesHidden,
  withUsageHidden,
} from './former-readings.ts';
import { withTagsHidden, withTagsShown } from './former-tags.ts';
import type { ReadEvent, ReadItem, RefusedItem, RepeatedEvent, SenderScope } from './item.ts';
import { isLongerThan, OutOfBounds } from './json-bounds.ts';
import { type ModelMap, throughModelMap } from './model-map.ts';
import { readNativeEvent } from './native-event.ts';
import { NATIVE_FIELDS } from './native-shape.ts';
import { canonicalProvider, isRepeatingId } from './provider-name.ts';
import { isStorable } from './schema-parts.ts';
import { namesStranger, readScoped, withinScope } from './sender-scope.ts';
import { hasUnreadable } from './text-of-bytes.ts';

/** What an operator decides of reading. */
export interface ReadSettings {
  /** Opens LiteLLM's encrypted bodies; null where none is configured. */
  readonly litellmKey: LitellmKey | null;
  /** E-mail addresses are kept as they are where nothing else is said. */
  readonly emails?: EmailPolicy;
  /** Older events come from a clock that went astray (R12). Default `OLDEST_DAYS`. */
  readonly oldestDays?: number;
  /** What deployments are. Default: every model is called by its own name. */
  readonly models?: ModelMap | null;
}

/** Over a year, so that a month may still be reported after the year's end was closed. */
export const OLDEST_DAYS = 400;

export interface ItemContext extends ReadSettings {
  readonly receivedAt: InstantMs;
  /** The first receipt of what is replayed, by which its age is judged. Default `receivedAt`. */
  readonly firstReceivedAt?: InstantMs;
  /** The model of results of a batch that name none, where the place that they lie in says it. */
  readonly batchModel?: string | null;
}

/** The reason where a producer's message was understood and had no call in it. */
const NOTHING_USED = 'the message tells of no model call and of nothing around one';

export const KEEP_EMAILS: EmailPolicy = { kind: 'keep' };

/** One event alone; the largest honest one, a thousand members, is about 200 KiB. */
export const LARGEST_EVENT_CHARACTERS = 512 * 1024;

/** Reads one event of a message; `text` is its own JSON where it is the whole body. */
export function readItem(
  item: unknown,
  context: ItemContext,
  text: string | null = null,
): readonly ReadItem[] {
  const body = text === null ? jsonOf(item) : textOf(text);
  if (!isObject(item)) {
    const detail = `the event is ${preview(JSON.stringify(item))}, not an object`;
    return [refuse({ reason: 'unknown_format', detail }, body)];
  }
  const scoped = readScoped(item, context.emails ?? KEEP_EMAILS);
  if (scoped !== null) {
    const { sent, scope } = scoped;
    return readItem(sent, context).map((one) => heldTo(scope, withinScope(one, scope)));
  }
  if (isLitellmEnvelope(item)) return readEncrypted(item, context, body);
  const isOwn = Object.hasOwn(item, 'event_id');
  const carried = isOwn ? null : carriedMessage(item);
  if (carried !== null) return readItem(carried, context);
  const translator = isOwn ? null : findTranslator(item);
  if (translator !== null) return readForeign(item, translator, { ...context, body });
  if (text !== null && text.length > LARGEST_EVENT_CHARACTERS) {
    const detail = `the event has ${text.length} characters, more than ${LARGEST_EVENT_CHARACTERS}`;
    return [refuse({ reason: 'too_large', detail }, body)];
  }
  if (!NATIVE_FIELDS.some((field) => Object.hasOwn(item, field))) {
    const detail = `the object has none of ${NATIVE_FIELDS.join(', ')} and fits no known format`;
    return [refuse({ reason: 'unknown_format', detail }, body, item)];
  }
  return [readNative(item, context, body)];
}

/** An encrypted body is checked against its sender's scope once it can be read. */
function heldTo(scope: SenderScope, item: ReadItem): ReadItem {
  if (item.kind !== 'event' || !namesStranger(item.event, scope)) return item;
  const { source, eventId } = item.event;
  const because = { reason: 'invalid_field', detail: STRANGER } as const;
  return { kind: 'refused', ...because, source, eventId, body: item.body, scope };
}

const STRANGER =
  'tenant_id: the key that sent this may not name its tenant; dismiss it, or send it with a key that may';

/** Apart, so that an event keeps its text or its objects until it is recorded, and never both. */
const textOf = (text: string) => () => text;
const jsonOf = (item: unknown) => () => JSON.stringify(item);

/** Whether one of several events is longer than one alone may be; a foreign format has spans of its own. */
export function isLongEvent(item: unknown): item is JsonObject {
  if (!isObject(item) || !isLongerThan(item, LARGEST_EVENT_CHARACTERS)) return false;
  return Object.hasOwn(item, 'event_id') || findTranslator(item) === null;
}

export function refuseLongEvent(item: JsonObject): RefusedItem {
  const detail = `the event has more than ${LARGEST_EVENT_CHARACTERS} characters`;
  return refuse({ reason: 'too_large', detail }, jsonOf(item), item);
}

/** Returns how many entries an item may become in the ledger: one a member. */
export function entriesWithin(item: ReadItem): number {
  return item.kind === 'event' ? (item.event.members?.length ?? 1) : 1;
}

function readEncrypted(
  envelope: JsonObject,
  context: ItemContext,
  body: () => string,
): readonly ReadItem[] {
  if (context.litellmKey === null) {
    const detail = '__encrypted__: no key is configured; set SPANLEDGER_LITELLM_KEY and replay';
    return [refuse({ reason: 'invalid_field', detail }, body)];
  }
  try {
    return readItem(decryptLitellm(envelope, context.litellmKey), context);
  } catch (error) {
    if (error instanceof OutOfBounds) throw error;
    const detail = `payload: cannot be decrypted (${String(error)}); check SPANLEDGER_LITELLM_KEY`;
    return [refuse({ reason: 'invalid_field', detail }, body)];
  }
}

function readForeign(
  item: JsonObject,
  translator: Translator,
  context: ForeignMessage['context'],
): readonly ReadItem[] {
  try {
    const { batchModel = null } = context;
    const isBatch = batchModel !== null && translator === batchResultTranslator;
    const translations = translator.translate(isBatch ? { modelId: batchModel, ...item } : item);
    const read = translations.map((translation) => readTranslation(translation, context));
    const items = withFormerDigests(read, { item, translator, context });
    if (items.length > 0) return nameRepeated(items, translations);
    // The source that the format's events have, so that the receipts count it there.
    const source = translator.format.replace(/-.*$/, '');
    return [{ kind: 'empty', reason: NOTHING_USED, source, body: context.body }];
  } catch (error) {
    if (error instanceof OutOfBounds) throw error;
    const detail = `the ${translator.format} message cannot be translated (${String(error)})`;
    return [refuse({ reason: 'unknown_format', detail }, context.body, item)];
  }
}

interface ForeignMessage {
  readonly item: JsonObject;
  readonly translator: Translator;
  readonly context: ItemContext & { readonly body: () => string };
}

function withFormerDigests(items: readonly ReadItem[], of: ForeignMessage): readonly ReadItem[] {
  const as = (hidden: string | null, isKnown: (item: ReadItem) => item is ReadEvent) => ({
    translations: hidden === null ? null : () => of.translator.translate(JSON.parse(hidden)),
    digestsOf: (translation: Translation) => digestsOf(translation, of.context),
    isKnown,
  });
  const tags = items.some(isTagged) ? withTagsHidden(of.item, of.context.body()) : null;
  const names = withNamesHidden(of.item, of.context.body);
  return names.reduce<readonly ReadItem[]>(
    (known, hidden) => knownAsRead(known, as(hidden, isEvent)),
    knownAsRead(items, as(tags, isTagged)),
  );
}

const isEvent = (item: ReadItem): item is ReadEvent => item.kind === 'event';
function digestsOf(translation: Translation, context: ItemContext): readonly Buffer[] {
  if (translation.instead !== undefined) return [];
  const event = withTagsShown(translation.event);
  const read = readTranslation({ ...translation, event }, context);
  return read.kind === 'event' ? [read.digest, ...(read.otherDigests?.() ?? [])] : [];
}

/** A tenant's event is looked for under its tenant, so that another one's reading of it is another event. */
function isTagged(item: ReadItem): item is ReadEvent {
  if (item.kind !== 'event') return false;
  const { userId, agentRunId, promptVersion } = item.event.tags;
  return userId !== null || agentRunId !== null || promptVersion !== null;
}

/**
 * Names what second reports repeat. A report that is kept but was refused is named by the identity that its event will
 * have once it is mended; one without an id is nothing that anybody could find.
 */
function nameRepeated(
  items: readonly ReadItem[],
  translations: readonly Translation[],
): readonly ReadItem[] {
  if (translations.every(({ repeats }) => repeats === undefined)) return items;
  const read = new Map(translations.map(({ event }, index) => [event, items[index]]));
  return items.map((item, index) => {
    const repeats = translations[index]?.repeats;
    const kept = repeats === undefined ? undefined : read.get(repeats.event);
    if (item.kind === 'empty' || repeats === undefined || kept === undefined) return item;
    const named = identityOf(kept, repeats.event);
    return named === null ? item : { ...item, repeats: { ...named, because: repeats.because } };
  });
}

function identityOf(kept: ReadItem, translated: JsonObject): Omit<RepeatedEvent, 'because'> | null {
  if (kept.kind === 'event') {
    const { source, eventId, tags } = kept.event;
    return { tenantId: tags.tenantId, source, eventId };
  }
  if (kept.kind === 'empty' || kept.source === null || kept.eventId === null) return null;
  const tenantId = storable(tidyEvent(translated)['tenant_id']);
  return { tenantId, source: kept.source, eventId: kept.eventId };
}

function readTranslation(translation: Translation, context: ItemContext): ReadItem {
  const { event, usageAssumed, isTimeless, wasTimeless, instead, alone } = translation;
  const tidy = tidyEvent(event);
  if (instead !== undefined) return withoutEvent(tidy, instead);
  const native = usageAssumed ? markAssumed(tidy) : tidy;
  const received = { occurred_at: formatInstant(context.receivedAt), occurred_at_assumed: true };
  const dated = isTimeless ? { ...native, ...received } : native;
  const datedRead = readNative(dated, context, () => JSON.stringify(dated));
  const read = wasTimeless === true ? knownUndated(datedRead) : datedRead;
  if (alone === undefined || read.kind !== 'event') return read;
  return knownAlone(read, readTranslation(alone(), context));
}

function knownUndated(read: ReadItem): ReadItem {
  if (read.kind !== 'event') return read;
  const { event, otherDigests } = read;
  return { ...read, otherDigests: () => [...(otherDigests?.() ?? []), digestUndated(event)] };
}

/** What was received before is known by the digest that it had in its message. */
function knownAlone(read: ReadEvent, alone: ReadItem): ReadItem {
  if (alone.kind !== 'event') return read;
  const otherDigests = () => [
    ...[read.digest, ...(read.otherDigests?.() ?? [])],
    ...(alone.otherDigests?.() ?? []),
  ];
  return { ...read, digest: alone.digest, otherDigests, alone };
}

function withoutEvent(event: JsonObject, instead: NoEvent): ReadItem {
  if (instead.kind === 'empty') {
    const body = () => JSON.stringify(event);
    return { kind: 'empty', reason: instead.reason, source: storable(event['source']), body };
  }
  const because = { reason: instead.kind, detail: instead.detail } as const;
  return refuse(because, () => JSON.stringify(instead.body), event);
}

function markAssumed(event: JsonObject): JsonObject {
  const usage = event['usage'];
  return isObject(usage) && Object.keys(usage).length > 0
    ? { ...event, usage: { ...usage, assumed: true } }
    : event;
}

function readNative(item: JsonObject, context: ItemContext, body: () => string): ReadItem {
  const reading = readNativeEvent(item, context.receivedAt);
  if (reading.kind === 'refused') return refuse(reading, body, item);
  const guarded = guardEmails(reading.event, context.emails ?? KEEP_EMAILS);
  if (guarded.kind === 'refused') {
    return refuse({ reason: 'invalid_field', detail: guarded.detail }, body, item);
  }
  // The digest is of the event as it was sent, but for addresses that are hashed: a policy, a key or a table that changes
  // makes no conflict of what comes again.
  const digestOf = item['occurred_at_assumed'] === true ? digestUndated : digestEvent;
  const unnamed = withoutEmails(reading.event);
  const digest = digestOf(context.emails?.kind === 'hash' ? unnamed : reading.event);
  const models = context.models ?? null;
  const named = identified(guarded.event);
  const event = models === null ? named : throughModelMap(named, models);
  // Counts marked as assumed today were once recorded as reported.
  const isDoubted = reading.event.usageSource === 'assumed';
  const isOwnUsage = item['provider_usage'] != null;
  const isReadAlike =
    !isDoubted &&
    !isOwnUsage &&
    unnamed === reading.event &&
    withImagesAsText(reading.event) === null;
  const asRead = [reading.event, guarded.event, unnamed];
  const otherDigests = isReadAlike
    ? null
    : () => {
        const former = isOwnUsage ? withUsageHidden(body()) : [];
        const once = former.flatMap((one) => formerEvents(one, context));
        return digestsAsReadOnce([...asRead, ...once], { digestOf, isDoubted });
      };
  const tooOld = findTooOld(event, context);
  const read = { kind: 'event', event, digest, otherDigests, body, tooOld } as const;
  return item['operation_assumed'] === true ? { ...read, isOperationAssumed: true } : read;
}

function formerEvents(item: JsonObject, context: ItemContext): readonly UsageEvent[] {
  const reading = readNativeEvent(item, context.receivedAt);
  return reading.kind === 'event' ? [reading.event, withoutEmails(reading.event)] : [];
}

/** The instant of its receipt is no part of what an event says: a second delivery is a duplicate. */
function digestUndated(event: UsageEvent): Buffer {
  return digestEvent({ ...event, occurredAt: 0 as InstantMs });
}

function findTooOld({ occurredAt }: UsageEvent, context: ItemContext): string | null {
  const { oldestDays = OLDEST_DAYS, firstReceivedAt = context.receivedAt } = context;
  if (occurredAt >= firstReceivedAt - oldestDays * DAY_MS) return null;
  return `occurred_at: ${formatInstant(occurredAt)} is more than ${oldestDays} days before its receipt at ${formatInstant(firstReceivedAt)}; correct the producer's clock and send it again, or raise SPANLEDGER_OLDEST_DAYS and replay it`;
}

/**
 * Returns what identifies a call besides its event (R8): its provider by one name, and a response
 * id that is one.
 */
function identified(event: UsageEvent): UsageEvent {
  const provider = event.provider === null ? null : canonicalProvider(event.provider);
  const isRepeating = event.responseId !== null && isRepeatingId(event.responseId);
  if (provider === event.provider && !isRepeating) return event;
  return { ...event, provider, responseId: isRepeating ? null : event.responseId };
}

export function refuse(
  because: { readonly reason: QuarantineReason; readonly detail: string },
  body: () => string,
  item: JsonObject = {},
): RefusedItem {
  return {
    kind: 'refused',
    reason: because.reason,
    detail: hasUnreadable(body())
      ? `${because.detail}; it has text that is no UTF-8`
      : because.detail,
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

/** Shows how a text begins, without what it says: letters are shown as x and digits as 9. */
export function preview(text: string): string {
  const shape = text.slice(0, 60).replace(/\p{L}/gu, 'x').replace(/\p{N}/gu, '9');
  return JSON.stringify(shape);
}
