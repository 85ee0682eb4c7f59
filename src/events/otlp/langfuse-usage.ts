import { countOf, isCount } from '../foreign/foreign-count.ts';
import {
  type CallOf,
  type Inclusion,
  type NativeUsage,
  nativeUsage,
  type ReportedCounts,
} from '../foreign/foreign-usage.ts';
import { at, isObject, type JsonObject } from '../foreign/foreign-value.ts';
import { readProviderUsage, statedCounts } from '../provider-usage.ts';
import { holdsUnknownTokens } from '../unknown-tokens.ts';
import { finerParts, measuresOf } from '../usage-parts.ts';

/**
 * Reads the usage details of a Langfuse observation. What includes what:
 *
 * | who writes them                 | names                                              | they are               |
 * |---------------------------------|----------------------------------------------------|------------------------|
 * | JS SDK, Python SDK, LangChain   | input, input_*, output, output_*, cached_*, total  | disjoint buckets       |
 * | Python's wrapper of OpenAI      | prompt_tokens, …_details, or the Responses names   | OpenAI's own           |
 * | whoever writes them by hand     | input with parts of it, proven by total            | parts within           |
 *
 * The buckets are open-ended: every name that begins with a side is a bucket of it, and the total checks. What begins with
 * none is counted beside them, such as searches; tokens among it that nobody knows leave the usage assumed.
 */
export function langfuseUsage(details: JsonObject, call: CallOf): NativeUsage {
  if (OPENAI_NAMES.some((name) => Object.hasOwn(details, name))) {
    return readProviderUsage({ usage: withoutDots(details), ...call });
  }
  const buckets = Object.entries(details).flatMap(bucketOf);
  const total = firstCount(at(details, 'total'), at(details, 'totalTokens'));
  const beside = besideSides(details);
  if (buckets.length === 0) return nativeUsage({ ...measuresOf(beside), total }, INSIDE, call);
  const read = sumBuckets(withoutRepeats(buckets, total), {
    total,
    beside: finerParts(beside),
    call,
  });
  const isWhole = sum(buckets) === total || !holdsUnknownTokens(besideNames(details));
  return isWhole ? read : { ...read, assumed: true };
}

const INSIDE: Inclusion = { cache: 'inside' };

/** What is of no side: counts beside any token, which have the names that providers give them. */
function besideSides(details: JsonObject): ReportedCounts {
  const usage = besideNames(details);
  const images = at(usage, 'images');
  return { ...statedCounts({ usage })?.counts, ...(isCount(images) ? { images } : {}) };
}

function besideNames(details: JsonObject): JsonObject {
  const names = Object.entries(details).filter(
    ([name]) => sideOf(name) === null && !/^total/.test(name),
  );
  return Object.fromEntries(names);
}

/** Details that were flattened into names with a dot, as objects again. */
function withoutDots(details: JsonObject): JsonObject {
  const nested: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(details)) {
    const [whole = name, ...rest] = name.split('.');
    const inner = nested[whole];
    nested[whole] =
      rest.length === 0 ? value : { ...(isObject(inner) ? inner : {}), [rest.join('.')]: value };
  }
  return nested;
}

const OPENAI_NAMES = [
  'prompt_tokens',
  'completion_tokens',
  'input_tokens',
  'output_tokens',
  'promptTokenCount',
];

type Kind = Exclude<keyof ReportedCounts, 'total'>;

interface Bucket {
  readonly name: string;
  readonly side: 'input' | 'output';
  /** The part that it is, or null for plain text. */
  readonly kind: Kind | null;
  readonly count: unknown;
}

/** The first that fits says what a bucket is; `1` to `5` are Gemini's numbers of its modalities. */
const INPUT_KINDS: readonly (readonly [RegExp, Kind])[] = [
  [/1h/, 'cacheWrite1h'],
  [/cach.*(?:creation|write)|ephemeral/, 'cacheWrite'],
  [/cache/, 'cacheRead'],
  [/audio|modality_(?:4|audio)/i, 'inputAudio'],
  [/image|modality_(?:2|image)/i, 'inputImage'],
  [/video|modality_(?:3|video)/i, 'inputVideo'],
];

const OUTPUT_KINDS: readonly (readonly [RegExp, Kind])[] = [
  [/reason|thought|thinking/, 'reasoning'],
  [/audio|modality_(?:4|audio)/i, 'outputAudio'],
  [/image|modality_(?:2|image)/i, 'outputImage'],
  [/video|modality_(?:3|video)/i, 'outputVideo'],
];

function bucketOf([name, value]: [string, unknown]): readonly Bucket[] {
  const count = countOf(value);
  if (typeof count === 'object' || count === undefined) return [];
  const side = sideOf(name);
  if (side === null) return [];
  const kinds = side === 'input' ? INPUT_KINDS : OUTPUT_KINDS;
  return [{ name, side, count, kind: kinds.find(([form]) => form.test(name))?.[1] ?? null }];
}

function sideOf(name: string): 'input' | 'output' | null {
  if (/^(?:input|prompt|cache)/.test(name)) return 'input';
  return /^(?:output|completion|reasoning|thoughts)/.test(name) ? 'output' : null;
}

/** Writes by their lifetime may stand beside their own sum; the total tells. */
function withoutRepeats(buckets: readonly Bucket[], total: number | undefined): readonly Bucket[] {
  const lifetimes = buckets.filter(({ name }) => /ephemeral|1h|5m/.test(name));
  const isSum = sum(buckets) - sum(lifetimes) === total && sum(lifetimes) > 0;
  if (!isSum) return buckets;
  const oneHour = lifetimes.filter(({ kind }) => kind === 'cacheWrite1h');
  const rest = buckets.filter((bucket) => !lifetimes.includes(bucket));
  // What is written for an hour is taken out of the sum, and stands for itself.
  const less = sum(oneHour);
  return [
    ...oneHour,
    ...rest.map((bucket) =>
      bucket.kind === 'cacheWrite' && isCount(bucket.count)
        ? { ...bucket, count: Math.max(0, bucket.count - less) }
        : bucket,
    ),
  ];
}

/**
 * The buckets of a side are apart from one another, or what is named like the side itself holds them all: the
 * total tells, and for one side it may be the one, for the other the other.
 */
function sumBuckets(
  buckets: readonly Bucket[],
  { total, beside, call }: { total: number | undefined; beside: ReportedCounts; call: CallOf },
): NativeUsage {
  const of = (side: Bucket['side']) => buckets.filter((bucket) => bucket.side === side);
  const [input, output] = [readingsOf(of('input')), readingsOf(of('output'))];
  const pairs = input.flatMap((one) => output.map((other) => [one, other] as const));
  const proven = pairs.find(([one, other]) => sum(one) + sum(other) === total);
  const [inputs = [], outputs = []] = proven ?? pairs[0] ?? [];
  const side = (name: Bucket['side'], counted: readonly Bucket[]) =>
    of(name).length === 0 ? undefined : sumOrWrong(counted);
  const parts = buckets.filter(({ kind }) => kind !== null);
  const kinds = Map.groupBy(parts, ({ kind }) => kind);
  const counts: Record<string, unknown> = {
    ...beside,
    ...{ input: side('input', inputs), output: side('output', outputs), total },
  };
  for (const [kind, ofKind] of kinds) counts[String(kind)] = sumOrWrong(ofKind);
  const oneHour = counts['cacheWrite1h'];
  // An hour's writes are a part of all that was written.
  if (isCount(oneHour)) counts['cacheWrite'] = oneHour + Number(counts['cacheWrite'] ?? 0);
  return nativeUsage(counts, INSIDE, call);
}

const SIDE_ITSELF = /^(?:input|prompt|output|completion)(?:_?tokens)?$/i;

/**
 * Returns all buckets of a side, else the one that is the side itself; the first is how the SDKs
 * write them.
 */
function readingsOf(buckets: readonly Bucket[]): readonly (readonly Bucket[])[] {
  const whole = buckets.filter(({ name }) => SIDE_ITSELF.test(name));
  return whole.length === 0 || whole.length === buckets.length ? [buckets] : [buckets, whole];
}

function sum(buckets: readonly Bucket[]): number {
  return buckets.reduce((all, { count }) => all + (isCount(count) ? count : 0), 0);
}

/** A bucket that holds no count is handed on, for the schema to refuse. */
function sumOrWrong(buckets: readonly Bucket[]): unknown {
  return buckets.find(({ count }) => !isCount(count))?.count ?? sum(buckets);
}

function firstCount(...values: readonly unknown[]): number | undefined {
  return values.map(countOf).find(isCount);
}
