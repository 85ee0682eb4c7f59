import { floorDivide, type Pico } from '../money.ts';

/**
 * Returns a share in percent with two decimals, rounded down, so that all is only claimed where it
 * is all. Null of nothing.
 */
export function percentOf(part: Pico, whole: Pico): string | null {
  if (whole <= 0n || part < 0n) return null;
  const hundredths = String((part * 10_000n) / whole).padStart(3, '0');
  return `${hundredths.slice(0, -2)}.${hundredths.slice(-2)}`;
}

/** The same where the part may be below zero, as a margin may; rounded down all the same. */
export function signedPercentOf(part: Pico, whole: Pico): string | null {
  if (whole <= 0n) return null;
  const hundredths = floorDivide(part * 10_000n, whole);
  const digits = String(hundredths < 0n ? -hundredths : hundredths).padStart(3, '0');
  return `${hundredths < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
