import type { EventMember, TokenBuckets, UsageEvent } from '../events/event.ts';
import { allocate } from '../money.ts';

/** One member's part of a batched request; the parts of a split sum to the span, exactly (law 2). */
export interface SplitPart {
  readonly usage: TokenBuckets;
  /** Millionths of the call; the parts sum to 1,000,000. */
  readonly callShare: number;
}

export const WHOLE_CALL = 1_000_000;

/**
 * Splits every bucket over the members in whole tokens by the largest-remainder method (R7). The
 * weights of a side are the members' own tokens on that side where any member reports some; else
 * their `weight`; else equal. A member that is silent where others speak weighs nothing.
 */
export function splitUsage(event: UsageEvent, members: readonly EventMember[]): SplitPart[] {
  const inputWeights = weightsOf(members, (member) => member.inputTokens);
  const outputWeights = weightsOf(members, (member) => member.outputTokens);
  const uncachedInput = divide(event.usage.uncachedInput, inputWeights);
  const cacheRead = divide(event.usage.cacheRead, inputWeights);
  const cacheWrite = divide(event.usage.cacheWrite, inputWeights);
  const output = divide(event.usage.output, outputWeights);
  const reasoning = divide(event.usage.reasoning, outputWeights);
  const usages = members.map((_, index) => ({
    uncachedInput: uncachedInput[index] ?? 0,
    cacheRead: cacheRead[index] ?? 0,
    cacheWrite: cacheWrite[index] ?? 0,
    output: output[index] ?? 0,
    reasoning: reasoning[index] ?? 0,
  }));
  const shares = divide(WHOLE_CALL, usages.map(tokensOf));
  return usages.map((usage, index) => ({ usage, callShare: shares[index] ?? 0 }));
}

function divide(total: number, weights: readonly bigint[]): number[] {
  return allocate(BigInt(total), weights).map(Number);
}

/** A member's part of the call itself follows its part of the tokens. */
function tokensOf(usage: TokenBuckets): bigint {
  return BigInt(usage.uncachedInput + usage.cacheRead + usage.cacheWrite + usage.output);
}

function weightsOf(
  members: readonly EventMember[],
  ownTokens: (member: EventMember) => number | null,
): bigint[] {
  if (members.some((member) => (ownTokens(member) ?? 0) > 0)) {
    return members.map((member) => BigInt(ownTokens(member) ?? 0));
  }
  // Weights may be fractions, such as 0.25; millionths keep the division exact.
  return members.map((member) => BigInt(Math.round((member.weight ?? 0) * 1_000_000)));
}
