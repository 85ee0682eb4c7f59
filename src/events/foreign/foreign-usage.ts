import { type JsonObject, withoutAbsent } from './foreign-value.ts';

/** Token counts as a producer gave them, each undefined where it said nothing. */
export interface ReportedCounts {
  readonly input: unknown;
  readonly output: unknown;
  readonly cacheRead?: unknown;
  readonly cacheWrite?: unknown;
  readonly reasoning?: unknown;
  readonly total?: unknown;
}

/** Whether the producer's input count holds the cached tokens, or stands beside them. */
export type CacheConvention = 'inclusive' | 'exclusive' | 'unknown';

export interface NativeUsage {
  /** It is undefined when the producer reported no counts at all. */
  readonly usage: JsonObject | undefined;
  readonly assumed: boolean;
}

/** The counts of a producer as native usage, where input includes cache and output includes reasoning. */
export function nativeUsage(counts: ReportedCounts, convention: CacheConvention): NativeUsage {
  const given = Object.values(counts).filter((count) => count !== undefined);
  if (given.length === 0) return { usage: undefined, assumed: false };
  const whole = wholeCounts(counts);
  if (whole === null) return { usage: fieldsOf(counts), assumed: convention === 'unknown' };
  const exclusive = convention === 'exclusive' || isProvenExclusive(whole);
  const cached = (whole.cacheRead ?? 0) + (whole.cacheWrite ?? 0);
  const input = whole.input + (exclusive ? cached : 0);
  return {
    usage: fieldsOf({ ...whole, input, ...outputOf(whole, input) }),
    assumed: convention === 'unknown' && !exclusive,
  };
}

interface WholeCounts {
  readonly input: number;
  readonly output: number | undefined;
  readonly cacheRead: number | undefined;
  readonly cacheWrite: number | undefined;
  readonly reasoning: number | undefined;
  readonly total: number | undefined;
}

/**
 * Answers null when there is nothing to calculate with: no input count, or one that is no whole
 * number.
 */
function wholeCounts(counts: ReportedCounts): WholeCounts | null {
  const { input, output, cacheRead, cacheWrite, reasoning, total } = counts;
  if (!isCount(input) || !isCountOrAbsent(output) || !isCountOrAbsent(cacheRead)) return null;
  if (!isCountOrAbsent(cacheWrite) || !isCountOrAbsent(reasoning)) return null;
  return {
    input,
    output,
    cacheRead,
    cacheWrite,
    reasoning,
    total: isCount(total) ? total : undefined,
  };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isCountOrAbsent(value: unknown): value is number | undefined {
  return value === undefined || isCount(value);
}

/** Cache cannot exceed an input that holds it; a total that adds the cache once more says the same. */
function isProvenExclusive(counts: WholeCounts): boolean {
  const cached = (counts.cacheRead ?? 0) + (counts.cacheWrite ?? 0);
  if (cached > counts.input) return true;
  return cached > 0 && counts.total === counts.input + (counts.output ?? 0) + cached;
}

/**
 * Reasoning beyond the output stands beside it and is added. What a total then still counts beyond input
 * and output is reasoning that the producer did not report.
 */
function outputOf(counts: WholeCounts, input: number): Partial<WholeCounts> {
  const { total, reasoning } = counts;
  const rest = total === undefined ? undefined : Math.max(0, total - input);
  if (counts.output === undefined) return { output: rest };
  const isBeside = reasoning !== undefined && reasoning > counts.output;
  const output = counts.output + (isBeside ? reasoning : 0);
  const hidden = Math.max(0, (rest ?? 0) - output);
  return {
    output: output + hidden,
    reasoning: hidden === 0 ? reasoning : (reasoning ?? 0) + hidden,
  };
}

/** Embeddings and most failures have no output, and producers then leave out the zero. */
export function withoutOutput(usage: JsonObject | undefined): JsonObject | undefined {
  return usage === undefined ? undefined : { output_tokens: 0, ...usage };
}

function fieldsOf(counts: ReportedCounts): JsonObject {
  return withoutAbsent({
    input_tokens: counts.input,
    output_tokens: counts.output,
    cache_read_tokens: counts.cacheRead,
    cache_write_tokens: counts.cacheWrite,
    reasoning_tokens: counts.reasoning,
  });
}
