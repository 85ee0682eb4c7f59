import { describe, expect, it } from 'vitest';
import { decimalPrice, priceAbove } from '../../../src/rating/books/genai-price.ts';

describe('the price of a call by the size of its input', () => {
  const tiered = {
    base: 1,
    tiers: [
      { start: 200_000, price: 2 },
      { start: 32_000, price: 1.5 },
    ],
  };

  it.each([
    [0, 1],
    [31_999, 1],
    [32_000, 1.5],
    [199_999, 1.5],
    [200_000, 2],
    [1_000_000, 2],
  ])('above %d tokens is %d', (above, price) => {
    expect(priceAbove(tiered, above)).toBe(price);
  });

  it('is one for every size where there are no tiers, and nothing where a call alone costs', () => {
    expect(priceAbove(3, 500_000)).toBe(3);
    expect(priceAbove(undefined, 500_000)).toBe(0);
  });
});

describe('a price as a decimal', () => {
  it.each([
    [0.1, 1n, 6, '0.1'],
    [0, 1n, 6, '0'],
    [15, 1n, 6, '15'],
    [30, 1n, 6, '30'],
    [12, 1000n, 6, '0.012'],
    [2e-6, 1n, 6, '0.000002'],
    [1.5e-5, 1n, 6, '0.000015'],
    [2e-12, 1n, 12, '0.000000000002'],
    [1e21, 1n, 2, '1000000000000000000000'],
    [1.25e22, 1n, 2, '12500000000000000000000'],
  ])('%d for %d, of at most %d decimals, is %s', (price, per, decimals, text) => {
    const notes: string[] = [];
    expect(decimalPrice(price, { per, decimals }, (note) => notes.push(note))).toBe(text);
    expect(notes).toEqual([]);
  });

  it.each([
    [0.08333333333333334, 1n, 6, '0.083333'],
    [0.0000005, 1n, 6, '0.000001'],
    [4.8, 3600n, 9, '0.001333333'],
  ])('%d for %d is rounded half up to %d decimals, and says so', (price, per, decimals, text) => {
    const notes: string[] = [];
    expect(decimalPrice(price, { per, decimals }, (note) => notes.push(note))).toBe(text);
    expect(notes).toEqual([`${price} to ${text}`]);
  });

  it.each([Number.NaN, -1, Number.POSITIVE_INFINITY])('%d is no price', (price) => {
    const read = () => decimalPrice(price, { per: 1n, decimals: 6 }, () => {});
    expect(read).toThrow(`the package has a price of ${price}`);
  });
});
