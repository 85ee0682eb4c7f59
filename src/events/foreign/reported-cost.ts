import { providerFamily } from '../provider-name.ts';
import { at, firstGiven, isObject, type JsonObject } from './foreign-value.ts';

/**
 * What a producer says that a call cost (R22). Who says it, where, and what the amount holds:
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
  const text = decimalText(amount);
  return text === null ? undefined : { amount: text, currency: 'USD', source };
}

/** Decimals of a picodollar: what is finer decides nothing and is rounded away. */
const DECIMALS = 12;
const MOST_DOLLARS = 1e9;

function decimalText(amount: unknown): string | null {
  if (typeof amount === 'string' && /^\d{1,12}(?:\.\d{1,30})?$/.test(amount)) return amount;
  const number = typeof amount === 'string' && amount.trim() !== '' ? Number(amount) : amount;
  if (typeof number !== 'number' || !(number >= 0) || number > MOST_DOLLARS) return null;
  return number.toFixed(DECIMALS).replace(/\.?0+$/, '');
}

/** xAI counts in ticks, ten billion to the dollar. */
const TICKS_PER_DOLLAR = 1e10;

/** What a provider's own usage object says of the cost, as OpenRouter and xAI write it. */
export function costInUsage(usage: unknown, provider: unknown): JsonObject | undefined {
  if (!isObject(usage)) return undefined;
  const ticks = at(usage, 'cost_in_usd_ticks');
  if (typeof ticks === 'number') return reportedCost('xai', ticks / TICKS_PER_DOLLAR);
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
 * With a key of the caller's own OpenRouter takes a fee alone, and the provider's own bill is named beside
 * it. Where no mark tells, an upstream cost above what was taken says the same.
 */
export function openrouterCost(
  cost: unknown,
  { upstream, isByok }: { readonly upstream: unknown; readonly isByok: unknown },
): JsonObject | undefined {
  const [fee, bill] = [Number(cost ?? 0), Number(upstream ?? 0)];
  const ownKey = isByok === undefined || isByok === null ? bill > fee : isByok === true;
  return ownKey ? reportedCost('openrouter_byok', fee + bill) : reportedCost('openrouter', cost);
}

function sourceOf(provider: unknown): string {
  return typeof provider === 'string' && provider !== '' ? providerFamily(provider) : 'provider';
}
