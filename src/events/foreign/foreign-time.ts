import { formatInstant } from '../../clock.ts';

/** The largest instant, in milliseconds, that has a calendar date in JavaScript. */
const LAST_INSTANT_MS = 8.64e15;

/**
 * Writes RFC 3339 out of epoch nanoseconds, as OTLP writes them: a number, or digits in a string.
 * Exporters written by hand send a coarser unit, which as nanoseconds would be an instant of the
 * first years of the epoch.
 */
export function timeFromNanos(nanos: unknown): unknown {
  const whole = wholeNanos(nanos);
  if (whole === null) return timeFromText(nanos);
  // Proto3 has no absent number: an unset time arrives as zero.
  if (whole === 0n) return undefined;
  const units = unitsInMs(whole);
  return timeFromMilliseconds(
    units === 1_000_000 ? Number(whole / 1_000_000n) : Number(whole) / units,
  );
}

/**
 * Returns how many of its unit are a millisecond, by the size of an epoch number; of seconds, a
 * thousandth.
 */
function unitsInMs(epoch: bigint | number): number {
  if (epoch < 1e11) return 0.001;
  if (epoch < 1e14) return 1;
  return epoch < 1e17 ? 1_000 : 1_000_000;
}

function wholeNanos(nanos: unknown): bigint | null {
  if (typeof nanos === 'string' && /^\d{1,20}$/.test(nanos)) return BigInt(nanos);
  if (typeof nanos === 'number' && Number.isInteger(nanos) && nanos >= 0) return BigInt(nanos);
  return null;
}

/** Writes RFC 3339 out of epoch milliseconds; anything that is no such number is handed back. */
export function timeFromMilliseconds(milliseconds: unknown): unknown {
  if (typeof milliseconds !== 'number' || !Number.isFinite(milliseconds)) return milliseconds;
  if (Math.abs(milliseconds) > LAST_INSTANT_MS) return milliseconds;
  return formatInstant(Math.round(milliseconds));
}

const PLAIN_TIME = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2}(?:\.\d+)?)(Z|[+-]\d{2}:?\d{2})?$/i;

/** Python writes `2025-01-24 09:20:46.847371`: a space, and no offset where the clock ran in UTC. */
function timeFromText(text: unknown): unknown {
  if (typeof text !== 'string') return text;
  const match = PLAIN_TIME.exec(text);
  if (match === null) return text;
  const [, day, time, offset = 'Z'] = match;
  return `${day}T${time}${offset.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2').toUpperCase()}`;
}

/**
 * Reads an instant in whichever of the usual spellings: a date and time in text, or an epoch number in seconds with
 * a fraction, or in a finer unit, which its size tells; versions of one producer differ.
 */
export function timeFromAny(value: unknown): unknown {
  const number = typeof value === 'string' && NUMERAL.test(value) ? Number(value) : value;
  if (typeof number !== 'number') return timeFromText(value);
  const time = timeFromMilliseconds(number / unitsInMs(Math.abs(number)));
  return typeof time === 'number' ? value : time;
}

const NUMERAL = /^\s*\d{9,20}(?:\.\d+)?\s*$/;
