import { minorUnitDecimals } from './currencies.ts';

/**
 * Exact amounts (R14). An amount is a whole number of picodollars, 10⁻¹² of the currency's major
 * unit, in a bigint; `numeric(38,0)` in Postgres; a decimal string in JSON. Never a `number`.
 */

/** 10⁻¹² of a currency's major unit. */
export type Pico = bigint;

/** Picodollars in one micro-dollar, the unit that Stripe's money meter counts. */
export const PICO_PER_MICRO = 1_000_000n;

/** Rounds half up (toward +∞ at exactly one half), as Stripe rounds an invoice line. */
export function divideHalfUp(dividend: bigint, divisor: bigint): bigint {
  return floorDivide(2n * dividend + divisor, 2n * divisor);
}

/** Returns the largest integer not above the quotient; unlike `/`, also for a negative dividend. */
export function floorDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend % divisor < 0n ? quotient - 1n : quotient;
}

/**
 * Reads a plain decimal string such as `0.075` into a whole number of 10^-scale units.
 * Returns null when the string is not a plain decimal or has more than `scale` decimals, so that
 * nothing is ever rounded on the way in; nor may what is given have more than 18 digits before its point.
 */
export function parseDecimal(text: string, scale: number): bigint | null {
  return /^-?\d{1,18}(?:\.|$)/.test(text) ? readDecimal(text, scale) : null;
}

function readDecimal(text: string, scale: number): bigint | null {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (match === null) return null;
  const [, sign, whole = '', fraction = ''] = match;
  if (fraction.length > scale) return null;
  const units = BigInt(whole + fraction.padEnd(scale, '0'));
  return sign === '-' ? -units : units;
}

/** Reads a decimal from a text that we wrote ourselves, a sum of any size: throws where it is no such decimal. */
export function exactDecimal(text: string, scale: number): bigint {
  const units = readDecimal(text, scale);
  if (units === null) throw new Error(`"${text}" is not a decimal of at most ${scale} places`);
  return units;
}

/** Reads an exact amount in the major unit, as `formatPico` writes it. */
export function exactPico(text: string): Pico {
  return exactDecimal(text, 12);
}

/** Writes 10^-scale units as a plain decimal with all `scale` decimals: (1005000n, 6) → `1.005000`. */
export function formatDecimal(units: bigint, scale: number): string {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0');
  const sign = units < 0n ? '-' : '';
  if (scale === 0) return sign + digits;
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** Formats an exact amount in the major unit without trailing zeros: 1005000000000n → `1.005`. */
export function formatPico(amount: Pico): string {
  return formatDecimal(amount, 12).replace(/\.?0+$/, '');
}

/** Formats a minor-unit total as people read it: (101n, 'USD') → `1.01`. */
export function formatMinor(amount: bigint, currency: string): string {
  return formatDecimal(amount, minorUnitDecimals(currency));
}

/**
 * Divides a whole `total` over `weights` by the largest-remainder method: each part is the floor of
 * its exact share, and the units left over go one each to the largest remainders, ties to the
 * earlier. The parts sum to the total exactly and each is within one unit of its exact share.
 * Weights must not be negative; when all are zero the division is equal. A negative total is the
 * mirror of the positive one. An empty list of weights is a programmer's error.
 */
export function allocate(total: bigint, weights: readonly bigint[]): bigint[] {
  if (weights.length === 0) throw new Error('allocate needs at least one weight');
  if (total < 0n) return allocate(-total, weights).map((part) => -part);
  const sum = weights.reduce((a, b) => a + b, 0n);
  const shares = sum === 0n ? weights.map(() => 1n) : weights;
  const divisor = sum === 0n ? BigInt(weights.length) : sum;
  const parts = shares.map((share) => (total * share) / divisor);
  const left = Number(total - parts.reduce((a, b) => a + b, 0n));
  const remainders = shares.map((share) => (total * share) % divisor);
  for (const index of largestFirst(remainders).slice(0, left))
    parts[index] = part(parts, index) + 1n;
  return parts;
}

/**
 * Rounds exact amounts of either sign to whole units so that they add up to `total`, which must be
 * between the sum of their floors and that sum plus their count: the lines of a statement.
 */
export function apportion(total: bigint, exact: readonly bigint[], unit: bigint): bigint[] {
  const parts = exact.map((amount) => floorDivide(amount, unit));
  const left = total - parts.reduce((a, b) => a + b, 0n);
  if (left < 0n || left > BigInt(parts.length)) {
    throw new Error(`cannot apportion ${total}: ${left} units are left for ${parts.length} lines`);
  }
  const remainders = exact.map((amount, index) => amount - part(parts, index) * unit);
  for (const index of largestFirst(remainders).slice(0, Number(left))) {
    parts[index] = part(parts, index) + 1n;
  }
  return parts;
}

function largestFirst(remainders: readonly bigint[]): number[] {
  const order = remainders.map((_, index) => index);
  return order.sort((a, b) => {
    const difference = part(remainders, b) - part(remainders, a);
    return difference === 0n ? a - b : difference > 0n ? 1 : -1;
  });
}

function part(parts: readonly bigint[], index: number): bigint {
  const value = parts[index];
  if (value === undefined) throw new Error(`no part ${index}`);
  return value;
}
