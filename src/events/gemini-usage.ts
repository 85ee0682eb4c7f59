import { sumOf } from './foreign/foreign-count.ts';
import type { ReportedCounts } from './foreign/foreign-usage.ts';
import { at, firstGiven } from './foreign/foreign-value.ts';

/** Names by which Gemini's usage is known: those of its answers, in either spelling, and of its interactions. */
export const GEMINI_COUNTS = [
  'promptTokenCount',
  'candidatesTokenCount',
  'prompt_token_count',
  'candidates_token_count',
  'thoughtsTokenCount',
  'total_input_tokens',
  'total_output_tokens',
  'total_thought_tokens',
];

/** Gemini counts thoughts beside the output, and the prompts of its own tools beside the input. */
export function geminiCounts(usage: object): ReportedCounts {
  const look = (...names: readonly string[]) => firstGiven(...names.map((name) => at(usage, name)));
  const prompt = look(
    'promptTokensDetails',
    'prompt_tokens_details',
    'input_tokens_by_modality',
    // Of what is embedded.
    'promptTokenDetails',
    'prompt_token_details',
  );
  const tools = look(
    'toolUsePromptTokensDetails',
    'tool_use_prompt_tokens_details',
    'tool_use_tokens_by_modality',
  );
  const cached = look('cacheTokensDetails', 'cache_tokens_details', 'cached_tokens_by_modality');
  const answer = look(
    'candidatesTokensDetails',
    'candidates_tokens_details',
    'responseTokensDetails',
    'response_tokens_details',
    'output_tokens_by_modality',
  );
  const into = (modality: string) =>
    sumOf([ofModality(prompt, modality), ofModality(tools, modality)]);
  return {
    input: sumOf([
      look('promptTokenCount', 'prompt_token_count', 'total_input_tokens'),
      look('toolUsePromptTokenCount', 'tool_use_prompt_token_count', 'total_tool_use_tokens'),
    ]),
    output: look(
      'candidatesTokenCount',
      'candidates_token_count',
      'responseTokenCount',
      'response_token_count',
      'total_output_tokens',
    ),
    total: look('totalTokenCount', 'total_token_count', 'total_tokens'),
    cacheRead: look('cachedContentTokenCount', 'cached_content_token_count', 'total_cached_tokens'),
    reasoning: look('thoughtsTokenCount', 'thoughts_token_count', 'total_thought_tokens'),
    inputAudio: into('AUDIO'),
    inputImage: into('IMAGE'),
    inputVideo: into('VIDEO'),
    cacheReadAudio: ofModality(cached, 'AUDIO'),
    cacheReadImage: ofModality(cached, 'IMAGE'),
    cacheReadVideo: ofModality(cached, 'VIDEO'),
    outputAudio: ofModality(answer, 'AUDIO'),
    outputImage: ofModality(answer, 'IMAGE'),
    outputVideo: ofModality(answer, 'VIDEO'),
  };
}

function ofModality(details: unknown, modality: string): unknown {
  if (!Array.isArray(details)) return undefined;
  const counts = details
    .filter((detail) => String(at(detail, 'modality')).toUpperCase().endsWith(modality))
    .map((detail) =>
      firstGiven(at(detail, 'tokenCount'), at(detail, 'token_count'), at(detail, 'tokens')),
    );
  return sumOf(counts);
}

/** Models whose answers cost one search, however often they searched for it. */
const ONE_A_PROMPT = /gemini-(?:1|2)(?:\.\d+)?-/;

/**
 * Counts the searches that an answer is grounded in. From Gemini 3 on Google takes money for each query, and counts
 * neither an empty one nor one twice; before, for each answer that searched.
 */
export function searchesOfGemini(response: unknown): number | undefined {
  const candidates = at(response, 'candidates');
  if (!Array.isArray(candidates)) return undefined;
  const queries = candidates.flatMap((candidate) => {
    const asked = at(candidate, 'groundingMetadata', 'webSearchQueries');
    return Array.isArray(asked) ? asked.filter((query) => String(query).trim() !== '') : [];
  });
  const count = new Set(queries).size;
  if (count === 0) return undefined;
  return ONE_A_PROMPT.test(String(at(response, 'modelVersion'))) ? 1 : count;
}
