import type { TieredPrices } from '@pydantic/genai-prices';
import { divideHalfUp, formatDecimal } from '../../money.ts';

/**
 * Returns the package's price for a call of more input tokens than that; 0 where a call alone costs
 * nothing.
 */
export function priceAbove(price: number | TieredPrices | undefined, above: number): number {
  if (price === undefined || typeof price === 'number') return price ?? 0;
  const reached = price.tiers.filter(({ start }) => start <= above);
  return reached.toSorted((a, b) => b.start - a.start)[0]?.price ?? price.base;
}

/**
 * Returns a price of the package, for `per` units, as a decimal string for one. Reads the digits
 * with which the number is written, so that 0.1 is 0.1 and not the binary fraction next to it.
 */
export function decimalPrice(
  price: number,
  { per, decimals }: { readonly per: bigint; readonly decimals: number },
  onRounded: (note: string) => void,
): string {
  const match = /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(price));
  if (match === null) throw new Error(`the package has a price of ${price}`);
  const [, whole = '', fraction = '', exponent = '0'] = match;
  const scale = decimals + Number(exponent) - fraction.length;
  const dividend = BigInt(whole + fraction) * 10n ** BigInt(Math.max(scale, 0));
  const divisor = per * 10n ** BigInt(Math.max(-scale, 0));
  const units = formatDecimal(divideHalfUp(dividend, divisor), decimals).replace(/\.?0+$/, '');
  if (dividend % divisor !== 0n) onRounded(`${price} to ${units}`);
  return units;
}
