import { describe, expect, it } from 'vitest';
import type { Rate } from '../../src/rating/books/rate.ts';
import type { RatedTokens } from '../../src/rating/rate-usage.ts';
import { amountOf, isPricedByCall, rateUsage, unpricedUnits } from '../../src/rating/rate-usage.ts';

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
  units: null,
};

const TOKENS = {
  uncachedInput: 300n,
  cacheRead: 600n,
  cacheWrite: 100n,
  output: 100n,
  callShare: 1_000_000n,
  units: null,
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
      units: null,
    });
  });

  it('charges cached tokens at the cache rates under pass_through (R6)', () => {
    // 300 x 2.5 + 600 x 1.25 + 100 x 3.125 + 100 x 10 = 750 + 750 + 312.5 + 1000, and 10,000 the call.
    const parts = rateUsage(TOKENS, RATE, 'pass_through');
    expect(parts?.cacheRead).toBe(750_000_000n);
    expect(parts?.cacheWrite).toBe(312_500_000n);
    expect(amountOf(TOKENS, RATE, 'pass_through')).toBe(12_812_500_000n);
  });

  it('charges a member its part of the call, exactly', () => {
    // A third of the call, in millionths: 333,334 x 10,000 p; the three thirds sum to the call.
    const thirds = [333_334n, 333_333n, 333_333n].map(
      (callShare) => rateUsage({ ...TOKENS, callShare }, RATE, 'work_done')?.calls ?? 0n,
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
      units: null,
    };
    const there = amountOf(TOKENS, RATE, 'pass_through') ?? 0n;
    expect(amountOf(reversed, RATE, 'pass_through')).toBe(-there);
  });

  it('prices every other unit by itself, exactly down to a millisecond', () => {
    const units = { input_audio_tokens: 40n, images: 2n, audio_ms: 1_501n, searches: 3n };
    const rate: Rate = {
      ...RATE,
      units: {
        input_audio_tokens: 40_000_000n,
        images: 40_000_000_000n,
        // 0.000000001 a second is a whole picodollar a millisecond.
        audio_ms: 1n,
        searches: 10_000_000_000n,
      },
    };
    // 40 x 40 µ = 1.6 m; 2 x 0.04 = 80 m; 1501 p; 3 x 0.01 = 30 m.
    expect(amountOf({ ...NOTHING, units }, rate, 'work_done')).toBe(111_600_001_501n);
  });

  it.each<[string, RatedTokens['units'], 'work_done' | 'pass_through', bigint | null]>([
    [
      'an hour of cache written is input',
      { cache_write_1h_tokens: 1n },
      'pass_through',
      2_500_000n,
    ],
    ['pictures in are input', { input_image_tokens: 1n }, 'pass_through', 2_500_000n],
    ['video in is input', { input_video_tokens: 1n }, 'work_done', 2_500_000n],
    ['cached pictures are pictures', { cache_read_image_tokens: 1n }, 'work_done', 2_500_000n],
    ['audio is not text', { input_audio_tokens: 1n }, 'work_done', null],
    ['cached audio is not text', { cache_read_audio_tokens: 1n }, 'pass_through', null],
    ['cached audio is not cached text', { cache_read_audio_tokens: 1n }, 'work_done', null],
    ['pictures made are not text', { output_image_tokens: 1n }, 'work_done', null],
    ['a search is nothing else', { searches: 1n }, 'work_done', null],
    ['nothing of a unit needs no price', { searches: 0n }, 'work_done', 0n],
  ])('without a price of its own, %s', (_, units, caching, amount) => {
    expect(amountOf({ ...NOTHING, units }, RATE, caching)).toBe(amount);
  });

  it('charges cached audio as the audio that it is under work_done, and else by its own price', () => {
    const rate: Rate = {
      ...RATE,
      units: { input_audio_tokens: 40n, cache_read_audio_tokens: 4n, cache_write_1h_tokens: 5n },
    };
    const of = (units: RatedTokens['units'], caching: 'work_done' | 'pass_through') =>
      amountOf({ ...NOTHING, units }, rate, caching);
    expect(of({ cache_read_audio_tokens: 10n }, 'work_done')).toBe(400n);
    expect(of({ cache_read_audio_tokens: 10n }, 'pass_through')).toBe(40n);
    expect(of({ cache_write_1h_tokens: 10n }, 'work_done')).toBe(25_000_000n);
    expect(of({ cache_write_1h_tokens: 10n }, 'pass_through')).toBe(50n);
  });

  it('names what was counted and has no price', () => {
    const rate = { ...RATE, output: null };
    const tokens = { ...TOKENS, units: { pages: 1n, input_video_tokens: 3n, images: 0n } };
    expect(unpricedUnits(tokens, rate, 'work_done')).toEqual(['output_tokens', 'pages']);
    expect(amountOf(tokens, rate, 'work_done')).toBeNull();
  });

  it('knows a price for the call alone', () => {
    const alone = { ...RATE, input: null, output: 0n, cacheRead: null, cacheWrite: null };
    expect(isPricedByCall(alone)).toBe(true);
    expect(isPricedByCall({ ...alone, units: { images: 1n } })).toBe(false);
    expect(isPricedByCall(RATE)).toBe(false);
  });
});

const NOTHING: RatedTokens = {
  ...{ uncachedInput: 0n, cacheRead: 0n, cacheWrite: 0n, output: 0n, callShare: 0n },
  units: null,
};
