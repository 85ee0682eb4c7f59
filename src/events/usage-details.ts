import { countOf, isCount, sumOf } from './foreign/foreign-count.ts';
import type { ReportedCounts } from './foreign/foreign-usage.ts';
import { at, firstGiven, isObject, withoutAbsent } from './foreign/foreign-value.ts';

/**
 * Returns the parts of input and output under the names that OpenAI, DeepSeek, OpenRouter, Qwen and
 * LiteLLM give them.
 */
export function detailsOf(usage: object, input: unknown, output: unknown): ReportedCounts {
  const cached = firstGiven(at(input, 'cached_tokens_details'), {});
  return {
    cacheRead: firstGiven(
      at(input, 'cached_tokens'),
      at(usage, 'cache_read_input_tokens'),
      at(usage, 'prompt_cache_hit_tokens'),
      at(usage, 'cached_tokens'),
      at(usage, 'num_cached_tokens'),
    ),
    cacheWrite: firstGiven(
      at(usage, 'cache_creation_input_tokens'),
      at(input, 'cache_write_tokens'),
      at(input, 'cache_creation_tokens'),
      at(input, 'cache_creation_input_tokens'),
    ),
    cacheWrite1h: firstGiven(
      at(input, 'cache_creation_token_details', 'ephemeral_1h_input_tokens'),
      at(usage, 'cache_creation_token_details', 'ephemeral_1h_input_tokens'),
      at(usage, 'cache_creation', 'ephemeral_1h_input_tokens'),
      at(input, 'cache_creation', 'ephemeral_1h_input_tokens'),
    ),
    reasoning: firstGiven(at(output, 'reasoning_tokens'), at(usage, 'reasoning_tokens')),
    inputAudio: at(input, 'audio_tokens') ?? undefined,
    inputImage: at(input, 'image_tokens') ?? undefined,
    inputVideo: at(input, 'video_tokens') ?? undefined,
    cacheReadAudio: at(cached, 'audio_tokens') ?? undefined,
    cacheReadImage: at(cached, 'image_tokens') ?? undefined,
    outputAudio: at(output, 'audio_tokens') ?? undefined,
    // An answer that counts its text has divided its output, so that there is no image in it.
    outputImage: at(output, 'image_tokens') ?? (isGiven(at(output, 'text_tokens')) ? 0 : undefined),
    outputVideo: at(output, 'video_tokens') ?? undefined,
  };
}

function isGiven(count: unknown): boolean {
  return isCount(countOf(count));
}

/** Tiers that LangChain writes before the name of a detail, and beside the details for what is left of their total. */
const TIERS = ['flex', 'priority'] as const;

/** Returns the parts of input and output under the names that LangChain and LangSmith give them for every provider. */
export function langchainDetails(input: unknown, output: unknown): ReportedCounts {
  const of = (details: unknown, name: string) =>
    sumOf(['', ...TIERS.map((tier) => `${tier}_`)].map((tier) => at(details, `${tier}${name}`)));
  const oneHour = of(input, 'ephemeral_1h_input_tokens');
  const written = of(input, 'cache_creation');
  const ephemeral = sumOf([of(input, 'ephemeral_5m_input_tokens'), oneHour]);
  return withoutAbsent({
    cacheRead: of(input, 'cache_read'),
    cacheWrite: written === 0 ? firstGiven(ephemeral, 0) : firstGiven(written, ephemeral),
    cacheWrite1h: oneHour,
    inputAudio: of(input, 'audio'),
    reasoning: of(output, 'reasoning'),
    outputAudio: of(output, 'audio'),
  });
}

/** Returns the details of LangChain's sum of a call. */
export function langchainParts(usage: unknown): readonly unknown[] {
  return [at(usage, 'input_token_details'), at(usage, 'output_token_details')];
}

/** The tier by whose name a detail of the input or of the output is called. */
export function langchainTier(...details: readonly unknown[]): string | undefined {
  return TIERS.find((tier) =>
    details.some((each) => Object.keys(isObject(each) ? each : {}).some(isOfTier(tier))),
  );
}

function isOfTier(tier: string): (name: string) => boolean {
  return (name) => name.replace(/^(?:input|output)_/, '').startsWith(tier);
}
