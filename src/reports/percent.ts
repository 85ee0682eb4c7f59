import type { Pico } from '../money.ts';

/**
 * A share in percent with two decimals, rounded down, so that all is only claimed where it is all.
 * Null of nothing.
 */
export function percentOf(part: Pico, whole: Pico): string | null {
  if (whole <= 0n || part < 0n) return null;
  const hundredths = String((part * 10_000n) / whole).padStart(3, '0');
  return `${hundredths.slice(0, -2)}.${hundredths.slice(-2)}`;
}
