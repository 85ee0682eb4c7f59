import type { UsageEvent } from './event.ts';
import { isObject, type JsonObject } from './foreign/foreign-value.ts';
import type { Translation } from './foreign/translation.ts';
import { givesOutImages } from './provider-name.ts';

/**
 * Images that nobody divided from text were read as text once. What was received then has the digest of that
 * reading, and when it comes again it must be known by it (R9). Returns the event as it was read; null where it was
 * read as it is today.
 */
export function withImagesAsText(event: UsageEvent): UsageEvent | null {
  const { output, units } = event.usage;
  if (units?.output_image_tokens === undefined || output > event.usage.reasoning) return null;
  if (!givesOutImages(event.executedModel ?? event.requestedModel)) return null;
  const { output_image_tokens: images, ...others } = units;
  const usage = {
    ...event.usage,
    output: output + images,
    units: Object.keys(others).length === 0 ? null : others,
  };
  return { ...event, usage };
}

/**
 * Names in an answer of a provider that nobody read once: the steps of Anthropic, what OpenAI's items do, and tiers. What
 * was received then has the digest of the reading without them.
 */
const UNREAD_ONCE = ['iterations', 'action', 'trafficType', 'traffic_type', 'serviceTier'];
const UNREAD = new RegExp(`(${UNREAD_ONCE.join('|')})(?=\\\\*"\\s*:)`, 'g');
const HIDDEN = '\u2060';

/** Returns a producer's message with such names changed so that nobody knows them; null where it has none of them. */
export function withNamesHidden(text: string): string | null {
  // Nearly every message has none of them, and what came as protobuf was no JSON.
  if (!text.startsWith('{') || !UNREAD_ONCE.some((name) => text.includes(name))) return null;
  const hidden = text.replaceAll(UNREAD, `$1${HIDDEN}`);
  return hidden === text ? null : hidden;
}

/** Returns a native event without what nobody read once in a provider's own usage; null where that is nothing. */
export function withUsageHidden(event: JsonObject): JsonObject | null {
  const usage = event['provider_usage'];
  if (!isObject(usage)) return null;
  const text = JSON.stringify(usage);
  const hidden = withNamesHidden(text) ?? text;
  const untold = hidden.replaceAll(/service_tier(?="\s*:)/g, `service_tier${HIDDEN}`);
  return untold === text ? null : { ...event, provider_usage: JSON.parse(untold) };
}

/** Digests events as they were read once, where pictures were text and a usage in doubt was reported. */
export function digestsAsReadOnce(
  events: readonly UsageEvent[],
  of: { readonly digestOf: (event: UsageEvent) => Buffer; readonly isDoubted: boolean },
): readonly Buffer[] {
  const reported = events.map((event) => ({ ...event, usageSource: 'reported' as const }));
  const read = of.isDoubted ? [...events, ...reported] : events;
  const asText = read.flatMap((event) => withImagesAsText(event) ?? []);
  return [...read, ...asText].map((event) => of.digestOf(event));
}

/**
 * Gives events the digests that they had by a former reading of their message, which is made only where one of them turns
 * out to have another content than the ledger has.
 */
export function knownAsRead<Item, Event extends Item & KnownEvent>(
  items: readonly Item[],
  of: {
    readonly translations: (() => readonly Translation[]) | null;
    readonly digestsOf: (translation: Translation) => readonly Buffer[];
    readonly isKnown: (item: Item) => item is Event;
  },
): readonly Item[] {
  const { translations } = of;
  if (translations === null) return items;
  let former: readonly Translation[] | null = null;
  return items.map((item, index) => {
    if (!of.isKnown(item)) return item;
    const { otherDigests } = item;
    const withFormer = () => {
      former ??= translations();
      const { eventId } = item.event;
      // What is a step for the sake of its tenant was none; the id of a log event is of all that it says.
      const same = former.find(({ event }) => event['event_id'] === eventId) ?? former[index];
      return [...(otherDigests?.() ?? []), ...(same === undefined ? [] : of.digestsOf(same))];
    };
    return { ...item, otherDigests: withFormer };
  });
}

interface KnownEvent {
  readonly event: UsageEvent;
  readonly otherDigests: (() => readonly Buffer[]) | null;
}
