import { describe, expect, it } from 'vitest';
import type { Rate } from '../../src/rating/books/price-catalog.ts';
import { rateUsage, sumParts } from '../../src/rating/rate-usage.ts';

/** gpt-4o at 2.50 in, 10.00 out, 1.25 cached, 3.125 written, 0.01 a call; picodollars. */
const RATE: Rate = {
  rateId: 1n,
  book: 'standard',
  provider: null,
  model: 'gpt-4o',
  serviceTier: 'standard',
  aboveInputTokens: 0n,
  perCall: 10_000_000_000n,
  input: 2_500_000n,
  output: 10_000_000n,
  cacheRead: 1_250_000n,
  cacheWrite: 3_125_000n,
};

const TOKENS = {
  uncachedInput: 300n,
  cacheRead: 600n,
  cacheWrite: 100n,
  output: 100n,
  callShare: 1_000_000n,
};

describe('rateUsage', () => {
  it('charges every input token at the input rate under work_done (R6)', () => {
    // 300 + 600 + 100 = 1000 x 2.5 microdollars = 2500; 100 x 10 = 1000; one call = 10,000.
    expect(rateUsage(TOKENS, RATE, 'work_done')).toEqual({
      uncachedInput: 750_000_000n,
      cacheRead: 1_500_000_000n,
      cacheWrite: 250_000_000n,
      output: 1_000_000_000n,
      calls: 10_000_000_000n,
    });
  });

  it('charges cached tokens at the cache rates under pass_through (R6)', () => {
    // 300 x 2.5 + 600 x 1.25 + 100 x 3.125 + 100 x 10 = 750 + 750 + 312.5 + 1000, and 10,000 the call.
    const parts = rateUsage(TOKENS, RATE, 'pass_through');
    expect(parts.cacheRead).toBe(750_000_000n);
    expect(parts.cacheWrite).toBe(312_500_000n);
    expect(sumParts(parts)).toBe(12_812_500_000n);
  });

  it('charges a member its part of the call, exactly', () => {
    // A third of the call, in millionths: 333,334 x 10,000 p; the three thirds sum to the call.
    const thirds = [333_334n, 333_333n, 333_333n].map(
      (callShare) => rateUsage({ ...TOKENS, callShare }, RATE, 'work_done').calls,
    );
    expect(thirds.reduce((a, b) => a + b, 0n)).toBe(RATE.perCall);
  });

  it('reverses to exactly the negative', () => {
    const reversed = {
      uncachedInput: -300n,
      cacheRead: -600n,
      cacheWrite: -100n,
      output: -100n,
      callShare: -1_000_000n,
    };
    const there = sumParts(rateUsage(TOKENS, RATE, 'pass_through'));
    expect(sumParts(rateUsage(reversed, RATE, 'pass_through'))).toBe(-there);
  });
});
