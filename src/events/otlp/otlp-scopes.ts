import type { Inclusion, PartPlace } from '../foreign/foreign-usage.ts';
import type { Attributes } from './otlp-attributes.ts';

/** The instrumentation that wrote a span, as it names itself. */
export interface Instrumentation {
  readonly name: string;
  readonly version: string | null;
}

/**
 * Whether an instrumentation's input count includes cache, by the beginning of its scope name. Each row
 * was seen in captured spans or in the instrumentation's source; a scope that is not here is `unknown`, and
 * its input is taken as inclusive and `assumed`, unless its counts or its total prove something else.
 * Output includes reasoning everywhere but for Google and xAI; sound and pictures are inside both. Where two
 * instrumentations report one call, its usage is the finer one: at once in one message, by the ledger's correction
 * in several.
 *
 * | instrumentation                | versions      | input holds cache                       | told by                         |
 * |--------------------------------|---------------|-----------------------------------------|---------------------------------|
 * | AI SDK (`ai`)                  | 4, 5          | not for Anthropic, Bedrock              | ai-sdk-usage.ts                 |
 * | AI SDK (`ai`, `gen_ai`)        | 6, 7          | yes                                     | ai.usage.inputTokenDetails.*    |
 * | Anthropic SDKs, Claude API     | all           | yes                                     | scope                           |
 * | Traceloop JS Anthropic         | to 0.27.0     | no                                      | version of the scope            |
 * | Traceloop JS Anthropic         | after 0.27.0  | yes                                     | version of the scope            |
 * | OpenInference JS Bedrock       | all           | no: as the answer counts it             | scope                           |
 * | OpenInference Python Bedrock   | all           | of Claude, but not by Converse          | model; by Converse the total    |
 * | OpenInference, Strands through | older         | not on Bedrock                          | total                           |
 * | Pydantic AI, Mastra, OpenRouter| all           | yes                                     | scope                           |
 * | LiveKit Agents                 | all           | yes                                     | scope                           |
 * | Google ADK                     | older         | yes; thoughts and cache in the answer   | gcp.vertex.agent.llm_response   |
 * | Google ADK around another      | all           | yes; the outer answer                   | finer-usage.ts                  |
 * | Claude Code                    | all           | no                                      | span.type                       |
 * | Langfuse                       | JS, Python    | disjoint buckets                        | langfuse-usage.ts               |
 * | LangSmith, LangChain           | all           | yes                                     | usage_metadata                  |
 * | LangWatch's SDKs               | all           | not told: assumed                       | langwatch.metrics               |
 * | LangWatch's gateway, for users | all           | no, nor sound and pictures              | gen_ai.provider.name            |
 * | LangWatch's gateway, of itself | all           | yes                                     | gen_ai.system                   |
 */
const SCOPES: readonly (readonly [prefix: string, cache: PartPlace])[] = [
  ['gen_ai', 'inside'],
  ['ai', 'inside'],
  ['com.anthropic.sdk', 'inside'],
  ['com.anthropic.claude-platform', 'inside'],
  ['com.anthropic.claude_code', 'beside'],
  ['@opentelemetry/instrumentation-openai', 'inside'],
  ['@traceloop/instrumentation-openai', 'inside'],
  ['@arizeai/openinference-instrumentation-bedrock', 'beside'],
  ['@arizeai/openinference-instrumentation-', 'inside'],
  ['openinference.instrumentation.openai', 'inside'],
  ['openinference.instrumentation.google_genai', 'inside'],
  ['opentelemetry.instrumentation.botocore', 'beside'],
  ['opentelemetry.instrumentation.bedrock', 'beside'],
  ['opentelemetry.instrumentation.anthropic', 'inside'],
  ['opentelemetry.instrumentation.google_genai', 'inside'],
  ['opentelemetry.instrumentation.openai', 'inside'],
  ['opentelemetry.instrumentation.openai_v2', 'inside'],
  ['pydantic-ai', 'inside'],
  ['gcp.vertex.agent', 'inside'],
  ['litellm', 'inside'],
  ['livekit-agents', 'inside'],
  ['agent_framework', 'inside'],
  ['@mastra', 'inside'],
  ['mastra', 'inside'],
  ['openrouter', 'inside'],
  ['sentry', 'inside'],
  ['langsmith', 'inside'],
  ['codex', 'inside'],
];

/** Returns how the instrumentation of a span counts. */
export function inclusionOf(attributes: Attributes, scope: Instrumentation): Inclusion {
  if (isWithin(scope.name, LANGWATCH_GATEWAY) && !attributes.has('gen_ai.system')) {
    return { cache: 'beside', media: 'beside' };
  }
  if (isWithin(scope.name, TRACELOOP_ANTHROPIC)) return ofTraceloop(scope.version);
  const cache = cacheOf(attributes, scope.name);
  return cache === 'beside' ? APART : { cache };
}

/** An input that leaves cache out, as the total beside it does. */
const APART: Inclusion = { cache: 'beside', outOfTotal: 'cache' };

const LANGWATCH_GATEWAY = 'langwatch-service-aigateway';
const TRACELOOP_ANTHROPIC = '@traceloop/instrumentation-anthropic';

/** Strands hands on what the model's provider counted, and only Bedrock counts cache apart. */
const BEDROCK_MODEL = /^(?:arn:aws|(?:[a-z-]+\.)?(?:anthropic|amazon|meta|mistral|cohere|ai21)\.)/;

function cacheOf(attributes: Attributes, name: string): PartPlace {
  if (name.startsWith('strands')) {
    const model = attributes.get('gen_ai.request.model');
    return typeof model === 'string' && BEDROCK_MODEL.test(model) ? 'beside' : 'unknown';
  }
  if (isWithin(name, LANGWATCH_GATEWAY)) return 'inside';
  if (isWithin(name, 'openinference.instrumentation.bedrock')) {
    return /claude/i.test(String(attributes.get('llm.model_name'))) ? 'inside' : 'beside';
  }
  const row = SCOPES.find(([prefix]) => isWithin(name, prefix));
  if (row !== undefined) return row[1];
  return attributes.has('mastra.span.type') ? 'inside' : 'unknown';
}

/** The last version of Traceloop's instrumentation of Anthropic that left the cache out of the input. */
const LAST_APART = [0, 27, 0];

function ofTraceloop(version: string | null): Inclusion {
  const parts = /^v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})/
    .exec(version ?? '')
    ?.slice(1)
    .map(Number);
  // Which of the two it is nobody says; the one that was longer in use is taken.
  if (parts === undefined) return { ...APART, apart: 0 };
  const differs = parts.findIndex((part, place) => part !== LAST_APART[place]);
  const isLater = (parts[differs] ?? 0) > (LAST_APART[differs] ?? 0);
  return isLater ? { cache: 'inside' } : APART;
}

/**
 * Tells whether a word is a name or a part of it up to a separator: `ai` must not decide for
 * `ai-gateway-of-ours`.
 */
function isWithin(scope: string, prefix: string): boolean {
  if (!scope.startsWith(prefix)) return false;
  return (
    scope.length === prefix.length ||
    prefix.endsWith('-') ||
    /[._/]/.test(scope[prefix.length] ?? '')
  );
}
