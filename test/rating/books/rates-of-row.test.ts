import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDecimal } from '../../../src/money.ts';
import type { PriceBookModel } from '../../../src/rating/books/price-book-document.ts';
import { decimalOf, ratesOfRow } from '../../../src/rating/books/rates-of-row.ts';
import { FURTHER_UNITS, UNITS } from '../../../src/units.ts';
import { cases } from '../../support/cases.ts';

function row(change: Partial<PriceBookModel> = {}): PriceBookModel {
  return {
    model: 'gpt-4o',
    service_tier: 'standard',
    above_input_tokens: 0,
    per_call: '0',
    ...change,
  };
}

describe('the prices of a row', () => {
  it('are those of one unit each, in picodollars', () => {
    const rates = ratesOfRow(
      row({
        per_call: '0.01',
        per_million: { input: '2.50', output: '10', cache_read: '1.25', cache_write: '3.000001' },
      }),
    );
    expect(rates).toEqual({
      perCall: 10_000_000_000n,
      input: 2_500_000n,
      output: 10_000_000n,
      cacheRead: 1_250_000n,
      cacheWrite: 3_000_001n,
      units: null,
    });
  });

  it('of cached and written text are those of input, where nothing is said of them', () => {
    const silent = ratesOfRow(row({ per_million: { input: '2.5' } }));
    expect([silent.cacheRead, silent.cacheWrite]).toEqual([2_500_000n, 2_500_000n]);
    const free = ratesOfRow(row({ per_million: { input: '2.5', cache_read: '0' } }));
    expect([free.cacheRead, free.cacheWrite]).toEqual([0n, 2_500_000n]);
  });

  it('are unknown, and not zero, where the row says nothing', () => {
    expect(ratesOfRow(row())).toEqual({
      ...{ perCall: 0n, input: null, output: null, cacheRead: null, cacheWrite: null, units: null },
    });
  });

  it('of every further unit are of a million, a thousand, a second or one of it', () => {
    const { units } = ratesOfRow(
      row({
        per_million: { input_audio: '40', characters: '15' },
        per_thousand: { pages: '1.5', searches: '10' },
        per_second: { audio: '0.0001', video: '0.000000001' },
        per_image: '0.04',
      }),
    );
    // A second is a thousand milliseconds, which are what is counted.
    expect(units).toEqual({
      input_audio_tokens: 40_000_000n,
      characters: 15_000_000n,
      pages: 1_500_000_000n,
      searches: 10_000_000_000n,
      audio_ms: 100_000n,
      video_ms: 1n,
      images: 40_000_000_000n,
    });
  });

  it('hold no unit that has no price, so that usage of it waits for one', () => {
    expect(ratesOfRow(row({ per_thousand: { pages: '0' } })).units).toEqual({ pages: 0n });
  });

  it('are refused where they would have to be rounded, by the text that cannot be read', () => {
    const fine = row({ per_million: { input: '0.0000001' } });
    expect(() => ratesOfRow(fine)).toThrow('"0.0000001" passed the schema but is not a decimal');
  });

  it('count the same money as the row does: a unit times what its price is for', () => {
    const priced = FURTHER_UNITS.filter(({ price }) => price.per === 'million');
    const millionths = fc.bigInt({ min: 0n, max: 10n ** 15n });
    const unit = fc.constantFrom(...priced);
    fc.assert(
      fc.property(unit, millionths, ({ name, price }, amount) => {
        const prices = { [price.rate]: formatDecimal(amount, 6) };
        // A million times the price of one, in picodollars, is the decimal's micro-dollars.
        expect(ratesOfRow(row({ per_million: prices })).units).toEqual({ [name]: amount });
      }),
      cases(200),
    );
  });
});

describe('what a row says of a unit', () => {
  it('is read at the place that the table of units names, as it is written there', () => {
    const full = row({
      per_million: { input: '1.50', cache_read: '0' },
      per_thousand: { pages: '2.0' },
      per_second: { audio: '3' },
      per_image: '4.00',
    });
    const said = UNITS.map(({ name, price }) => [name, decimalOf(full, price)] as const);
    expect(Object.fromEntries(said.filter(([, decimal]) => decimal !== undefined))).toEqual({
      input_tokens: '1.50',
      cache_read_tokens: '0',
      pages: '2.0',
      audio_ms: '3',
      images: '4.00',
    });
  });
});
