import { isCount } from '../foreign/foreign-count.ts';
import { at, firstGiven, isObject, type JsonObject, parseJson } from '../foreign/foreign-value.ts';
import { plainDecimal, sumDecimals } from '../foreign/plain-decimal.ts';
import { openrouterCost, reportedCost } from '../foreign/reported-cost.ts';
import { langwatchMetrics } from './langwatch-metrics.ts';
import { type Attributes, firstAttribute, objectAt } from './otlp-attributes.ts';

/**
 * The attributes in which instrumentations write what a call cost; each amount is in dollars, and
 * of the whole call.
 */
const COSTS: readonly (readonly [source: string, names: readonly string[]])[] = [
  ['claude_code', ['cost_usd']],
  ['langwatch', ['langwatch.cost_usd']],
  ['gen_ai', ['gen_ai.cost.total_cost', 'gen_ai.cost.total', 'gen_ai.cost.amount']],
  ['litellm', ['gen_ai.cost.response_cost', 'llm.response_cost', 'response_cost']],
  ['gen_ai', ['gen_ai.usage.total_cost', 'gen_ai.usage.cost', 'gen_ai.usage.estimated_cost']],
  ['openinference', ['llm.cost.total']],
  ['pydantic_ai', ['operation.cost']],
];

/** Reads what a span says that its call cost (R22). */
export function spanCost(attributes: Attributes): JsonObject | undefined {
  return (
    metadataCost(attributes) ??
    langwatchCost(attributes) ??
    attributeCost(attributes) ??
    objectCost(attributes)
  );
}

/** LangWatch's gateway counts in millionths of a dollar where others write dollars. */
function langwatchCost(attributes: Attributes): JsonObject | undefined {
  const cost = attributes.get('gen_ai.usage.cost');
  if (!attributes.has('langwatch.gateway_request_id') || !isCount(cost)) return undefined;
  return reportedCost('langwatch', plainDecimal(cost, -6));
}

/** Returns what the AI SDK hands on of its providers: OpenRouter's two parts, the gateway's one. */
function metadataCost(attributes: Attributes): JsonObject | undefined {
  const metadata = parseJson(attributes.get('ai.response.providerMetadata'));
  const router = at(metadata, 'openrouter', 'usage');
  if (isObject(router) && router['cost'] !== undefined) {
    const upstream = at(router, 'costDetails', 'upstreamInferenceCost');
    return openrouterCost(router['cost'], { upstream, isByok: firstGiven(router['isByok']) });
  }
  const gateway = firstGiven(at(metadata, 'gateway', 'cost'));
  return gateway === undefined ? undefined : reportedCost('vercel_gateway', gateway);
}

function attributeCost(attributes: Attributes): JsonObject | undefined {
  const upstream = firstAttribute(attributes, UPSTREAM);
  for (const [source, names] of COSTS) {
    const cost = firstAttribute(attributes, names);
    if (cost === undefined) continue;
    if (upstream === undefined) return reportedCost(source, cost);
    return openrouterCost(cost, { upstream, isByok: attributes.get('gen_ai.usage.is_byok') });
  }
  return partsCost(attributes);
}

const UPSTREAM = [
  'gen_ai.usage.upstream_inference_cost',
  'gen_ai.usage.cost_details.upstream_inference_cost',
];

/** Instrumentations that name the parts alone; both together are the call. */
function partsCost(attributes: Attributes): JsonObject | undefined {
  const input = firstAttribute(attributes, ['gen_ai.cost.input_cost', 'gen_ai.usage.input_cost']);
  const output = firstAttribute(attributes, [
    'gen_ai.cost.output_cost',
    'gen_ai.usage.output_cost',
  ]);
  if (input === undefined || output === undefined) return undefined;
  return reportedCost('gen_ai', sumDecimals(plainDecimal(input), plainDecimal(output)));
}

function objectCost(attributes: Attributes): JsonObject | undefined {
  const langfuse = at(objectAt(attributes, 'langfuse.observation.cost_details'), 'total');
  if (langfuse !== undefined) return reportedCost('langfuse', langfuse);
  const mlflow = at(objectAt(attributes, 'mlflow.llm.cost'), 'total_cost');
  if (mlflow !== undefined) return reportedCost('mlflow', mlflow);
  const langwatch = at(langwatchMetrics(attributes), 'cost');
  return langwatch === undefined ? undefined : reportedCost('langwatch', langwatch);
}
