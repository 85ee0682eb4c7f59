import type { UsageEvent } from './event.ts';
import { at, isObject, type JsonObject } from './foreign/foreign-value.ts';
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
 * Names in an answer of a provider that nobody read once, the last that came to be read first: what tools of OpenAI's
 * drew, the kinds of what Gemini embeds, Anthropic's fast mode; then the steps of Anthropic, what OpenAI's items do, tiers,
 * what Mistral had cached, the searches of Gemini and of xAI's tools. What was received before either of them has the
 * digest of the reading without it and those before it.
 */
const UNREAD = [
  /"(?:tool_usage|grounding_tool_count|promptTokenDetails|speed)"(?=\s*:)/g,
  /"(?:iterations|action|trafficType|serviceTier|num_cached_tokens|webSearchQueries|server_side_tool_usage_details)"(?=\s*:)/g,
];

/** Others of which the usage of a native event alone was read without: its tier, and the counts of Gemini's interactions. */
const UNREAD_IN_USAGE =
  /"(?:service_tier|traffic_type|total_(?:input|output|thought|cached|tool_use)_tokens)"(?=\s*:)/g;

/** A name that nobody knows stands for each of them. */
const HIDDEN = '"\u2060"';

/** Returns a producer's message, as text, with such names hidden, once for each former reading that it had. */
export function withNamesHidden(message: JsonObject, body: () => string): readonly string[] {
  return mayHoldNames(message) ? hiddenIn(body(), UNREAD) : [];
}

function hiddenIn(text: string, names: readonly RegExp[]): readonly string[] {
  const [first, ...earlier] = names;
  if (first === undefined) return [];
  const hidden = text.replaceAll(first, HIDDEN);
  const others = hiddenIn(hidden, earlier);
  return hidden === text ? others : [hidden, ...others];
}

/** Looks where they may stand, since the messages of gateways and of spans are many, and their text is not made for this. */
function mayHoldNames(message: JsonObject): boolean {
  if (Object.hasOwn(message, 'resourceSpans') || Object.hasOwn(message, 'resourceLogs'))
    return false;
  if (!Object.hasOwn(message, 'call_type')) return true;
  const usage = at(message, 'metadata', 'usage_object');
  const response = at(message, 'response');
  return (
    NAMES_IN_USAGE.some((name) => Object.hasOwn(Object(usage), name)) ||
    ['output', 'usage', 'usageMetadata'].some(
      (name) => isObject(response) && Object.hasOwn(response, name),
    )
  );
}

const NAMES_IN_USAGE = [
  ...['iterations', 'num_cached_tokens', 'trafficType', 'server_side_tool_usage_details', 'speed'],
];

/** Returns a native event, of which the text is given, without what nobody read once in a provider's own usage. */
export function withUsageHidden(text: string): readonly JsonObject[] {
  const event: unknown = JSON.parse(text);
  const usage = isObject(event) ? event['provider_usage'] : undefined;
  if (!isObject(event) || !isObject(usage)) return [];
  return hiddenIn(JSON.stringify(usage), [...UNREAD, UNREAD_IN_USAGE]).map((hidden) => ({
    ...event,
    provider_usage: JSON.parse(hidden),
  }));
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
