import type { Pico } from '../../money.ts';
import { inputOf, outputOf, rateUsage } from '../../rating/rate-usage.ts';
import type { ChargesOf } from './manifest-layers.ts';

/**
 * Shares the input's charge of a whole group by its tokens, and what a division leaves over stays with the prompt. That
 * is wrong where units of the group differ in price, and divides by almost nothing where corrections nearly take the
 * input back; closes of the second and third format are frozen by it and recompute by nothing else.
 */
export const chargesByTokens: ChargesOf = ({ tokens, tool, memory }, price) => {
  const input = inputOf(tokens);
  const parts =
    price === null ? null : rateUsage({ ...tokens, callShare: 0n }, price.rate, price.caching);
  const charge = parts === null ? 0n : inputOf(parts);
  const share = (part: bigint): Pico => (input === 0n ? 0n : (charge * part) / input);
  return {
    prompt: charge - share(tool) - share(memory),
    tool: share(tool),
    memory: share(memory),
    response: parts === null ? 0n : outputOf(parts),
  };
};
