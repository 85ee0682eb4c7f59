import { countOf, isCount } from './foreign/foreign-count.ts';
import { isObject } from './foreign/foreign-value.ts';

/** Answers true where a usage object counts tokens under a name that nobody knows. */
export function holdsUnknownTokens(usage: unknown): boolean {
  return unknownTokensIn(usage).length > 0;
}

/**
 * Answers true where a total alone cannot be taken for input, because tokens stand beside it under names that nobody
 * knows. The kinds into which those who embed divide their input are no such names: Voyage and Jina count nothing else.
 */
export function holdsTokensOfAnySide(usage: unknown): boolean {
  return unknownTokensIn(usage).some((name) => !KINDS_OF_INPUT.has(name));
}

const KINDS_OF_INPUT: ReadonlySet<string> = new Set([
  ...['text_tokens', 'image_tokens', 'video_tokens', 'audio_tokens'],
]);

function unknownTokensIn(usage: unknown): readonly string[] {
  if (!isObject(usage)) return [];
  return Object.entries(usage)
    .filter(([name, value]) => TOKENS.test(name) && !KNOWN_TOKENS.has(name) && isAboveZero(value))
    .map(([name]) => name);
}

function isAboveZero(value: unknown): boolean {
  const counted = countOf(value);
  return isCount(counted) && counted > 0;
}

/** The names of counts of tokens, as providers write them. */
export const TOKENS = /(?:_tokens|Tokens|_token_count|TokenCount)$/;

/** Counts of tokens at the top of a usage object, in any form, that are read or repeat a part of what is read. */
export const KNOWN_TOKENS: ReadonlySet<string> = new Set([
  ...['prompt_tokens', 'completion_tokens', 'total_tokens', 'reasoning_tokens', 'citation_tokens'],
  ...['input_tokens', 'output_tokens', 'inputTokens', 'outputTokens', 'totalTokens'],
  ...['cached_tokens', 'num_cached_tokens', 'prompt_cache_hit_tokens', 'prompt_cache_miss_tokens'],
  ...['cache_read_input_tokens', 'cacheReadInputTokens', 'cacheReadInputTokenCount'],
  ...['cache_creation_input_tokens', 'cacheWriteInputTokens', 'cacheWriteInputTokenCount'],
  ...['cachedInputTokens', 'reasoningTokens'],
  ...['promptTokenCount', 'prompt_token_count', 'totalTokenCount', 'total_token_count'],
  ...['candidatesTokenCount', 'candidates_token_count'],
  ...['responseTokenCount', 'response_token_count'],
  ...['thoughtsTokenCount', 'thoughts_token_count'],
  ...['toolUsePromptTokenCount', 'tool_use_prompt_token_count'],
  ...['cachedContentTokenCount', 'cached_content_token_count'],
  ...['inputTokenCount', 'inputTextTokenCount', 'input_token_count'],
  ...['outputTokenCount', 'generation_token_count', 'generated_token_count'],
  ...['total_input_tokens', 'total_output_tokens', 'total_thought_tokens'],
  ...['total_cached_tokens', 'total_tool_use_tokens'],
]);
