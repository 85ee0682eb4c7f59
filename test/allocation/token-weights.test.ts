import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  DEFAULT_WEIGHTS,
  formatWeights,
  parseWeights,
  weigh,
} from '../../src/allocation/token-weights.ts';
import { cases } from '../support/cases.ts';

it('weights are read as exact millionths, and written as they are read', () => {
  const weights = parseWeights('input=1,cache_read=0.1,cache_write=1.25,output=5');
  expect(weights).toEqual(DEFAULT_WEIGHTS);
  expect(formatWeights(weights)).toBe('input=1,cache_read=0.1,cache_write=1.25,output=5');
});

it('a cache bucket that is left out weighs what input weighs', () => {
  expect(formatWeights(parseWeights('input=2, output=8'))).toBe(
    'input=2,cache_read=2,cache_write=2,output=8',
  );
});

it.each([
  'input=1',
  'output=1',
  'input=-1,output=1',
  'input=1,output=0.1234567',
  'input=1,output=1,thinking=2',
  'input=1,input=2,output=1',
  'input=0,output=0',
  'input=1 output=2',
  'input=1e3,output=1',
  '',
])('refuses "%s" and says how weights are written', (text) => {
  expect(() => parseWeights(text)).toThrow(
    expect.objectContaining({ kind: 'bad_request', remedy: [expect.stringContaining('input=1,')] }),
  );
});

it('tokens weigh their number times the weight of their bucket', () => {
  const tokens = { uncachedInput: 100n, cacheRead: 1000n, cacheWrite: 8n, output: 20n };
  // 100 × 1 + 1000 × 0.1 + 8 × 1.25 + 20 × 5 = 100 + 100 + 10 + 100 = 310
  expect(weigh(tokens, DEFAULT_WEIGHTS)).toBe(310_000_000n);
});

it('what is no token weighs what is said of it, and nothing else: 2 × 100 + 30.5 s × 10 = 505', () => {
  const tokens = { uncachedInput: 0n, cacheRead: 0n, cacheWrite: 0n, output: 0n };
  const weights = parseWeights('input=1,output=4,images=100,audio_seconds=10');
  const used = { images: 2n, audio_ms: 30_500n, searches: 7n };
  expect(weigh(tokens, weights, used)).toBe(505_000_000n);
  expect(weigh(tokens, DEFAULT_WEIGHTS, used)).toBe(0n);
  expect(formatWeights(weights)).toBe(
    'input=1,cache_read=1,cache_write=1,output=4,images=100,audio_seconds=10',
  );
  expect(parseWeights(formatWeights(weights))).toEqual(weights);
});

it('whatever is written is read back the same', () => {
  const weight = fc.bigInt({ min: 0n, max: 10n ** 15n });
  fc.assert(
    fc.property(weight, weight, weight, weight, (a, cacheRead, cacheWrite, output) => {
      const weights = { uncachedInput: a + 1n, cacheRead, cacheWrite, output };
      expect(parseWeights(formatWeights(weights))).toEqual(weights);
    }),
    cases(50),
  );
});
