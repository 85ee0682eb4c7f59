import { type CacheConvention, type NativeUsage, nativeUsage } from '../foreign/foreign-usage.ts';
import { at, firstGiven, isObject, type JsonObject, parseJson } from '../foreign/foreign-value.ts';
import { type Attributes, firstAttribute } from './otlp-attributes.ts';

/** One count, under all the names it has had: the convention of today first. */
export const INPUT_TOKENS: readonly string[] = [
  'gen_ai.usage.input_tokens',
  'gen_ai.usage.prompt_tokens',
  'llm.token_count.prompt',
  'llm.usage.prompt_tokens',
  'ai.usage.inputTokens',
  'ai.usage.promptTokens',
  'ai.usage.tokens',
];

export const OUTPUT_TOKENS: readonly string[] = [
  'gen_ai.usage.output_tokens',
  'gen_ai.usage.completion_tokens',
  'llm.token_count.completion',
  'llm.usage.completion_tokens',
  'ai.usage.outputTokens',
  'ai.usage.completionTokens',
];

const CACHE_READ_TOKENS = [
  'gen_ai.usage.cache_read.input_tokens',
  'gen_ai.usage.cache_read_input_tokens',
  'llm.token_count.prompt_details.cache_read',
  'ai.usage.cachedInputTokens',
  'ai.usage.inputTokenDetails.cacheReadTokens',
];

const CACHE_WRITE_TOKENS = [
  'gen_ai.usage.cache_write.input_tokens',
  'gen_ai.usage.cache_creation.input_tokens',
  'gen_ai.usage.cache_write_input_tokens',
  'gen_ai.usage.cache_creation_input_tokens',
  'llm.token_count.prompt_details.cache_write',
  'ai.usage.inputTokenDetails.cacheWriteTokens',
];

const REASONING_TOKENS = [
  'gen_ai.usage.reasoning.output_tokens',
  'gen_ai.usage.reasoning_tokens',
  'gen_ai.usage.details.reasoning_tokens',
  'llm.token_count.completion_details.reasoning',
  'ai.usage.reasoningTokens',
  'ai.usage.outputTokenDetails.reasoningTokens',
];

const TOTAL_TOKENS = [
  'gen_ai.usage.total_tokens',
  'llm.usage.total_tokens',
  'llm.token_count.total',
  'ai.usage.totalTokens',
];

/**
 * Whether an instrumentation's input count includes cache, by the beginning of its scope name. Each row
 * was seen in captured spans or in the instrumentation's source; a scope that is not here is `unknown`.
 */
const SCOPES: readonly (readonly [prefix: string, convention: CacheConvention])[] = [
  ['gen_ai', 'inclusive'],
  ['ai', 'inclusive'],
  ['com.anthropic.sdk.typescript', 'inclusive'],
  ['@opentelemetry/instrumentation-openai', 'inclusive'],
  ['@traceloop/instrumentation-openai', 'inclusive'],
  ['@traceloop/instrumentation-anthropic', 'exclusive'],
  ['@arizeai/openinference-instrumentation-', 'inclusive'],
  ['opentelemetry.instrumentation.botocore', 'exclusive'],
  ['opentelemetry.instrumentation.bedrock', 'exclusive'],
  ['opentelemetry.instrumentation.anthropic', 'inclusive'],
  ['opentelemetry.instrumentation.google_genai', 'inclusive'],
  ['opentelemetry.instrumentation.openai', 'inclusive'],
  ['pydantic-ai', 'inclusive'],
  ['gcp.vertex.agent', 'inclusive'],
  ['litellm', 'inclusive'],
  ['agent_framework', 'inclusive'],
  ['langfuse-sdk', 'exclusive'],
];

/** Strands hands on what the model's provider counted, and only Bedrock counts cache apart. */
const BEDROCK_MODEL = /^(?:arn:aws|(?:[a-z-]+\.)?(?:anthropic|amazon|meta|mistral|cohere|ai21)\.)/;

export function spanUsage(attributes: Attributes, scope: string): NativeUsage {
  const counts = {
    input: firstAttribute(attributes, INPUT_TOKENS),
    output: firstAttribute(attributes, OUTPUT_TOKENS),
    cacheRead: firstGiven(
      firstAttribute(attributes, CACHE_READ_TOKENS),
      at(langsmithDetails(attributes), 'cache_read'),
    ),
    cacheWrite: firstGiven(
      firstAttribute(attributes, CACHE_WRITE_TOKENS),
      at(langsmithDetails(attributes), 'cache_creation'),
    ),
    reasoning: firstAttribute(attributes, REASONING_TOKENS),
    total: firstAttribute(attributes, TOTAL_TOKENS),
  };
  if (counts.input === undefined && counts.output === undefined) {
    return langfuseUsage(attributes);
  }
  return nativeUsage(withGeminiThoughts(counts, attributes), conventionOf(attributes, scope));
}

function langsmithDetails(attributes: Attributes): unknown {
  return parseJson(attributes.get('gen_ai.usage.input_token_details'));
}

function conventionOf(attributes: Attributes, scope: string): CacheConvention {
  if (scope.startsWith('strands')) {
    const model = attributes.get('gen_ai.request.model');
    return typeof model === 'string' && BEDROCK_MODEL.test(model) ? 'exclusive' : 'unknown';
  }
  const row = SCOPES.find(([prefix]) => isWithin(scope, prefix));
  return row === undefined ? 'unknown' : row[1];
}

/** A name or a part of it up to a separator: `ai` must not decide for `ai-gateway-of-ours`. */
function isWithin(scope: string, prefix: string): boolean {
  if (!scope.startsWith(prefix)) return false;
  return (
    scope.length === prefix.length ||
    prefix.endsWith('-') ||
    /[._/]/.test(scope[prefix.length] ?? '')
  );
}

type SpanCounts = Parameters<typeof nativeUsage>[0];

/** Older Google ADK leaves thoughts out of the output, and keeps them in the response it attaches. */
function withGeminiThoughts(counts: SpanCounts, attributes: Attributes): SpanCounts {
  const reported = at(parseJson(attributes.get('gcp.vertex.agent.llm_response')), 'usage_metadata');
  const thoughts = at(reported, 'thoughts_token_count');
  if (typeof thoughts !== 'number' || typeof counts.output !== 'number') return counts;
  if (counts.output !== at(reported, 'candidates_token_count')) return counts;
  return { ...counts, output: counts.output + thoughts, reasoning: thoughts };
}

/** Langfuse keeps disjoint buckets: every `input…` beside `input`, every `output…` beside `output`. */
function langfuseUsage(attributes: Attributes): NativeUsage {
  const details = parseJson(attributes.get('langfuse.observation.usage_details'));
  if (!isObject(details)) return { usage: undefined, assumed: false };
  const reasoning = at(details, 'output_reasoning_tokens');
  const output = firstGiven(at(details, 'output'), at(details, 'completion_tokens'));
  return nativeUsage(
    {
      input: firstGiven(at(details, 'input'), at(details, 'prompt_tokens')),
      output:
        typeof reasoning === 'number' && typeof output === 'number' ? output + reasoning : output,
      cacheRead: sumOf(details, /^(?:cache_read_input_tokens|input_cache(?:d_tokens|_read))$/),
      cacheWrite: sumOf(details, /^(?:cache_creation_input_tokens|input_cache_creation)/),
      reasoning,
    },
    'exclusive',
  );
}

function sumOf(details: JsonObject, name: RegExp): unknown {
  const values = Object.keys(details)
    .filter((key) => name.test(key))
    .map((key) => details[key]);
  if (values.length === 0 || !values.every((value) => typeof value === 'number')) return values[0];
  return values.reduce((sum, value) => sum + value, 0);
}
