import { z } from 'zod';

/** What fields of a native event are made of. Each error text is what is allowed. */

/** A single provider call is far below this; a larger count is a unit mistake. */
const MOST_COUNTED = 1_000_000_000_000;

export function text(longest: number) {
  const error = `a string of 1 to ${longest} characters without NUL or lone surrogates`;
  return (
    z
      .string({ error })
      // One check instead of three: a dozen strings an event, and each check costs as much as its work.
      .refine((value) => value.length >= 1 && value.length <= longest && isStorable(value), {
        error,
      })
  );
}

/** Postgres text holds neither a NUL nor half of a surrogate pair. */
export function isStorable(value: string): boolean {
  return value.isWellFormed() && !value.includes('\u0000');
}

export function wholeNumber(least: number, most: number) {
  const error = `a whole number from ${least} to ${most}`;
  return z
    .number({ error })
    .refine((value) => Number.isSafeInteger(value) && value >= least && value <= most, { error });
}

export function flag() {
  return z.boolean({ error: 'true or false' });
}

export function choice<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, { error: `one of ${values.map((value) => `"${value}"`).join(', ')}` });
}

/** A count of tokens or of another unit. */
export const count = wholeNumber(0, MOST_COUNTED);

export const id = text(200);
