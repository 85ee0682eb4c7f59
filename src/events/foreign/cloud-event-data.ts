import { readProviderUsage } from '../provider-usage.ts';
import { textOfBytes } from '../text-of-bytes.ts';
import { KNOWN_TOKENS, TOKENS } from '../unknown-tokens.ts';
import { usageSchema } from '../usage-fields.ts';
import { countOf, sumOf } from './foreign-count.ts';
import {
  at,
  firstGiven,
  isObject,
  type JsonObject,
  parseJson,
  withoutAbsent,
} from './foreign-value.ts';

/** Reads the data of a CloudEvent as the fields of a native event; nothing where it is none. */
export function readLoosely(cloudEvent: object): JsonObject {
  const data = dataOf(cloudEvent);
  if (!isObject(data)) return {};
  if (isObject(data['provider_usage']) || isNativeUsage(data['usage'])) return data;
  const counted = countedIn(data);
  if (counted === null) return data;
  const { tokens: _, type: __, usage: ___, ...rest } = data;
  return withoutAbsent({
    ...rest,
    status: firstGiven(data['status'], 'ok'),
    requested_model: firstGiven(data['requested_model'], data['model']),
    ...counted,
  });
}

type Counted = { readonly usage: JsonObject } | { readonly provider_usage: JsonObject };

/** What was used, in whichever of the forms; null where nothing says it. */
function countedIn(data: JsonObject): Counted | null {
  if (isObject(data['usage'])) return { provider_usage: data['usage'] };
  const flat = flatCounts(data);
  const counts = Object.keys(flat).filter((name) => !FLAGS.has(name) && !SUMS.has(name));
  // Beside what is no token, `tokens` and `type` are the count of one side.
  if (data['tokens'] !== undefined && !counts.some((name) => TOKENS.test(name))) {
    const others = Object.fromEntries(Object.entries(flat).filter(([name]) => !SUMS.has(name)));
    return { usage: { ...others, ...tokensOfOneSide(data) } };
  }
  return Object.keys(flat).some((name) => !FLAGS.has(name)) ? readFlat(flat, data) : null;
}

function isNativeUsage(usage: unknown): boolean {
  return isObject(usage) && Object.keys(usage).every((name) => Object.hasOwn(NATIVE_USAGE, name));
}

const NATIVE_USAGE = usageSchema.shape;

/** Says how counts were made, and is none. */
const FLAGS: ReadonlySet<string> = new Set(['estimated', 'assumed']);

/** The counts that stand in the data itself, under whichever names. */
function flatCounts(data: JsonObject): JsonObject {
  const flat = Object.entries(data).filter(
    ([name, value]) => firstGiven(value) !== undefined && isCountName(name),
  );
  return Object.fromEntries(flat);
}

function isCountName(name: string): boolean {
  if (Object.hasOwn(NATIVE_USAGE, name) || PROVIDER_PARTS.has(name)) return true;
  return TOKENS.test(name) && !BOUNDS.test(name);
}

/** What a request allows, and what is left of it, is nothing that was used. */
const BOUNDS = /(?:^|_)(?:max|min)(?:imum)?(?:_|[A-Z])|[Bb]udget|[Ll]imit|[Rr]emaining|[Cc]ontext/;

/** What providers count beside tokens, and parts of their counts. */
const PROVIDER_PARTS: ReadonlySet<string> = new Set([
  ...['prompt_tokens_details', 'completion_tokens_details'],
  ...['input_tokens_details', 'output_tokens_details'],
  ...['input_token_details', 'output_token_details'],
  ...['promptTokensDetails', 'cacheTokensDetails', 'toolUsePromptTokensDetails'],
  ...['promptTokenDetails', 'grounding_tool_count', 'tool_usage'],
  ...['candidatesTokensDetails', 'responseTokensDetails'],
  ...['inputTokenDetails', 'outputTokenDetails', 'cacheDetails'],
  ...['cache_creation', 'server_tool_use', 'iterations', 'billed_units'],
  ...['prompt_eval_count', 'eval_count', 'prompt_audio_seconds'],
  ...['web_search_requests', 'num_search_queries', 'num_sources_used'],
  'server_side_tool_usage_details',
]);

/** Units that an event and a provider call alike. */
const SHARED: ReadonlySet<string> = new Set(['audio_ms', 'characters', 'pages', 'search_units']);

/** Sums of other counts, which check them. */
const SUMS: ReadonlySet<string> = new Set([
  ...['tokens', 'total_tokens', 'totalTokens', 'totalTokenCount', 'total_token_count'],
]);

/**
 * Reads counts as those of an event where all of them are, and as those of a provider where all of them are. Those of nobody,
 * or of both, and a sum of others than these, are handed on as an event's, which refuses by name what it
 * does not know (R21).
 */
function readFlat(flat: JsonObject, data: JsonObject): Counted {
  // A zero counts nothing, under whichever name.
  const names = Object.keys(flat).filter((name) => !FLAGS.has(name) && countOf(flat[name]) !== 0);
  const sums = Object.entries({ ...flat, tokens: data['tokens'] }).filter(
    ([name, value]) => SUMS.has(name) && firstGiven(value) !== undefined,
  );
  const event = eventCounts(flat);
  const areOfEvent = names.every((name) => SUMS.has(name) || Object.hasOwn(NATIVE_USAGE, name));
  if (areOfEvent && Object.keys(event).length > 0 && sums.every(([, sum]) => isSum(sum, event))) {
    return { usage: event };
  }
  const { provider, requested_model, model } = data;
  const call = { provider, model: firstGiven(requested_model, model) };
  const provided = readProviderUsage({ usage: flat, ...call }).usage ?? {};
  const isAllCounted = data['tokens'] === undefined || isSum(data['tokens'], provided);
  if (names.every(isOfProvider) && isAllCounted) {
    const flags = Object.entries(flat).filter(([name, value]) => FLAGS.has(name) && value === true);
    if (flags.length === 0) return { provider_usage: flat };
    return { usage: { ...provided, ...Object.fromEntries(flags) } };
  }
  return { usage: { ...event, ...Object.fromEntries(sums) } };
}

/** Both totals are there as soon as any token is counted, as an event wants them. */
function eventCounts(flat: JsonObject): JsonObject {
  const counts = Object.entries(flat).filter(
    ([name, value]) =>
      !SUMS.has(name) && (Object.hasOwn(NATIVE_USAGE, name) || countOf(value) !== 0),
  );
  const hasTokens = counts.some(([name]) => TOKENS.test(name));
  const none = hasTokens ? { input_tokens: 0, output_tokens: 0 } : {};
  return { ...none, ...Object.fromEntries(counts.map(([name, value]) => [name, countOf(value)])) };
}

function isSum(sum: unknown, { input_tokens, output_tokens }: JsonObject): boolean {
  return countOf(sum) === sumOf([input_tokens, output_tokens]);
}

function isOfProvider(name: string): boolean {
  return KNOWN_TOKENS.has(name) || PROVIDER_PARTS.has(name) || SHARED.has(name);
}

/** Returns what a CloudEvent carries, which may be an object, its text or that in base64. */
export function dataOf(cloudEvent: object): unknown {
  const base64 = at(cloudEvent, 'data_base64');
  if (typeof base64 === 'string') return parseJson(textOfBytes(Buffer.from(base64, 'base64')));
  const data = at(cloudEvent, 'data');
  return typeof data === 'string' ? parseJson(data) : data;
}

/** The side that a single count of tokens is of, in OpenMeter's words and in those of chats. */
const OUTPUT_TYPES: ReadonlySet<unknown> = new Set([
  'output',
  'completion',
  'response',
  'assistant',
]);

const INPUT_TYPES: ReadonlySet<unknown> = new Set(['input', 'prompt', 'request', 'user', 'system']);
const CACHED_TYPES: ReadonlySet<unknown> = new Set(['cached', 'cached_input', 'cache_read']);

function tokensOfOneSide(data: JsonObject): JsonObject {
  const tokens = countOf(data['tokens']);
  const isOutput = OUTPUT_TYPES.has(data['type']);
  // Of any other type nobody says on which side the tokens are.
  const isCached = CACHED_TYPES.has(data['type']);
  const assumed = isOutput || isCached || INPUT_TYPES.has(data['type']) ? undefined : true;
  return withoutAbsent({
    assumed,
    input_tokens: isOutput ? 0 : tokens,
    output_tokens: isOutput ? tokens : 0,
    cache_read_tokens: isCached ? tokens : undefined,
  });
}
