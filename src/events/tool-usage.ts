import { countOf, isCount, sumOf } from './foreign/foreign-count.ts';
import type { Inclusion, ReportedCounts } from './foreign/foreign-usage.ts';
import { at, firstGiven, isObject } from './foreign/foreign-value.ts';
import { searchesOfGemini } from './gemini-usage.ts';

/** Returns how many web searches a usage object counts, under whichever of their names. */
export function searchesCounted(usage: unknown): unknown {
  return firstCounted(
    at(usage, 'server_tool_use', 'web_search_requests'),
    at(usage, 'prompt_tokens_details', 'web_search_requests'),
    at(usage, 'web_search_requests'),
    at(usage, 'num_search_queries'),
    // xAI takes money for each search of its tools, and beside its older search for each source.
    sumOf([
      at(usage, 'server_side_tool_usage_details', 'web_search_calls'),
      at(usage, 'server_side_tool_usage_details', 'x_search_calls'),
    ]),
    at(usage, 'num_sources_used'),
    searchesOfInteraction(at(usage, 'grounding_tool_count')),
    at(usage, 'tool_usage', 'web_search', 'num_requests'),
    // ByteDance's.
    at(usage, 'tool_usage', 'web_search'),
  );
}

/** Returns the first count above zero: who counts a thing under a newer name writes a zero under the older one. */
function firstCounted(...counts: readonly unknown[]): unknown {
  return counts.find((count) => Number(countOf(count)) > 0);
}

/** Gemini's interactions count what grounded an answer by its kind; maps have another price. */
function searchesOfInteraction(tools: unknown): unknown {
  if (!Array.isArray(tools)) return undefined;
  const searches = tools.filter((tool) => at(tool, 'type') === 'google_search');
  return sumOf(searches.map((tool) => at(tool, 'count')));
}

/**
 * Finds web searches that an answer counts or names as steps of its own, as OpenAI's responses do, or that it is grounded
 * in, as Gemini's. A page that is opened or looked through is an item of the same type, and costs nothing.
 */
export function searchesIn(response: unknown): unknown {
  const requests = firstCounted(at(response, 'tool_usage', 'web_search', 'num_requests'));
  if (requests !== undefined) return requests;
  const output = at(response, 'output');
  if (!Array.isArray(output)) return searchesOfGemini(response);
  const searches = output.filter((item) => {
    const action = at(item, 'action', 'type');
    const isSearch = action === undefined || action === null || action === 'search';
    return at(item, 'type') === 'web_search_call' && isSearch;
  });
  return searches.length === 0 ? undefined : searches.length;
}

interface Counted {
  readonly counts: ReportedCounts;
  readonly inclusion: Inclusion;
}

/**
 * Adds the tokens of the pictures that OpenAI's image tool drew for a response. They stand in `tool_usage`, beside the
 * usage and in none of its counts, and what was given out is images where nobody divides it.
 */
export function withDrawn(reading: Counted, answer: unknown): Counted {
  const drawn = drawnIn(answer);
  if (drawn === null || isAboveZero(reading.counts.outputImage)) return reading;
  const { counts, inclusion } = reading;
  const input = whole(at(drawn, 'input_tokens'));
  const output = whole(at(drawn, 'output_tokens'));
  const added = {
    input,
    output,
    inputImage: whole(at(drawn, 'input_tokens_details', 'image_tokens')),
    outputImage: whole(firstGiven(at(drawn, 'output_tokens_details', 'image_tokens'), output)),
    ...(counts.total === undefined ? {} : { total: input + output }),
  };
  const sums = Object.entries(added)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => [name, sumOf([counts[name as keyof typeof added], count])]);
  return { counts: { ...counts, ...Object.fromEntries(sums) }, inclusion };
}

/** Returns what the image tool used of a response, if it used anything. */
export function drawnIn(answer: unknown): object | null {
  const drawn = at(answer, 'tool_usage', 'image_gen');
  return isObject(drawn) && isAboveZero(at(drawn, 'output_tokens')) ? drawn : null;
}

function isAboveZero(count: unknown): boolean {
  return whole(count) > 0;
}

function whole(value: unknown): number {
  const count = countOf(value);
  return isCount(count) ? count : 0;
}
