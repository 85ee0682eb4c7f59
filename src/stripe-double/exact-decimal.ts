/** A decimal number of any length: `digits` × 10^-`scale`. Usage and unit amounts are kept in it. */
export interface ExactDecimal {
  readonly digits: bigint;
  readonly scale: number;
}

export const ZERO: ExactDecimal = { digits: 0n, scale: 0 };

/** Reads a plain decimal such as `-12.50`; null for anything else, the exponent form included. */
export function readDecimal(text: string): ExactDecimal | null {
  const match = /^([+-]?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (match === null) return null;
  const [, sign, whole = '', fraction = ''] = match;
  const digits = BigInt(whole + fraction);
  return { digits: sign === '-' ? -digits : digits, scale: fraction.length };
}

/** Writes a plain decimal without trailing zeros: (12500n, 3) → `12.5`. */
export function writeDecimal(value: ExactDecimal): string {
  const sign = value.digits < 0n ? '-' : '';
  const digits = magnitude(value.digits)
    .toString()
    .padStart(value.scale + 1, '0');
  if (value.scale === 0) return sign + digits;
  const fraction = digits.slice(-value.scale).replace(/0+$/, '');
  const whole = digits.slice(0, -value.scale);
  const isZero = value.digits === 0n;
  return (isZero ? '' : sign) + whole + (fraction === '' ? '' : `.${fraction}`);
}

export function addDecimals(left: ExactDecimal, right: ExactDecimal): ExactDecimal {
  const scale = Math.max(left.scale, right.scale);
  return { digits: unitsAt(left, scale) + unitsAt(right, scale), scale };
}

export function multiplyDecimals(left: ExactDecimal, right: ExactDecimal): ExactDecimal {
  return { digits: left.digits * right.digits, scale: left.scale + right.scale };
}

/**
 * Returns the number of digits that the value itself has, leading and trailing zeros apart:
 * `0.0120` has two. That trailing zeros do not count is an assumption: Stripe's docs only say "15
 * significant digits".
 */
export function significantDigits(value: ExactDecimal): number {
  return magnitude(value.digits).toString().replace(/0+$/, '').length;
}

function unitsAt(value: ExactDecimal, scale: number): bigint {
  return value.digits * 10n ** BigInt(scale - value.scale);
}

function magnitude(digits: bigint): bigint {
  return digits < 0n ? -digits : digits;
}
