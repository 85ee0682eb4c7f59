import { UNITS } from '../../units.ts';
import type { PriceDifference, PriceTerms } from './price-book-answer.ts';
import type { PriceBookDocument, PriceBookModel } from './price-book-document.ts';
import { DEFAULT_CACHING } from './price-book-hash.ts';
import { decimalOf, ratesOfRow } from './rates-of-row.ts';

/** A version of a book, then the versions that it is laid over, nearest first. */
export type LaidBook = readonly [PriceBookDocument, ...PriceBookDocument[]];

/**
 * Returns what changes from one book, or one version of it, to another; equal rows are left out. A
 * book that is laid over a base has the base's rows, too, where none of its own takes their calls.
 * Pure.
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
        before: was === undefined ? null : (was.per_million ?? {}),
        after: is === undefined ? null : (is.per_million ?? {}),
        per_call_before: was?.per_call ?? null,
        per_call_after: is?.per_call ?? null,
        ...otherPrices(was, is),
      },
    ];
  });
}

function otherPrices(
  was: PriceBookModel | undefined,
  is: PriceBookModel | undefined,
): Pick<PriceDifference, 'other_before' | 'other_after'> {
  const [before, after] = [was, is].map((row) => (row === undefined ? null : notPerMillion(row)));
  const isEmpty = [before, after].every((prices) => Object.keys(prices ?? {}).length === 0);
  return isEmpty ? {} : { other_before: before ?? null, other_after: after ?? null };
}

function notPerMillion(row: PriceBookModel): Readonly<Record<string, string>> {
  const others = UNITS.filter(({ price }) => price.per !== 'million').flatMap((unit) => {
    const price = decimalOf(row, unit.price);
    return price === undefined ? [] : [[unit.meter, price] as const];
  });
  return Object.fromEntries(others);
}

export function termsOf([book]: LaidBook): PriceTerms {
  const { book: name, effective_from, kind, currency, caching = DEFAULT_CACHING } = book;
  const { base = null, cost_factor = null, discount = null } = book;
  return { book: name, effective_from, base, kind, currency, caching, cost_factor, discount };
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
  return pricesOf(a) === pricesOf(b);
}

function pricesOf(row: PriceBookModel): string {
  const { units, ...text } = ratesOfRow(row);
  const texts = Object.entries({ ...text, ...units }).map(([name, price]) => `${name} ${price}`);
  return texts.join();
}
