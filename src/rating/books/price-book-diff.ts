import type { PriceDifference, PriceTerms } from './price-book-answer.ts';
import type { PriceBookDocument, PriceBookModel } from './price-book-document.ts';

/** A version of a book, then the versions that it is laid over, nearest first. */
export type LaidBook = readonly [PriceBookDocument, ...PriceBookDocument[]];

/**
 * What changes from one book, or one version of it, to another; equal rows are left out. A book that is
 * laid over a base has the base's rows, too, where none of its own takes their calls. Pure.
 */
export function diffPriceBooks(before: LaidBook, after: LaidBook): readonly PriceDifference[] {
  const old = new Map(rowsOf(before).map((row) => [keyOf(row), row]));
  const young = new Map(rowsOf(after).map((row) => [keyOf(row), row]));
  const keys = [...new Set([...old.keys(), ...young.keys()])].sort();
  return keys.flatMap((key) => {
    const [was, is] = [old.get(key), young.get(key)];
    const row = was ?? is;
    if (row === undefined || (was !== undefined && is !== undefined && isSame(was, is))) return [];
    return [
      {
        provider: row.provider ?? null,
        model: row.model,
        service_tier: row.service_tier,
        above_input_tokens: row.above_input_tokens,
        before: was?.per_million ?? null,
        after: is?.per_million ?? null,
        per_call_before: was?.per_call ?? null,
        per_call_after: is?.per_call ?? null,
      },
    ];
  });
}

export function termsOf([book]: LaidBook): PriceTerms {
  const { book: name, effective_from, kind, currency, caching } = book;
  const { base = null, cost_factor = null } = book;
  return { book: name, effective_from, base, kind, currency, caching, cost_factor };
}

function rowsOf(layers: LaidBook): readonly PriceBookModel[] {
  const rows = new Map<string, PriceBookModel[]>();
  for (const layer of layers) {
    const free = layer.models.filter(
      (row) => !(rows.get(callsOf(row)) ?? []).some((upper) => takesCallsOf(upper, row)),
    );
    for (const row of free) rows.set(callsOf(row), [...(rows.get(callsOf(row)) ?? []), row]);
  }
  return [...rows.values()].flat();
}

function callsOf({ model, service_tier }: PriceBookModel): string {
  return JSON.stringify([model, service_tier]);
}

/** Whether no call of the lower row's model and tier is left to it, because the upper row is asked first. */
function takesCallsOf(upper: PriceBookModel, lower: PriceBookModel): boolean {
  const sameProvider = upper.provider === undefined || upper.provider === lower.provider;
  return sameProvider && upper.above_input_tokens <= lower.above_input_tokens;
}

function keyOf(row: PriceBookModel): string {
  return JSON.stringify([row.model, row.provider ?? '', row.service_tier, row.above_input_tokens]);
}

/** A cache rate left out is the input rate, so that leaving it out and repeating it are one price. */
function isSame(a: PriceBookModel, b: PriceBookModel): boolean {
  return pricesOf(a).every((price, index) => price === pricesOf(b)[index]);
}

function pricesOf({ per_call, per_million }: PriceBookModel): readonly string[] {
  const { input, output, cache_read = input, cache_write = input } = per_million;
  return [per_call, input, output, cache_read, cache_write].map(withoutTrailingZeros);
}

function withoutTrailingZeros(decimal: string): string {
  return decimal.includes('.') ? decimal.replace(/\.?0+$/, '') : decimal;
}
