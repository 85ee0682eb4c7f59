import {
  countsCacheBeside,
  givesOutImages,
  providerFamily,
  thinksBesideOutput,
} from '../provider-name.ts';
import { countOf, isCount } from './foreign-count.ts';
import { type JsonObject, withoutAbsent } from './foreign-value.ts';

/** Token counts as a producer gave them, each undefined where it said nothing. */
interface TokenCounts {
  readonly input?: unknown;
  readonly output?: unknown;
  readonly cacheRead?: unknown;
  /** The count of what was written for either time, one hour included. */
  readonly cacheWrite?: unknown;
  readonly cacheWrite1h?: unknown;
  readonly reasoning?: unknown;
  readonly inputAudio?: unknown;
  readonly inputImage?: unknown;
  readonly inputVideo?: unknown;
  /** The cached tokens among those of their kind. */
  readonly cacheReadAudio?: unknown;
  readonly cacheReadImage?: unknown;
  /** No unit of its own: cached video is charged as what is cached. */
  readonly cacheReadVideo?: unknown;
  readonly outputAudio?: unknown;
  readonly outputImage?: unknown;
  readonly outputVideo?: unknown;
}

/** Counts that are parts of no total. */
interface OwnCounts {
  readonly images?: unknown;
  readonly audioMs?: unknown;
  readonly videoMs?: unknown;
  readonly characters?: unknown;
  readonly pages?: unknown;
  readonly searches?: unknown;
  readonly searchUnits?: unknown;
}

export interface ReportedCounts extends TokenCounts, OwnCounts {
  /** What the producer says that all tokens are. */
  readonly total?: unknown;
}

/** Whether a part of the usage is counted in its total, or stands beside it. */
export type PartPlace = 'inside' | 'beside' | 'unknown';

/**
 * The counting of a producer: where it counts what. The input count of a producer may hold cached
 * tokens and those of sound and pictures, its output count may hold reasoning; left out, they are
 * within.
 */
export interface Inclusion {
  readonly cache: PartPlace;
  readonly media?: 'inside' | 'beside';
  readonly reasoning?: 'inside' | 'beside';
  /** What its total leaves out where that stands beside the input; left out, a total holds every token. */
  readonly outOfTotal?: 'cache';
  /**
   * Tokens that the producer counts and that are no part of its counts, such as those of another model; the usage is
   * assumed where it is given, also as 0.
   */
  readonly apart?: number;
}

/**
 * The provider that was called: some providers count thoughts or cached tokens in no count but the
 * total.
 */
export interface CallOf {
  readonly provider?: unknown;
  readonly model?: unknown;
}

export interface NativeUsage {
  /** It is undefined when the producer reported no counts at all. */
  readonly usage: JsonObject | undefined;
  readonly assumed: boolean;
  /** Tokens of the total that nothing explains, which are charged to nobody; zero nearly always. */
  readonly unexplained: number;
}

export const NO_USAGE: NativeUsage = { usage: undefined, assumed: false, unexplained: 0 };

/**
 * The counts of a producer as native usage, where input includes cache and media and output includes
 * reasoning. A total that the producer gives decides where its other counts leave a doubt.
 */
export function nativeUsage(
  reported: ReportedCounts,
  inclusion: Inclusion,
  call: CallOf = {},
): NativeUsage {
  const given: Record<string, unknown> = withoutAbsent(
    Object.fromEntries(Object.entries(reported).map(([name, value]) => [name, countOf(value)])),
  );
  // A total only checks; one that is no count checks nothing.
  if (!isCount(given['total'])) delete given['total'];
  if (Object.keys(given).length === 0) return NO_USAGE;
  if (!Object.values(given).every(isCount)) {
    return { usage: fieldsOf(given), assumed: inclusion.cache === 'unknown', unexplained: 0 };
  }
  const counts = withHourInside(given as WholeCounts);
  if (counts.input === undefined && counts.output === undefined && !hasTokens(counts)) {
    const { total, ...own } = counts;
    const usage = fieldsOf(total === undefined ? own : { ...own, input: total, output: 0 });
    // Nobody says on which side the tokens of a total alone are.
    return { usage, assumed: total !== undefined, unexplained: 0 };
  }
  const laid = layOut(counts, inclusion);
  const whole = withRest(counts, laid, call);
  const { assumed, unexplained, ...totals } = whole;
  return {
    usage: fieldsOf(withImagesOut({ ...withoutOverlap(counts, whole.input), ...totals }, call)),
    assumed: assumed || laid.assumed || inclusion.apart !== undefined,
    unexplained: unexplained + (inclusion.apart ?? 0),
  };
}

type WholeCounts = Readonly<Partial<Record<keyof ReportedCounts, number>>>;

/** What was written for an hour is a part of all that was written, also where a producer counts it apart. */
function withHourInside(counts: WholeCounts): WholeCounts {
  const { cacheWrite = 0, cacheWrite1h = 0 } = counts;
  return cacheWrite1h > cacheWrite ? { ...counts, cacheWrite: cacheWrite + cacheWrite1h } : counts;
}

function hasTokens(counts: WholeCounts): boolean {
  return cachedOf(counts) + mediaIn(counts) + mediaOut(counts) + (counts.reasoning ?? 0) > 0;
}

function cachedOf({ cacheRead = 0, cacheWrite = 0 }: WholeCounts): number {
  return cacheRead + cacheWrite;
}

function mediaIn({ inputAudio = 0, inputImage = 0, inputVideo = 0 }: WholeCounts): number {
  return inputAudio + inputImage + inputVideo;
}

function mediaOut({ outputAudio = 0, outputImage = 0, outputVideo = 0 }: WholeCounts): number {
  return outputAudio + outputImage + outputVideo;
}

/** The parts that stand beside their totals. */
interface Layout {
  readonly cache: boolean;
  readonly media: boolean;
  readonly reasoning: boolean;
}

interface LaidOutTotals {
  readonly input: number;
  readonly output: number;
}

interface LaidOut extends LaidOutTotals {
  readonly assumed: boolean;
}

/**
 * The totals by the first layout that can be. The producer's own comes first; others only add what it
 * leaves out, and only where the total proves it or a part is larger than what should hold it.
 */
function layOut(counts: WholeCounts, inclusion: Inclusion): LaidOut {
  const own: Layout = {
    cache: inclusion.cache === 'beside',
    media: inclusion.media === 'beside',
    reasoning: inclusion.reasoning === 'beside',
  };
  const layouts = LAYOUTS.filter(
    (layout) =>
      (layout.cache || !own.cache) &&
      (layout.media || !own.media) &&
      (layout.reasoning || !own.reasoning),
  ).map((layout) => ({ layout, ...totalsOf(counts, layout) }));
  const possible = layouts.filter(({ input, output }) => canHold(counts, input, output));
  const { total } = counts;
  const proven = possible.find(({ input, output }) => input + output === total);
  const chosen = proven ?? possible[0] ?? layouts.at(-1);
  if (chosen === undefined) return { ...totalsOf(counts, own), assumed: true };
  const isDoubtful = inclusion.cache === 'unknown' && !chosen.layout.cache;
  const isLeftOut = inclusion.outOfTotal === 'cache' && chosen.layout.cache;
  const left = isLeftOut && total === chosen.input + chosen.output - cachedOf(counts);
  const isContradicted = isBelow(total, chosen) && !left;
  return { ...totalsOf(counts, chosen.layout), assumed: isDoubtful || isContradicted };
}

/**
 * Tells whether a producer's total is less than what its counts come to, so that it proves them
 * wrong.
 */
function isBelow(total: number | undefined, { input, output }: LaidOutTotals): boolean {
  return total !== undefined && total > 0 && total < input + output;
}

/** Fewer parts beside their totals come first. */
const LAYOUTS: readonly Layout[] = [0, 1, 2, 4, 3, 5, 6, 7].map((bits) => ({
  cache: (bits & 1) !== 0,
  reasoning: (bits & 2) !== 0,
  media: (bits & 4) !== 0,
}));

function totalsOf(counts: WholeCounts, layout: Layout) {
  const { input = 0, output, reasoning = 0 } = counts;
  return {
    input: input + (layout.cache ? cachedOf(counts) : 0) + (layout.media ? mediaIn(counts) : 0),
    output:
      (output ?? 0) + (layout.reasoning ? reasoning : 0) + (layout.media ? mediaOut(counts) : 0),
  };
}

/** Cached tokens may be those of sound or pictures, so that the two may overlap. */
function canHold(counts: WholeCounts, input: number, output: number): boolean {
  const { reasoning = 0 } = counts;
  const holdsInput = input >= cachedOf(counts) && input >= mediaIn(counts);
  return holdsInput && output >= reasoning + mediaOut(counts);
}

const MEDIA = ['inputAudio', 'inputImage', 'inputVideo'] as const;
const CACHED_MEDIA = ['cacheReadAudio', 'cacheReadImage', 'cacheReadVideo'] as const;

/**
 * Cached tokens and those of sound or pictures, without what is both: where a producer does not say how many
 * of a kind were cached, what is too many of both together was. It stays with the cached ones.
 */
function withoutOverlap(counts: WholeCounts, input: number): WholeCounts {
  const known = CACHED_MEDIA.reduce((sum, name) => sum + (counts[name] ?? 0), 0);
  let overlap = cachedOf(counts) + mediaIn(counts) - known - input;
  if (overlap <= 0) return counts;
  const apart: Partial<Record<keyof ReportedCounts, number>> = { ...counts };
  for (const [index, name] of MEDIA.entries()) {
    const cached = counts[CACHED_MEDIA[index] ?? 'cacheReadAudio'] ?? 0;
    const taken = Math.min(overlap, Math.max(0, (counts[name] ?? 0) - cached));
    if (taken > 0) apart[name] = (counts[name] ?? 0) - taken;
    overlap -= taken;
  }
  return apart;
}

/** What an images API gives out is images where its answer does not say what of it is something else. */
function withImagesOut(counts: WholeCounts, { model }: CallOf): WholeCounts {
  const { output = 0, outputImage, reasoning = 0 } = counts;
  if (outputImage !== undefined || !givesOutImages(model)) return counts;
  return { ...counts, outputImage: Math.max(0, output - mediaOut(counts) - reasoning) };
}

interface WithRest {
  readonly input: number;
  readonly output: number;
  readonly reasoning?: number;
  readonly cacheRead?: number;
  readonly assumed: boolean;
  readonly unexplained: number;
}

/**
 * Returns what a total counts beyond input and output. It is output where the producer gives none;
 * thoughts where the provider counts them beside the output and none were given; the prompts of
 * Gemini's own tools where thoughts were given; cache, of one kind or the other, where the provider
 * counts it apart and none was given. Anything else is nobody's guess: it is named, and is no part
 * of the usage.
 */
function withRest(counts: WholeCounts, laid: LaidOut, call: CallOf): WithRest {
  const { input, output } = laid;
  const rest = counts.total === undefined ? 0 : counts.total - input - output;
  const exact = { input, output, assumed: false, unexplained: 0 };
  if (rest <= 0) return exact;
  // Where neither side is given, nobody says which of them the rest is on.
  if (counts.output === undefined) {
    return { ...exact, output: output + rest, assumed: counts.input === undefined };
  }
  if (counts.input === undefined) return { ...exact, input: input + rest };
  if (thinksBesideOutput(call.provider, call.model)) {
    if (counts.reasoning === undefined) return { ...exact, output: output + rest, reasoning: rest };
    if (isGoogle(call)) return { ...exact, input: input + rest };
  }
  if (countsCacheBeside(call.provider, call.model) && cachedOf(counts) === 0) {
    return { ...exact, input: input + rest, cacheRead: rest, assumed: true };
  }
  return { ...exact, assumed: true, unexplained: rest };
}

function isGoogle({ provider, model }: CallOf): boolean {
  if (typeof provider === 'string' && providerFamily(provider) === 'google') return true;
  return typeof model === 'string' && /gemini/i.test(model);
}

/**
 * Returns the usage of a call as its event has it. A producer that knows nothing leaves the counts
 * out or writes zeros; a successful call of it is not measured, and an empty usage says so (R10).
 */
export function usageOfCall({ usage }: NativeUsage, status: unknown): JsonObject | undefined {
  const isMeasured = Object.values(usage ?? {}).some((count) => count !== 0);
  if (isMeasured || status !== 'ok') return usage;
  return {};
}

function fieldsOf(counts: Readonly<Partial<Record<keyof ReportedCounts, unknown>>>): JsonObject {
  return withoutAbsent({
    input_tokens: counts.input,
    output_tokens: counts.output,
    cache_read_tokens: counts.cacheRead,
    cache_write_tokens: counts.cacheWrite,
    reasoning_tokens: counts.reasoning,
    cache_write_1h_tokens: unlessZero(counts.cacheWrite1h),
    input_audio_tokens: unlessZero(less(counts.inputAudio, counts.cacheReadAudio)),
    input_image_tokens: unlessZero(less(counts.inputImage, counts.cacheReadImage)),
    input_video_tokens: unlessZero(less(counts.inputVideo, counts.cacheReadVideo)),
    cache_read_audio_tokens: unlessZero(counts.cacheReadAudio),
    cache_read_image_tokens: unlessZero(counts.cacheReadImage),
    output_audio_tokens: unlessZero(counts.outputAudio),
    output_image_tokens: unlessZero(counts.outputImage),
    output_video_tokens: unlessZero(counts.outputVideo),
    images: unlessZero(counts.images),
    audio_ms: unlessZero(counts.audioMs),
    video_ms: unlessZero(counts.videoMs),
    characters: unlessZero(counts.characters),
    pages: unlessZero(counts.pages),
    searches: unlessZero(counts.searches),
    search_units: unlessZero(counts.searchUnits),
  });
}

/** Producers write every unit that they know of; one that was not used is no unit of the call. */
function unlessZero(count: unknown): unknown {
  return count === 0 ? undefined : count;
}

/**
 * Returns a kind of token without those of it that came from the cache, which are a unit of their
 * own.
 */
function less(count: unknown, cached: unknown): unknown {
  return isCount(count) && isCount(cached) ? Math.max(0, count - cached) : count;
}
