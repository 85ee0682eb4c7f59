import { serviceTier, tierIn } from '../foreign/foreign-tier.ts';
import { at, firstGiven, parseJson } from '../foreign/foreign-value.ts';
import { litellmCall } from '../foreign/litellm-calls.ts';
import { langchainParts, langchainTier } from '../usage-details.ts';
import { type Attributes, firstAttribute, objectAt } from './otlp-attributes.ts';

const EXECUTED_MODELS = [
  'gen_ai.response.model',
  'llm.response.model_name',
  'ai.response.model',
  'llm.model_name',
  'embedding.model_name',
  'reranker.model_name',
  'mlflow.llm.model',
];

export function executedModel(attributes: Attributes): unknown {
  return firstAttribute(attributes, EXECUTED_MODELS);
}

const REQUESTED_MODELS = [
  'spanledger.requested_model',
  'gen_ai.request.model',
  'llm.request.model_name',
  'ai.model.id',
];

/** OpenInference writes the executed model as the model; the requested one is in what was asked, which LangChain calls otherwise. */
export function requestedModel(attributes: Attributes): unknown {
  return firstGiven(
    firstAttribute(attributes, [...REQUESTED_MODELS, 'langfuse.observation.model.name']),
    modelInParameters(attributes),
    firstAttribute(attributes, EXECUTED_MODELS),
    modelInInputs(attributes),
    genkitModel(attributes),
    isClaudeCode(attributes) ? firstAttribute(attributes, ['model']) : undefined,
  );
}

/** Returns the model of a span that was certainly asked for, and that is not merely the one which answered. */
export function certainlyRequestedModel(attributes: Attributes): unknown {
  return firstGiven(
    firstAttribute(attributes, REQUESTED_MODELS),
    modelInParameters(attributes),
    modelInInputs(attributes),
    genkitModel(attributes),
  );
}

function modelInParameters(attributes: Attributes): unknown {
  const parameters = parseJson(attributes.get('llm.invocation_parameters'));
  return firstGiven(
    at(parameters, 'model'),
    at(parameters, 'model_name'),
    at(parseJson(attributes.get('embedding.invocation_parameters')), 'model'),
  );
}

function modelInInputs(attributes: Attributes): unknown {
  return at(objectAt(attributes, 'mlflow.spanInputs'), 'model');
}

const GENKIT_CALLS: ReadonlySet<unknown> = new Set(['model', 'embedder']);

/** Genkit names a model as `googleai/gemini-2.5-flash`, and the plug-in before it is the provider. */
export function genkitModel(attributes: Attributes): unknown {
  if (!GENKIT_CALLS.has(attributes.get('genkit:metadata:subtype'))) return undefined;
  const name = attributes.get('genkit:name');
  return typeof name === 'string' ? name.replace(/^[^/]*\//, '') : undefined;
}

/** The spans of Claude Code carry plain names, each of which could be anybody's. */
export function isClaudeCode(attributes: Attributes): boolean {
  return (
    attributes.get('span.type') === 'llm_request' ||
    attributes.get('spanledger.dialect') === 'claude_code'
  );
}

/** Who is paid for a Claude that no provider is named for: its name is another with each who offers it. */
export function payeeOfClaude(model: unknown): string {
  if (typeof model !== 'string') return 'anthropic';
  if (/^arn:|(?:^|\.)anthropic\./.test(model)) return 'aws.bedrock';
  return /@\d{8}$/.test(model) ? 'gcp.vertex_ai' : 'anthropic';
}

/** The AI SDK names the provider's interface, too: `openai.responses` is `openai`. */
export function providerOf(attributes: Attributes): unknown {
  const genkit = attributes.get('genkit:name');
  const name = firstGiven(
    firstAttribute(attributes, [
      'spanledger.provider',
      'gen_ai.provider.name',
      'gen_ai.system',
      'llm.provider',
      // Cloudflare's gateway.
      'gen_ai.model.provider',
      'llm.system',
      'ai.model.provider',
      'mlflow.llm.provider',
    ]),
    genkitModel(attributes) !== undefined && typeof genkit === 'string' && genkit.includes('/')
      ? genkit.replace(/\/.*$/s, '')
      : undefined,
    isClaudeCode(attributes) ? payeeOfClaude(requestedModel(attributes)) : undefined,
  );
  return typeof name === 'string'
    ? name.replace(/\.(?:responses|chat|completion|embedding|messages)$/, '')
    : name;
}

/**
 * Returns the tier that served the call; where the response does not tell, the one that was asked
 * for.
 */
export function tierOf(attributes: Attributes): unknown {
  const metadata = parseJson(attributes.get('ai.response.providerMetadata'));
  const operation = attributes.get('gen_ai.operation.name');
  // LiteLLM's exporter has the usage of a batch on the span by which it was retrieved.
  const isBatch =
    typeof operation === 'string' && litellmCall(operation.toLowerCase()).kind === 'batch';
  if (isBatch) return 'batch';
  return serviceTier(
    firstAttribute(attributes, [
      'spanledger.service_tier',
      'openai.response.service_tier',
      'gen_ai.openai.response.service_tier',
      'gen_ai.response.service_tier',
      'anthropic.response.service_tier',
    ]),
    at(metadata, 'openai', 'serviceTier'),
    at(metadata, 'azure', 'serviceTier'),
    tierIn(at(metadata, 'anthropic', 'usage'), at(metadata, 'google', 'usageMetadata')),
    tierIn(at(metadata, 'vertex', 'usageMetadata'), at(metadata, 'googleVertex', 'usageMetadata')),
    tierIn(at(objectAt(attributes, 'gcp.vertex.agent.llm_response'), 'usage_metadata')),
    langchainTier(...USAGES.map((name) => objectAt(attributes, name)).flatMap(withParts)),
    firstAttribute(attributes, [
      'openai.request.service_tier',
      'gen_ai.openai.request.service_tier',
      'gen_ai.request.service_tier',
    ]),
  );
}

/** Where LangChain's details of usage stand, which are named after the tier; Langfuse has them as buckets. */
const USAGES = [
  'gen_ai.usage.input_token_details',
  'gen_ai.usage.output_token_details',
  'langsmith.usage_metadata',
  'langfuse.observation.usage_details',
];

function withParts(usage: unknown): readonly unknown[] {
  return [usage, ...langchainParts(usage)];
}
