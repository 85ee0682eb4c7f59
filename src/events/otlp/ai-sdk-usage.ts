import { countOf, isCount } from '../foreign/foreign-count.ts';
import type { CallOf, Inclusion, ReportedCounts } from '../foreign/foreign-usage.ts';
import { at, firstGiven, isObject, parseJson, withoutAbsent } from '../foreign/foreign-value.ts';
import { providerCounts } from '../provider-usage.ts';
import { withSteps } from '../usage-steps.ts';
import type { Attributes } from './otlp-attributes.ts';

/**
 * Reads the legacy spans of the AI SDK (scope `ai`). What includes what, by version and provider:
 *
 * | version | told by                      | Anthropic, Bedrock            | Gemini                        | others        |
 * |---------|------------------------------|-------------------------------|-------------------------------|---------------|
 * | 4       | ai.usage.promptTokens        | cache beside; camel metadata  | cache in, thoughts metadata   | all inside    |
 * | 5       | no ai.usage.inputTokenDetails| cache beside; usage metadata  | the same                      | all inside    |
 * | 6       | ai.usage.inputTokenDetails.* | all inside                    | all inside                    | all inside    |
 *
 * Of generated calls (`doGenerate`) versions 4 and 5 write no cached tokens; the provider's metadata has them.
 * Where it is gone, they cannot be recovered, and the usage is `assumed`.
 */
export function aiSdkReading(
  attributes: Attributes,
  counts: ReportedCounts,
  call: CallOf,
): { readonly counts: ReportedCounts; readonly inclusion: Inclusion } {
  if ([...attributes.keys()].some((name) => name.startsWith(DETAILS))) return inside(counts);
  if (String(attributes.get('ai.operationId')).endsWith('.doEmbed')) return inside(counts);
  const metadata = parseJson(attributes.get('ai.response.providerMetadata'));
  const gemini = geminiUsage(metadata);
  if (gemini !== null) {
    const whole = { ...counts, reasoning: undefined, ...gemini };
    return { counts: withoutAbsent(whole), inclusion: { cache: 'inside', reasoning: 'beside' } };
  }
  const apart = anthropicParts(metadata) ?? bedrockParts(metadata);
  if (apart !== null) {
    const reading = { counts: { ...counts, ...apart }, inclusion: BESIDE } as const;
    return withSteps(reading, at(metadata, 'anthropic', 'usage'));
  }
  const provider = String(call.provider ?? '');
  if (/anthropic|bedrock/i.test(provider)) return unrecoverable(counts);
  if (/google|vertex|gemini/i.test(provider)) {
    return { counts, inclusion: { cache: 'unknown', reasoning: 'beside' } };
  }
  const parts = openaiParts(metadata);
  const isKnown = counts.cacheRead !== undefined || parts['cacheRead'] !== undefined;
  return { counts: { ...parts, ...counts }, inclusion: { cache: isKnown ? 'inside' : 'unknown' } };
}

/** The SDK's total is of what it hands on as input and output. */
const BESIDE: Inclusion = { cache: 'beside', outOfTotal: 'cache' };

const DETAILS = 'ai.usage.inputTokenDetails.';

export function isAiSdk(attributes: Attributes, scope: string): boolean {
  return scope === 'ai' && attributes.has('ai.operationId');
}

function inside(counts: ReportedCounts) {
  return { counts, inclusion: { cache: 'inside' } } as const;
}

/** The cached tokens of a stream are told, what was written is not: added, and assumed to be all. */
function unrecoverable(counts: ReportedCounts) {
  const cached = countOf(counts.cacheRead);
  const input = countOf(counts.input);
  const whole = isCount(cached) && isCount(input) ? { ...counts, input: input + cached } : counts;
  return { counts: whole, inclusion: { cache: 'unknown' } } as const;
}

function geminiUsage(metadata: unknown): ReportedCounts | null {
  const usage = firstGiven(
    at(metadata, 'google', 'usageMetadata'),
    at(metadata, 'vertex', 'usageMetadata'),
    at(metadata, 'googleVertex', 'usageMetadata'),
  );
  if (!isObject(usage)) return null;
  const counts = withoutAbsent(providerCounts({ usage })?.counts ?? {});
  return Object.keys(counts).length > 0 ? counts : null;
}

function anthropicParts(metadata: unknown): ReportedCounts | null {
  const own = at(metadata, 'anthropic');
  if (!isObject(own)) return null;
  const usage = at(own, 'usage');
  return withoutAbsent({
    cacheRead: firstGiven(at(usage, 'cache_read_input_tokens'), at(own, 'cacheReadInputTokens'), 0),
    cacheWrite: firstGiven(
      at(usage, 'cache_creation_input_tokens'),
      at(own, 'cacheCreationInputTokens'),
      0,
    ),
    cacheWrite1h: firstGiven(at(usage, 'cache_creation', 'ephemeral_1h_input_tokens')),
    searches: firstGiven(at(usage, 'server_tool_use', 'web_search_requests')),
  });
}

function bedrockParts(metadata: unknown): ReportedCounts | null {
  const own = at(metadata, 'bedrock');
  if (!isObject(own)) return null;
  return {
    cacheRead: firstGiven(at(own, 'usage', 'cacheReadInputTokens'), 0),
    cacheWrite: firstGiven(at(own, 'usage', 'cacheWriteInputTokens'), 0),
  };
}

/** OpenAI's own, OpenRouter's and DeepSeek's parts, all within the totals. */
function openaiParts(metadata: unknown): ReportedCounts {
  const router = at(metadata, 'openrouter', 'usage');
  return withoutAbsent({
    cacheRead: firstGiven(
      at(metadata, 'openai', 'cachedPromptTokens'),
      at(metadata, 'azure', 'cachedPromptTokens'),
      at(router, 'promptTokensDetails', 'cachedTokens'),
      at(metadata, 'deepseek', 'promptCacheHitTokens'),
    ),
    reasoning: firstGiven(
      at(metadata, 'openai', 'reasoningTokens'),
      at(router, 'completionTokensDetails', 'reasoningTokens'),
    ),
  });
}
