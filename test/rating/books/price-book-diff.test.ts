import { expect, test } from 'vitest';
import type { LaidBook } from '../../../src/rating/books/price-book-diff.ts';
import { diffPriceBooks, termsOf } from '../../../src/rating/books/price-book-diff.ts';
import { parsePriceBook } from '../../../src/rating/books/price-book-document.ts';

const HEAD = { kind: 'charge', currency: 'USD', effective_from: '2026-10-01T00:00:00Z' };

function book(name: string, models: readonly object[], more: object = {}) {
  return parsePriceBook({ ...HEAD, book: name, models, ...more });
}

function row(model: string, input: string, more: object = {}) {
  return { model, per_million: { input, output: '10' }, ...more };
}

/** The differing rows, as `model provider tier above: input before > input after`. */
function diff(before: LaidBook, after: LaidBook): readonly string[] {
  return diffPriceBooks(before, after).map((each) => {
    const { provider, model, service_tier: tier, above_input_tokens: above } = each;
    const prices = [each.before, each.after].map((rates) => rates?.input ?? 'none').join(' > ');
    return [model, provider, tier === 'standard' ? null : tier, above === 0 ? null : above]
      .filter((part) => part !== null)
      .join(' ')
      .concat(`: ${prices}`);
  });
}

const standard = book('standard', [
  row('large', '4'),
  row('large', '8', { above_input_tokens: 200_000 }),
  row('large', '2', { service_tier: 'batch' }),
  row('small', '1'),
  row('small', '3', { provider: 'azure' }),
]);

test('books with the same rows do not differ, however their prices are written', () => {
  const again = book('again', [
    row('small', '1.00', { per_call: '0.000' }),
    ...standard.models.filter((each) => each.model === 'large' || each.provider === 'azure'),
  ]);
  expect(diff([standard], [again])).toEqual([]);
});

test('a row of one book only is none in the other', () => {
  const other = book('other', [row('large', '5'), row('new', '6')]);
  expect(diff([standard], [other])).toEqual([
    'large batch: 2 > none',
    'large: 4 > 5',
    'large 200000: 8 > none',
    'new: none > 6',
    'small: 1 > none',
    'small azure: 3 > none',
  ]);
});

test('a cache rate and a fee for the call are differences, too', () => {
  const rates = { input: '4', output: '10' };
  const before = book('a', [{ model: 'm', per_million: rates }]);
  const cached = book('b', [{ model: 'm', per_million: { ...rates, cache_read: '1' } }]);
  const repeated = book('c', [{ model: 'm', per_million: { ...rates, cache_write: '4.0' } }]);
  const fee = book('d', [{ model: 'm', per_million: rates, per_call: '0.01' }]);
  expect(diff([before], [cached])).toEqual(['m: 4 > 4']);
  expect(diff([before], [repeated])).toEqual([]);
  expect(diffPriceBooks([before], [fee])).toMatchObject([
    { per_call_before: '0', per_call_after: '0.01' },
  ]);
});

test('a book laid over a base has the rows of the base that it leaves alone', () => {
  const deal = book('deal', [row('small', '0.5', { provider: 'azure' })], { base: 'standard' });
  expect(diff([standard], [deal, standard])).toEqual(['small azure: 3 > 0.5']);
  expect(diff([deal, standard], [standard])).toEqual(['small azure: 0.5 > 3']);
});

test('a row for any provider and any length takes the calls of all rows below it', () => {
  const deal = book('deal', [row('large', '3'), row('small', '0.5')], { base: 'standard' });
  expect(diff([standard], [deal, standard])).toEqual([
    'large: 4 > 3',
    // A long call has a row in the book itself, so the base is not asked.
    'large 200000: 8 > none',
    'small: 1 > 0.5',
    'small azure: 3 > none',
  ]);
});

test('a row for long calls leaves the shorter ones to the base', () => {
  const longer = row('large', '6', { above_input_tokens: 100_000 });
  const deal = book('deal', [longer], { base: 'standard' });
  expect(diff([standard], [deal, standard])).toEqual([
    'large 100000: none > 6',
    'large 200000: 8 > none',
  ]);
});

test('three layers are laid over one another', () => {
  const middle = book('middle', [row('large', '3.5'), row('extra', '9')], { base: 'standard' });
  const top = book('top', [row('extra', '7')], { base: 'middle' });
  expect(diff([middle, standard], [top, middle, standard])).toEqual(['extra: 9 > 7']);
});

test('the terms of a book are what decides amounts beside its rows', () => {
  expect(termsOf([book('plus', [], { cost_factor: '1.25' })])).toEqual({
    book: 'plus',
    effective_from: '2026-10-01T00:00:00Z',
    base: null,
    kind: 'charge',
    currency: 'USD',
    caching: 'work_done',
    cost_factor: '1.25',
    discount: null,
  });
  expect(termsOf([book('deal', [], { base: 'standard' }), standard])).toMatchObject({
    base: 'standard',
    cost_factor: null,
  });
});
