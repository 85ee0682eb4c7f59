import { countOf } from './foreign-count.ts';
import {
  at,
  firstGiven,
  isObject,
  type JsonObject,
  parseJson,
  withoutAbsent,
} from './foreign-value.ts';

/** The data of a CloudEvent as the fields of a native event; nothing where it is none. */
export function readLoosely(cloudEvent: object): JsonObject {
  const data = dataOf(cloudEvent);
  if (!isObject(data)) return {};
  if (isObject(data['usage']) || isObject(data['provider_usage'])) return data;
  const usage = countsOf(data);
  if (usage === undefined) return data;
  const { tokens: _, type: __, ...rest } = data;
  return withoutAbsent({
    ...rest,
    status: firstGiven(data['status'], 'ok'),
    requested_model: firstGiven(data['requested_model'], data['model']),
    usage,
  });
}

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

function countsOf(data: JsonObject): JsonObject | undefined {
  if (data['tokens'] !== undefined) {
    const tokens = countOf(data['tokens']);
    const isOutput = OUTPUT_TYPES.has(data['type']);
    return { input_tokens: isOutput ? 0 : tokens, output_tokens: isOutput ? tokens : 0 };
  }
  const given = COUNTS.filter((name) => data[name] !== undefined);
  if (given.length === 0) return undefined;
  const counts = Object.fromEntries(given.map((name) => [name, countOf(data[name])]));
  return { input_tokens: 0, output_tokens: 0, ...counts };
}
