import type { Pico } from '../money.ts';
import type { Rate } from './books/price-catalog.ts';

/** Whole tokens in disjoint buckets (R5); negative in a reversal. */
export interface RatedTokens {
  readonly uncachedInput: bigint;
  readonly cacheRead: bigint;
  readonly cacheWrite: bigint;
  readonly output: bigint;
  /** Millionths of the call, 1,000,000 unless it is split over members (R7). */
  readonly callShare: bigint;
}

export type Caching = 'work_done' | 'pass_through';

/** The parts of an amount; they add up to it exactly. Picodollars. */
export interface AmountParts {
  readonly uncachedInput: Pico;
  readonly cacheRead: Pico;
  readonly cacheWrite: Pico;
  readonly output: Pico;
  readonly calls: Pico;
}

/**
 * Tokens times rates, exactly: rates are whole picodollars a token, so nothing is rounded here.
 * Under `work_done` every input token is charged at the input rate, cached or not (R6).
 */
export function rateUsage(tokens: RatedTokens, rate: Rate, caching: Caching): AmountParts {
  const forWork = caching === 'work_done';
  return {
    uncachedInput: tokens.uncachedInput * rate.input,
    cacheRead: tokens.cacheRead * (forWork ? rate.input : rate.cacheRead),
    cacheWrite: tokens.cacheWrite * (forWork ? rate.input : rate.cacheWrite),
    output: tokens.output * rate.output,
    calls: (rate.perCall / 1_000_000n) * tokens.callShare,
  };
}

export function sumParts(parts: AmountParts): Pico {
  return parts.uncachedInput + parts.cacheRead + parts.cacheWrite + parts.output + parts.calls;
}
