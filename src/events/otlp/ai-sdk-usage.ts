import { countOf, isCount } from '../foreign/foreign-count.ts';
import type { CallOf, Inclusion, ReportedCounts } from '../foreign/foreign-usage.ts';
import { at, firstGiven, isObject, parseJson, withoutAbsent } from '../foreign/foreign-value.ts';
import { searchesOfGemini } from '../gemini-usage.ts';
import { providerCounts } from '../provider-usage.ts';
import { finerParts } from '../usage-parts.ts';
import { withSteps } from '../usage-steps.ts';
import type { Attributes } from './otlp-attributes.ts';

/**
 * Reads the legacy spans of the AI SDK (scope `ai`). What includes what, by version and provider:
 *
 * | version | told by                      | Anthropic, Bedrock            | Gemini                        | others        |
 * |---------|------------------------------|-------------------------------|-------------------------------|---------------|
 * | 4       | ai.usage.promptTokens        | cache beside; camel metadata  | cache in, thoughts metadata   | all inside    |
 * | 5       | no ai.usage.inputTokenDetails| cache beside; usage metadata  | the same                      | all inside    |
 * | 6, 7    | ai.usage.inputTokenDetails.* | all inside; hour in metadata  | all inside; kinds in metadata | all inside    |
 *
 * Of generated calls (`doGenerate`) versions 4 and 5 write no cached tokens; the provider's metadata has them.
 * Where it is gone, they cannot be recovered, and the usage is `assumed`.
 */
export function aiSdkReading(
  attributes: Attributes,
  counts: ReportedCounts,
  call: CallOf,
): { readonly counts: ReportedCounts; readonly inclusion: Inclusion } {
  if ([...attributes.keys()].some((name) => name.startsWith(DETAILS))) {
    return inside({ ...metadataParts(attributes, call), ...counts });
  }
  if (String(attributes.get('ai.operationId')).endsWith('.doEmbed')) return inside(counts);
  const metadata = parseJson(attributes.get(METADATA));
  const gemini = geminiUsage(metadata);
  if (gemini !== null) {
    const searches = geminiSearches(metadata, call);
    const whole = { ...counts, reasoning: undefined, searches, ...gemini };
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
const METADATA = 'ai.response.providerMetadata';

/** The scope is that of the tracer which an application hands to the SDK, and of any name. */
export function isAiSdk(attributes: Attributes): boolean {
  return attributes.has('ai.operationId');
}

/** Returns what versions from 6 on count within their totals and leave to the provider's metadata to divide. */
export function metadataParts(attributes: Attributes, call: CallOf): ReportedCounts {
  const metadata = parseJson(attributes.get(METADATA));
  if (!isObject(metadata)) return {};
  const { cacheWrite, cacheWrite1h, searches } = anthropicParts(metadata) ?? {};
  return withoutAbsent({
    ...finerParts(geminiUsage(metadata) ?? {}),
    ...withoutAbsent({ cacheWrite: cacheWrite === 0 ? undefined : cacheWrite, cacheWrite1h }),
    searches: searches ?? geminiSearches(metadata, call),
  });
}

function geminiSearches(metadata: unknown, { model }: CallOf): number | undefined {
  const own = geminiOwn(metadata, 'groundingMetadata');
  if (own === undefined) return undefined;
  return searchesOfGemini({ candidates: [{ groundingMetadata: own }], modelVersion: model });
}

/** Returns what Google's packages hand on of an answer, each under a name of its own. */
function geminiOwn(metadata: unknown, name: string): unknown {
  return firstGiven(...['google', 'vertex', 'googleVertex'].map((own) => at(metadata, own, name)));
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
  const usage = geminiOwn(metadata, 'usageMetadata');
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
