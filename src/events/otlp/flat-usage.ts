import { countOf, isCount } from '../foreign/foreign-count.ts';
import type { CallOf, ReportedCounts } from '../foreign/foreign-usage.ts';
import { isObject } from '../foreign/foreign-value.ts';
import { providerCounts } from '../provider-usage.ts';
import { finerParts, measuresOf } from '../usage-parts.ts';
import { type Attributes, firstAttribute } from './otlp-attributes.ts';
import { TOKEN_NAMES } from './otlp-usage-names.ts';

/**
 * Under these an instrumentation writes a provider's own usage object with an attribute for each count in it:
 * `gen_ai.usage.input_token_details.audio_tokens`, `ai.usage.seconds`.
 */
const PREFIXES = ['gen_ai.usage.', 'ai.usage.'];

/** Returns what such an object counts beside its totals, which have names of their own. */
export function flatUsage(attributes: Attributes, call: CallOf): ReportedCounts {
  const found = PREFIXES.map((prefix) => countsUnder(prefix, attributes, call));
  return Object.assign({}, ...found.reverse());
}

function countsUnder(prefix: string, attributes: Attributes, call: CallOf): ReportedCounts {
  const names = [...attributes.keys()].filter((name) => name.startsWith(prefix));
  // Nearly every span has nothing but names that are known each by itself.
  if (names.every((name) => KNOWN_NAMES.has(name))) return {};
  const usage = objectOf(names, prefix, attributes);
  const has = (totals: readonly string[]) =>
    totals.some((name) => Number(countOf(usage[name]) ?? 0) > 0);
  if (has(OF_A_SIDE)) return finerParts(providerCounts({ usage, ...call })?.counts ?? {});
  // Nobody says on which side the rest of a total is that stands alone, so that no part of it is taken out.
  if (has(OF_BOTH)) return {};
  // The word that says so is no count, and is not handed on.
  const isDuration = usage['seconds'] !== undefined && isOfSound(attributes);
  const whole = isDuration ? { type: 'duration', ...usage } : usage;
  const images = isCount(usage['image_count']) ? { images: usage['image_count'] } : {};
  return { ...images, ...measuresOf(providerCounts({ usage: whole, ...call })?.counts ?? {}) };
}

const KNOWN_NAMES: ReadonlySet<string> = new Set(Object.values(TOKEN_NAMES).flat());

const OF_A_SIDE = [
  ...['input_tokens', 'output_tokens', 'prompt_tokens', 'completion_tokens'],
  ...['inputTokens', 'outputTokens', 'promptTokens', 'completionTokens', 'tokens'],
];

const OF_BOTH = ['total_tokens', 'totalTokens'];

function isOfSound(attributes: Attributes): boolean {
  const operation = firstAttribute(attributes, ['gen_ai.operation.name', 'ai.operationId']);
  return /transcri|translat|speech|stt|audio/i.test(String(operation));
}

type Spelt = Record<string, unknown>;

/** The object that names spell out; what is a count itself has no counts in it. */
function objectOf(names: readonly string[], prefix: string, attributes: Attributes): Spelt {
  const whole: Spelt = Object.create(null);
  for (const name of names) {
    const path = name.slice(prefix.length).split('.').slice(0, MOST_STEPS);
    const last = path.pop() ?? '';
    const parent = path.reduce<Spelt | null>(innerOf, whole);
    if (parent !== null && !isObject(parent[last])) parent[last] = attributes.get(name);
  }
  return whole;
}

/** No provider's usage is deeper. */
const MOST_STEPS = 4;

function innerOf(object: Spelt | null, step: string): Spelt | null {
  if (object === null) return null;
  const known = object[step];
  if (known !== undefined) return isObject(known) ? (known as Spelt) : null;
  const made: Spelt = Object.create(null);
  object[step] = made;
  return made;
}
