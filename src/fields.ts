import { z } from 'zod';

/**
 * The fields of which requests and answers are made: names in snake_case, amounts as exact decimal
 * strings in the major unit, instants as RFC 3339 in UTC, and ids and whole numbers that may pass 2⁵³ as strings.
 */

/** The month in which a period begins, YYYY-MM. */
export const monthField = z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'write it as YYYY-MM');

/** A calendar day, YYYY-MM-DD. */
export const dayField = z.iso.date();

/** A decimal string in the major unit, exact to a picodollar. */
export const amountField = z.string().regex(/^-?\d+(\.\d{1,12})?$/, 'write it as 1250.00');

/** SHA-256 in hex. */
export const hashField = z.hex().length(64);

/** A list in its order. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z.array(item).readonly();
}
