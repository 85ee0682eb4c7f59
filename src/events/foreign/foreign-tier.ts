import { at, firstGiven } from './foreign-value.ts';

/**
 * What providers call their tiers, in lower case. Capacity that was bought beforehand (OpenAI's scale
 * tier, Gemini's provisioned throughput, Bedrock's reserved) has no rate of its own, so it counts as standard.
 */
const TIERS: ReadonlyMap<unknown, string> = new Map([
  ['standard', 'standard'],
  ['standard_only', 'standard'],
  ['default', 'standard'],
  ['auto', 'standard'],
  ['scale', 'standard'],
  ['on_demand', 'standard'],
  ['provisioned_throughput', 'standard'],
  ['traffic_type_unspecified', 'standard'],
  ['reserved', 'standard'],
  ['batch', 'batch'],
  ['flex', 'flex'],
  ['on_demand_flex', 'flex'],
  ['priority', 'priority'],
  ['on_demand_priority', 'priority'],
]);

/** A tier nobody has heard of is handed on: the schema refuses it, rather than a guess pricing it. */
export function serviceTier(...candidates: readonly unknown[]): unknown {
  const given = firstGiven(...candidates);
  return typeof given === 'string' ? (TIERS.get(given.toLowerCase()) ?? given) : given;
}

/**
 * Returns what a provider's answer, or its usage alone, says of the tier that served it: OpenAI and Anthropic, Gemini and
 * Vertex AI, Bedrock.
 */
export function tierIn(...answers: readonly unknown[]): unknown {
  const found = answers.flatMap((answer) => [
    at(answer, 'service_tier'),
    at(answer, 'serviceTier', 'type'),
    at(answer, 'serviceTier'),
    at(answer, 'trafficType'),
    at(answer, 'traffic_type'),
  ]);
  return serviceTier(fastTier(...answers), ...found);
}

/**
 * Returns the tier of Anthropic's fast mode, if it served the call: it has a price of its own, which is that of the tier
 * `priority`, whatever tier stands beside it.
 */
export function fastTier(...answers: readonly unknown[]): unknown {
  return answers.some((answer) => at(answer, 'speed') === 'fast') ? 'priority' : undefined;
}
