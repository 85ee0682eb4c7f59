import { usageSchema } from '../usage-fields.ts';
import { countOf } from './foreign-count.ts';
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
  const provided = providerUsageOf(data);
  const usage = provided === undefined ? countsOf(data) : undefined;
  if (provided === undefined && usage === undefined) return data;
  const { tokens: _, type: __, usage: ___, ...rest } = data;
  return withoutAbsent({
    ...rest,
    status: firstGiven(data['status'], 'ok'),
    requested_model: firstGiven(data['requested_model'], data['model']),
    usage,
    provider_usage: provided,
  });
}

function isNativeUsage(usage: unknown): boolean {
  return isObject(usage) && Object.keys(usage).every((name) => Object.hasOwn(NATIVE_USAGE, name));
}

const NATIVE_USAGE = usageSchema.shape;

/** A provider's own usage object, or its counts without one around them. */
function providerUsageOf(data: JsonObject): unknown {
  if (isObject(data['usage'])) return data['usage'];
  const flat = Object.entries(data).filter(([name]) => PROVIDER_COUNTS.has(name));
  return flat.length === 0 ? undefined : Object.fromEntries(flat);
}

const PROVIDER_COUNTS: ReadonlySet<string> = new Set([
  'prompt_tokens',
  'completion_tokens',
  'total_tokens',
  'prompt_tokens_details',
  'completion_tokens_details',
  'promptTokenCount',
  'candidatesTokenCount',
  'thoughtsTokenCount',
  'cachedContentTokenCount',
  'totalTokenCount',
]);

function dataOf(cloudEvent: object): unknown {
  const base64 = at(cloudEvent, 'data_base64');
  if (typeof base64 === 'string') return parseJson(Buffer.from(base64, 'base64').toString('utf8'));
  const data = at(cloudEvent, 'data');
  return typeof data === 'string' ? parseJson(data) : data;
}

const COUNTS = [
  'input_tokens',
  'output_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
] as const;

/** The side that a single count of tokens is of, in OpenMeter's words and in those of chats. */
const OUTPUT_TYPES: ReadonlySet<unknown> = new Set([
  'output',
  'completion',
  'response',
  'assistant',
]);

const INPUT_TYPES: ReadonlySet<unknown> = new Set(['input', 'prompt', 'request', 'user', 'system']);
const CACHED_TYPES: ReadonlySet<unknown> = new Set(['cached', 'cached_input', 'cache_read']);

function countsOf(data: JsonObject): JsonObject | undefined {
  if (data['tokens'] !== undefined) {
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
  const given = COUNTS.filter((name) => data[name] !== undefined);
  if (given.length === 0) return undefined;
  const counts = Object.fromEntries(given.map((name) => [name, countOf(data[name])]));
  return { input_tokens: 0, output_tokens: 0, ...counts };
}
