import { parseDecimal } from '../../money.ts';
import type { Unit, UnitName } from '../../units.ts';
import { FURTHER_UNITS, unitOf } from '../../units.ts';
import type { PriceBookModel } from './price-book-document.ts';
import type { Rate } from './rate.ts';

/** The prices of a row, in whole picodollars a unit. */
type RowRates = Pick<Rate, 'perCall' | 'input' | 'output' | 'cacheRead' | 'cacheWrite' | 'units'>;

/**
 * Prices of a million, a thousand or a second in the major unit have so few decimals that a unit of each
 * costs whole picodollars. Text that is cached or written costs what input costs, where nothing is said.
 */
export function ratesOfRow(row: PriceBookModel): RowRates {
  const text = (name: UnitName) => priceOf(row, unitOf(name));
  const input = text('input_tokens');
  const units = FURTHER_UNITS.flatMap((unit) => {
    const price = priceOf(row, unit);
    return price === null ? [] : [[unit.name, price] as const];
  });
  return {
    perCall: toPico(row.per_call, 12),
    input,
    output: text('output_tokens'),
    cacheRead: text('cache_read_tokens') ?? input,
    cacheWrite: text('cache_write_tokens') ?? input,
    units: units.length === 0 ? null : Object.fromEntries(units),
  };
}

/** The decimals of a major unit that a whole picodollar of one unit stands at. */
const SCALE = { million: 6, thousand: 9, one: 12, second: 9 } as const;

function priceOf(row: PriceBookModel, { price }: Unit): bigint | null {
  const decimal = decimalOf(row, price);
  return decimal === undefined ? null : toPico(decimal, SCALE[price.per]);
}

/** Returns what a row says of a unit, as it says it. */
export function decimalOf(row: PriceBookModel, price: Unit['price']): string | undefined {
  if (price.per === 'one') return row.per_image;
  const groups = {
    million: row.per_million,
    thousand: row.per_thousand,
    second: row.per_second,
  };
  const rates: Readonly<Record<string, string | undefined>> = groups[price.per] ?? {};
  return rates[price.rate];
}

function toPico(decimal: string, scale: number): bigint {
  const pico = parseDecimal(decimal, scale);
  if (pico === null) throw new Error(`"${decimal}" passed the schema but is not a decimal`);
  return pico;
}
