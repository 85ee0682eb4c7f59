import { providerFamily } from '../provider-name.ts';
import { at, firstGiven, isObject, type JsonObject } from './foreign-value.ts';
import { isGreater, plainDecimal, sumDecimals } from './plain-decimal.ts';

/**
 * Returns what a producer says that a call cost (R22). Who says it, where, and what the amount
 * holds:
 *
 * | source           | field                                | the amount is                                       |
 * |------------------|--------------------------------------|-----------------------------------------------------|
 * | litellm          | response_cost                        | LiteLLM's own price list times the tokens           |
 * | openrouter       | usage.cost                           | what was taken from the credits                     |
 * | openrouter_byok  | usage.cost + upstream_inference_cost | the fee for a key of one's own, and the provider's  |
 * | xai              | usage.cost_in_usd_ticks              | ten thousand millionths of a dollar make one        |
 * | vercel_gateway   | providerMetadata.gateway.cost        | what was taken from the credits                     |
 * | claude_code      | cost_usd                             | its own price list times the tokens                 |
 * | gen_ai           | gen_ai.cost.*, operation.cost, …     | whatever the instrumentation knows                  |
 */
export function reportedCost(source: string, amount: unknown): JsonObject | undefined {
  const text = plainDecimal(amount);
  return text === null ? undefined : { amount: text, currency: 'USD', source };
}

/** xAI counts in ticks, ten thousand million to the dollar. */
const DOLLARS_IN_A_TICK = -10;

/** Reads what a provider's own usage object says of the cost, as OpenRouter and xAI write it. */
export function costInUsage(usage: unknown, provider: unknown): JsonObject | undefined {
  if (!isObject(usage)) return undefined;
  const ticks = at(usage, 'cost_in_usd_ticks');
  if (ticks !== undefined) return reportedCost('xai', plainDecimal(ticks, DOLLARS_IN_A_TICK));
  const cost = firstGiven(at(usage, 'cost'), at(usage, 'total_cost'));
  const upstream = firstGiven(
    at(usage, 'cost_details', 'upstream_inference_cost'),
    at(usage, 'costDetails', 'upstreamInferenceCost'),
    at(usage, 'upstream_inference_cost'),
  );
  if (upstream !== undefined || at(usage, 'is_byok') !== undefined) {
    return openrouterCost(cost, { upstream, isByok: at(usage, 'is_byok') ?? at(usage, 'isByok') });
  }
  if (typeof cost === 'object') return reportedCost(sourceOf(provider), at(cost, 'total_cost'));
  return reportedCost(sourceOf(provider), cost);
}

/**
 * OpenRouter takes a fee alone with a key of the caller's own, and the provider's own bill is named
 * beside it. Where no mark tells, an upstream cost above what was taken says the same.
 */
export function openrouterCost(
  cost: unknown,
  { upstream, isByok }: { readonly upstream: unknown; readonly isByok: unknown },
): JsonObject | undefined {
  const [fee, bill] = [plainDecimal(cost ?? 0), plainDecimal(upstream ?? 0)];
  const ownKey = isByok === undefined || isByok === null ? isGreater(bill, fee) : isByok === true;
  return ownKey
    ? reportedCost('openrouter_byok', sumDecimals(fee, bill))
    : reportedCost('openrouter', cost);
}

function sourceOf(provider: unknown): string {
  return typeof provider === 'string' && provider !== '' ? providerFamily(provider) : 'provider';
}
