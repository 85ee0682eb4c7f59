import { InvalidArgumentError } from 'commander';
import { instantOrNull, utcDay } from '../../clock.ts';
import { CURRENCY_ALLOWED, isSupportedCurrency } from '../../currencies.ts';
import { monthField } from '../../fields.ts';
import { formatPico, parseDecimal } from '../../money.ts';
import type { FurtherUnits } from '../../units.ts';
import { FURTHER_UNITS } from '../../units.ts';

/** What `--as-of` does wherever reports have it. */
export const AS_OF = 'what the ledger said then; what was recorded later is not in it';

/**
 * Readers of arguments; each says what is allowed, and commander puts the option's name before it. What they
 * give is as requests have it in their JSON, whose schemas read it.
 */

export function readMonth(text: string): string {
  if (monthField.safeParse(text).success) return text;
  throw new InvalidArgumentError('write the month as YYYY-MM, such as 2026-10.');
}

/** A schedule cannot write a month, and says `last`: it is the one before this, in UTC. */
export function readMonthOrLast(text: string): string {
  if (text === 'last' || monthField.safeParse(text).success) return text;
  throw new InvalidArgumentError('write the month as YYYY-MM, such as 2026-10, or as last.');
}

export function readAnchorDay(text: string): number {
  const day = Number(text);
  if (Number.isInteger(day) && day >= 1 && day <= 31) return day;
  throw new InvalidArgumentError('give a day of the month, 1 to 31.');
}

export function readCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new InvalidArgumentError('give a whole number above 0.');
}

/** So long that nothing waits longer in vain: a day. */
const MOST_SECONDS = 86_400;

export function readSeconds(text: string): number {
  const seconds = Number(text);
  if (/^\d{1,5}$/.test(text) && seconds <= MOST_SECONDS) return seconds;
  throw new InvalidArgumentError('give whole seconds, 0 to 86400.');
}

/** The port 0 takes one that is free. */
export function readPort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('give a port, 1 to 65535, or 0 for one that is free.');
}

export function readInstant(text: string): string {
  if (/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/i.test(text)) {
    const instant = text.toUpperCase();
    if (isInCalendar(instant)) return instant;
    throw new InvalidArgumentError('there is no such day or time.');
  }
  throw new InvalidArgumentError(
    'write the instant with its offset, such as 2026-10-01T00:00:00Z.',
  );
}

/** Date takes the 30th of February for a day in March, so the day must come back as it was given. */
function isInCalendar(instant: string): boolean {
  const day = instant.slice(0, 10);
  const midnight = instantOrNull(`${day}T00:00:00Z`);
  return midnight !== null && utcDay(midnight) === day && instantOrNull(instant) !== null;
}

export function readId(text: string): string {
  if (/^\d{1,18}$/.test(text)) return text;
  throw new InvalidArgumentError('give the number that the list shows.');
}

/** Reads a UTC day; its first instant is taken for it. */
export function readDay(text: string): string {
  const day = /^(\d{4}-\d{2}-\d{2})(?:T00:00:00(?:\.0+)?Z)?$/.exec(text)?.[1];
  if (day !== undefined && isInCalendar(`${day}T00:00:00Z`)) return day;
  throw new InvalidArgumentError('write a UTC day of the calendar as YYYY-MM-DD.');
}

export function readTokens(text: string): number {
  const tokens = Number(text);
  if (/^\d{1,12}$/.test(text)) return tokens;
  throw new InvalidArgumentError('give a whole number of tokens, 0 to 999999999999.');
}

/** Makes the reader of names with commas between them, of which each is one of these. */
export function readNamesOf<Name extends string>(known: readonly Name[]) {
  return (text: string): readonly Name[] =>
    text.split(',').map((given) => {
      const name = known.find((candidate) => candidate === given.trim());
      if (name !== undefined) return name;
      throw new InvalidArgumentError(`"${given}" is none of ${known.join(', ')}.`);
    });
}

/** Shares in percent, as `50,80,100`. */
export function readPercents(text: string): readonly number[] {
  if (/^[1-9]\d{0,3}(?:,[1-9]\d{0,3})*$/.test(text)) return text.split(',').map(Number);
  throw new InvalidArgumentError('write whole percents as 50,80,100.');
}

/** Counts by the names of units, as `images=2,searches=1`. */
export function readUnits(text: string): FurtherUnits {
  const counts = text.split(',').map((one) => {
    const [, name, count = ''] = /^(\w+)=(\d{1,12})$/.exec(one) ?? [];
    const unit = FURTHER_UNITS.find((known) => known.name === name);
    if (unit !== undefined) return [unit.name, Number(count)] as const;
    const names = FURTHER_UNITS.map((known) => known.name).join(', ');
    throw new InvalidArgumentError(`write units as images=2,searches=1; there are ${names}.`);
  });
  return Object.fromEntries(counts);
}

/** Reads a tag as name=value; an option that is repeated gathers them. */
export function readTag(
  text: string,
  before: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  const [, name, value] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new InvalidArgumentError('write a tag as name=value, such as team=search.');
  }
  return { ...before, [name]: value };
}

/** Reads an entry's id, `ent_12000000`; its number alone is taken for it. */
export function readEntryId(text: string): string {
  const number = /^(?:ent_)?(\d{1,18})$/.exec(text)?.[1];
  if (number !== undefined) return `ent_${number}`;
  throw new InvalidArgumentError(
    'give an entry_id as audit.entries shows it, such as ent_12000000.',
  );
}

/** Reads an exact amount in the major unit. */
export function readAmount(text: string): string {
  const amount = parseDecimal(text, 12);
  if (amount !== null) return formatPico(amount);
  throw new InvalidArgumentError('write a plain amount such as 1250.00, with up to 12 decimals.');
}

export function readCurrency(text: string): string {
  if (isSupportedCurrency(text)) return text;
  throw new InvalidArgumentError(`give ${CURRENCY_ALLOWED}.`);
}

/**
 * Reads lines as a shell passes them: a backslash and an n end one, and so does a real end of line.
 */
export function linesOfText(text: string): string {
  return text.replaceAll('\\n', '\n');
}
