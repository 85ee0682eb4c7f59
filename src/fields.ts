import { z } from 'zod';
import { formatInstant, parseInstant, utcDay } from './clock.ts';
import { exactPico, formatPico, parseDecimal } from './money.ts';

/**
 * The fields of which requests and answers are made: names in snake_case, amounts as exact decimal
 * strings in the major unit, instants as RFC 3339 in UTC, and ids and whole numbers that may pass 2⁵³ as strings.
 */

/** The month in which a period begins, YYYY-MM, of a year in which calendars can be reckoned with. */
export const monthField = z
  .string()
  .regex(/^(?:19[7-9]\d|[2-8]\d{3})-(?:0[1-9]|1[0-2])$/, 'write it as YYYY-MM');

/** A calendar day, YYYY-MM-DD. */
export const dayField = z.iso.date();

/** A decimal string in the major unit, exact to a picodollar. */
export const amountField = z.string().regex(/^-?\d+(\.\d{1,12})?$/, 'write it as 1250.00');

/** A number that names a thing. */
export const idField = z.string().regex(/^\d{1,18}$/, 'write it as a string of at most 18 digits');

export const countField = z.int().nonnegative();

/** SHA-256 in hex. */
export const hashField = z.hex().length(64);

/** Makes the schema of a list in its order. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z.array(item).readonly();
}

/** An instant in RFC 3339. */
export const instantField = z.iso.datetime({ offset: true });

/** A whole number that may pass 2⁵³, such as a sum of tokens. */
export const wholeField = z.string().regex(/^-?\d+$/, 'write a whole number');

/** A share in percent, with two decimals. */
export const percentField = z.string().regex(/^-?\d+\.\d\d$/);

/** An entry's id as audit.entries shows it. */
export const entryIdField = z.string().regex(/^ent_\d{1,18}$/, 'write it as ent_12000000');

/** Fields of requests that code reckons with as something else than the text that they travel as. */

/** Months have the same bounds: before and after them no calendar of ours reckons, and Postgres writes years otherwise. */
const isReckoned = (text: string) => /^(?:19[7-9]\d|[2-8]\d{3})-/.test(text);
const RECKONED = 'write a year from 1970 to 8999';

/** An instant, as epoch milliseconds. */
export const instantGiven = z.codec(instantField.refine(isReckoned, RECKONED), z.number(), {
  decode: parseInstant,
  encode: formatInstant,
});

/** A UTC day, as its first instant. */
export const dayGiven = z.codec(dayField.refine(isReckoned, RECKONED), z.number(), {
  decode: (day) => parseInstant(`${day}T00:00:00Z`),
  encode: utcDay,
});

const isExact = (text: string) => parseDecimal(text, 12) !== null;
const SHORTER = 'write fewer digits';

/** An amount, in picodollars. */
export const amountGiven = z.codec(amountField.refine(isExact, SHORTER), z.bigint(), {
  decode: exactPico,
  encode: formatPico,
});

/** An entry's id, as the number in it. */
export const entryIdGiven = z.codec(entryIdField, z.bigint(), {
  decode: (text) => BigInt(text.slice('ent_'.length)),
  encode: (id) => `ent_${id}`,
});

/** Whatever reorders text, breaks a line or shows nothing, and so could make a name read as another one. */
const UNREADABLE = /[\p{Cc}\p{Cs}\p{Co}\u2028-\u202e\u2066-\u2069\ufeff]/u;

const READABLE = 'write it without control characters and marks that reorder text';

/** Makes the schema of a line of text in any script, of so many characters at the most. */
export function lineGiven(most: number) {
  return z
    .string()
    .trim()
    .max(most)
    .refine((text) => !UNREADABLE.test(text), READABLE);
}

/** Makes the schema of a text in lines, such as an address. */
export function linesGiven(most: number) {
  return z
    .string()
    .trim()
    .max(most)
    .transform((text) => text.replaceAll(/[^\S\n]*\r?\n[^\S\n]*/g, '\n'))
    .refine((text) => text.split('\n').length <= MOST_LINES, `write at most ${MOST_LINES} lines`)
    .refine((text) => !UNREADABLE.test(text.replaceAll('\n', '')), READABLE);
}

const MOST_LINES = 6;

/** The reason why something is done, and who does it; both are kept with what is done. */
export const noteFields = { reason: z.string(), actor: z.string() };
