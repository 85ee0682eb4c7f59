import type { PriceBookDocument, PriceBookModel } from './price-book-document.ts';

/** One row that two books price differently; null where a book does not have it. */
export interface PriceDifference {
  readonly provider: string | null;
  readonly model: string;
  readonly service_tier: string;
  readonly above_input_tokens: number;
  readonly before: PriceBookModel['per_million'] | null;
  readonly after: PriceBookModel['per_million'] | null;
  readonly per_call_before: string | null;
  readonly per_call_after: string | null;
}

/** What changes from one book, or one version of it, to another; equal rows are left out. Pure. */
export function diffPriceBooks(
  before: PriceBookDocument,
  after: PriceBookDocument,
): readonly PriceDifference[] {
  const old = new Map(before.models.map((row) => [keyOf(row), row]));
  const young = new Map(after.models.map((row) => [keyOf(row), row]));
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
