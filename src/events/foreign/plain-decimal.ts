/** Decimals that are kept of what a producer writes; it multiplies floats, and what is finer decides nothing. */
const MOST_DECIMALS = 30;
const MOST_WHOLE_DIGITS = 12;

const NUMERAL = /^\s*(\d+)(?:\.(\d*))?(?:e([+-]?\d{1,3}))?\s*$/i;

/**
 * Writes a number, or a text of one, as a plain decimal times a power of ten; null where it is
 * none, or negative. No arithmetic of floats is done: the digits that the producer wrote are moved.
 */
export function plainDecimal(value: unknown, powerOfTen = 0): string | null {
  const text = typeof value === 'number' ? String(value) : value;
  const match = typeof text === 'string' ? NUMERAL.exec(text) : null;
  if (match === null) return null;
  const [, whole = '0', fraction = '', exponent = '0'] = match;
  return placed(BigInt(whole + fraction), Number(exponent) + powerOfTen - fraction.length);
}

/** Returns the sum of two plain decimals; an absent one counts nothing. */
export function sumDecimals(one: string | null, other: string | null): string | null {
  if (one === null || other === null) return one ?? other;
  return placed(scaled(one) + scaled(other), -MOST_DECIMALS);
}

export function isGreater(one: string | null, other: string | null): boolean {
  return scaled(one ?? '0') > scaled(other ?? '0');
}

function scaled(decimal: string): bigint {
  const [whole = '0', fraction = ''] = decimal.split('.');
  return BigInt(whole + fraction.padEnd(MOST_DECIMALS, '0'));
}

function placed(digits: bigint, power: number): string | null {
  if (digits === 0n) return '0';
  if (power >= 0) {
    return power > MOST_WHOLE_DIGITS ? null : withinLimits(`${digits}${'0'.repeat(power)}`, '');
  }
  const text = String(digits).padStart(1 - power, '0');
  return withinLimits(text.slice(0, power), text.slice(power));
}

function withinLimits(whole: string, fraction: string): string | null {
  if (whole.length > MOST_WHOLE_DIGITS) return null;
  const kept = fraction.slice(0, MOST_DECIMALS).replace(/0+$/, '');
  return kept === '' ? whole : `${whole}.${kept}`;
}
