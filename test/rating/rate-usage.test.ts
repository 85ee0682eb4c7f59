import { describe, expect, it } from 'vitest';
import type { Rate } from '../../src/rating/books/rate.ts';
import type { RatedTokens } from '../../src/rating/rate-usage.ts';
import {
  amountOf,
  inputOf,
  isPricedByCall,
  outputOf,
  priceOfUnit,
  rateUsage,
  unitCount,
  unpricedUnits,
} from '../../src/rating/rate-usage.ts';

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

  it.each(['input', 'cacheRead', 'cacheWrite', 'output'] as const)(
    'has no amount where tokens of %s alone have no price, and one where there are none of them',
    (unpriced) => {
      const rate = { ...RATE, [unpriced]: null };
      const count = unpriced === 'input' ? 'uncachedInput' : unpriced;
      expect(rateUsage(TOKENS, rate, 'pass_through')).toBeNull();
      expect(rateUsage({ ...TOKENS, [count]: 0n }, rate, 'pass_through')).not.toBeNull();
    },
  );

  it('has no amount where a further unit has no price, and parts by unit where it has', () => {
    const rate = { ...RATE, units: { images: 7n } };
    const of = (units: RatedTokens['units']) => rateUsage({ ...TOKENS, units }, rate, 'work_done');
    expect(of({ images: 3n, pages: 1n })).toBeNull();
    expect(of({ images: 3n, pages: 0n })?.units).toEqual({ images: 21n });
  });

  it('counts each unit by its name, and all that are tokens on their side', () => {
    const units = {
      ...{ input_audio_tokens: 5n, cache_write_1h_tokens: 7n, output_image_tokens: 11n },
      ...{ images: 1_000n, searches: 2_000n },
    };
    const tokens = {
      uncachedInput: 1n,
      cacheRead: 20n,
      cacheWrite: 300n,
      output: 4_000n,
      callShare: 0n,
    };
    const counted = { ...tokens, units };
    const names = [
      ...(['input_tokens', 'cache_read_tokens', 'cache_write_tokens', 'output_tokens'] as const),
      ...(['input_audio_tokens', 'searches', 'pages'] as const),
    ];
    expect(names.map((name) => unitCount(counted, name))).toEqual([
      ...[1n, 20n, 300n, 4_000n],
      ...[5n, 2_000n, 0n],
    ]);
    expect(unitCount({ ...tokens, units: null }, 'pages')).toBe(0n);
    // 1 + 20 + 300, and 5 + 7 of other kinds; 4,000 and 11. What is no token is on no side of them.
    expect(inputOf(counted)).toBe(333n);
    expect(outputOf(counted)).toBe(4_011n);
    expect([inputOf({ ...tokens, units: null }), outputOf({ ...tokens, units: null })]).toEqual([
      321n,
      4_000n,
    ]);
  });

  it('finds the price of each text unit, its own or what it is charged as', () => {
    const names = [
      'input_tokens',
      'cache_read_tokens',
      'cache_write_tokens',
      'output_tokens',
    ] as const;
    const prices = (caching: 'work_done' | 'pass_through', rate: Rate = RATE) =>
      names.map((name) => priceOfUnit(name, rate, caching));
    expect(prices('pass_through')).toEqual([2_500_000n, 1_250_000n, 3_125_000n, 10_000_000n]);
    expect(prices('work_done')).toEqual([2_500_000n, 2_500_000n, 2_500_000n, 10_000_000n]);
    // What was cached falls back to the input, and the output to nothing.
    const bare = { ...RATE, cacheRead: null, cacheWrite: null, output: null };
    expect(prices('pass_through', bare)).toEqual([2_500_000n, 2_500_000n, 2_500_000n, null]);
  });

  it('names each text unit that was counted without a price', () => {
    const none = { ...RATE, input: null, output: null, cacheRead: null, cacheWrite: null };
    expect(unpricedUnits(TOKENS, none, 'pass_through')).toEqual([
      ...['input_tokens', 'cache_read_tokens', 'cache_write_tokens', 'output_tokens'],
    ]);
    const read = { ...TOKENS, uncachedInput: 0n, cacheWrite: 0n, output: 0n };
    expect(unpricedUnits(read, none, 'pass_through')).toEqual(['cache_read_tokens']);
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
