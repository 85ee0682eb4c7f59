import type { UsageCounts } from './event.ts';
import { at, firstGiven, isObject } from './foreign/foreign-value.ts';

/** The forms in which providers report usage. A provider's flavor is that of its interface. */
export type UsageFlavor =
  | 'openai_chat'
  | 'openai_responses'
  | 'openai_embeddings'
  | 'anthropic'
  | 'gemini'
  | 'bedrock_converse'
  | 'cohere';

/**
 * The usage in a provider's response body, in disjoint buckets. Null when the body has no usage of this
 * flavor, or counts that cannot be: the caller must not take that for a call without tokens.
 */
export function normalizeProviderUsage(flavor: UsageFlavor, body: unknown): UsageCounts | null {
  const counts = READERS[flavor](body);
  if (counts.input === undefined && counts.output === undefined) return null;
  const cacheRead = counts.cacheRead ?? 0;
  const cacheWrite = counts.cacheWrite ?? 0;
  const input = counts.input ?? 0;
  const isInside = counts.cacheInside && cacheRead + cacheWrite <= input;
  const buckets = {
    uncachedInput: isInside ? input - cacheRead - cacheWrite : input,
    cacheRead,
    cacheWrite,
    output: counts.output ?? 0,
    reasoning: counts.reasoning ?? 0,
  };
  return Object.values(buckets).every(isCount) ? { ...buckets, units: null } : null;
}

interface ProviderCounts {
  readonly input: number | undefined;
  readonly output: number | undefined;
  readonly cacheRead?: number | undefined;
  readonly cacheWrite?: number | undefined;
  readonly reasoning?: number | undefined;
  /** Whether the provider's input count holds its cache counts. A cache larger than it disproves that. */
  readonly cacheInside: boolean;
}

const READERS: Readonly<Record<UsageFlavor, (body: unknown) => ProviderCounts>> = {
  openai_chat: openaiChat,
  openai_responses: openaiResponses,
  openai_embeddings: openaiEmbeddings,
  anthropic,
  gemini,
  bedrock_converse: bedrockConverse,
  cohere,
};

function openaiChat(body: unknown): ProviderCounts {
  const usage = at(body, 'usage');
  return {
    input: count(at(usage, 'prompt_tokens')),
    ...outputWithHidden(usage),
    cacheRead: count(at(usage, 'prompt_tokens_details', 'cached_tokens')),
    cacheWrite: count(at(usage, 'prompt_tokens_details', 'cache_write_tokens')),
    cacheInside: true,
  };
}

/**
 * Gemini behind an interface like OpenAI's leaves its thoughts out of the completion, but not out of the
 * total: what the total counts beyond prompt and completion is reasoning, and is output.
 */
function outputWithHidden(usage: unknown): Pick<ProviderCounts, 'output' | 'reasoning'> {
  const output = count(at(usage, 'completion_tokens'));
  const reasoning = count(at(usage, 'completion_tokens_details', 'reasoning_tokens'));
  const total = count(at(usage, 'total_tokens'));
  const prompt = count(at(usage, 'prompt_tokens')) ?? 0;
  if (output === undefined || total === undefined || !(total > prompt + output)) {
    return { output, reasoning };
  }
  const hidden = total - prompt - output;
  return { output: output + hidden, reasoning: (reasoning ?? 0) + hidden };
}

function openaiResponses(body: unknown): ProviderCounts {
  const usage = at(body, 'usage');
  return {
    input: count(at(usage, 'input_tokens')),
    output: count(at(usage, 'output_tokens')),
    cacheRead: count(at(usage, 'input_tokens_details', 'cached_tokens')),
    cacheWrite: count(at(usage, 'input_tokens_details', 'cache_write_tokens')),
    reasoning: count(at(usage, 'output_tokens_details', 'reasoning_tokens')),
    cacheInside: true,
  };
}

function openaiEmbeddings(body: unknown): ProviderCounts {
  const input = count(at(body, 'usage', 'prompt_tokens'));
  return { input, output: undefined, cacheInside: true };
}

/** Cache writes of both lifetimes are in `cache_creation_input_tokens`; their split has no bucket. */
function anthropic(body: unknown): ProviderCounts {
  const usage = at(body, 'usage');
  return {
    input: count(at(usage, 'input_tokens')),
    output: count(at(usage, 'output_tokens')),
    cacheRead: count(at(usage, 'cache_read_input_tokens')),
    cacheWrite: count(at(usage, 'cache_creation_input_tokens')),
    reasoning: count(at(usage, 'output_tokens_details', 'thinking_tokens')),
    cacheInside: false,
  };
}

/** Gemini counts thoughts beside the output, and the prompts of its own tools beside the input. */
function gemini(body: unknown): ProviderCounts {
  const usage = at(body, 'usageMetadata');
  const thoughts = count(at(usage, 'thoughtsTokenCount'));
  return {
    input: sum(count(at(usage, 'promptTokenCount')), count(at(usage, 'toolUsePromptTokenCount'))),
    output: sum(count(at(usage, 'candidatesTokenCount')), thoughts),
    cacheRead: count(at(usage, 'cachedContentTokenCount')),
    reasoning: thoughts,
    cacheInside: true,
  };
}

function bedrockConverse(body: unknown): ProviderCounts {
  const usage = at(body, 'usage');
  return {
    input: count(at(usage, 'inputTokens')),
    output: count(at(usage, 'outputTokens')),
    cacheRead: count(
      firstGiven(at(usage, 'cacheReadInputTokens'), at(usage, 'cacheReadInputTokenCount')),
    ),
    cacheWrite: count(
      firstGiven(at(usage, 'cacheWriteInputTokens'), at(usage, 'cacheWriteInputTokenCount')),
    ),
    cacheInside: false,
  };
}

/** Cohere bills the billed units, which leave out what it adds to a prompt by itself. */
function cohere(body: unknown): ProviderCounts {
  const usage = at(body, 'usage') ?? at(body, 'meta');
  const billed = at(usage, 'billed_units');
  return {
    input: isObject(billed) ? count(at(billed, 'input_tokens')) : undefined,
    output: isObject(billed) ? count(at(billed, 'output_tokens')) : undefined,
    cacheInside: true,
  };
}

/**
 * Answers undefined where nothing is reported, and not a number where something else than a count is.
 */
function count(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'number' ? value : Number.NaN;
}

function sum(...counts: readonly (number | undefined)[]): number | undefined {
  const given = counts.filter((value) => value !== undefined);
  return given.length === 0 ? undefined : given.reduce((total, value) => total + value, 0);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
