import { formatInstant } from '../../clock.ts';

/** The largest instant, in milliseconds, that has a calendar date in JavaScript. */
const LAST_INSTANT_MS = 8.64e15;

/** RFC 3339 out of epoch nanoseconds, as OTLP writes them: a number, or digits in a string. */
export function timeFromNanos(nanos: unknown): unknown {
  const whole = wholeNanos(nanos);
  if (whole === null) return nanos;
  // Proto3 has no absent number: an unset time arrives as zero.
  return whole === 0n ? undefined : timeFromMilliseconds(Number(whole / 1_000_000n));
}

function wholeNanos(nanos: unknown): bigint | null {
  if (typeof nanos === 'string' && /^\d{1,20}$/.test(nanos)) return BigInt(nanos);
  if (typeof nanos === 'number' && Number.isInteger(nanos) && nanos >= 0) return BigInt(nanos);
  return null;
}

/** RFC 3339 out of epoch milliseconds; anything that is no such number is handed back. */
export function timeFromMilliseconds(milliseconds: unknown): unknown {
  if (typeof milliseconds !== 'number' || !Number.isFinite(milliseconds)) return milliseconds;
  if (Math.abs(milliseconds) > LAST_INSTANT_MS) return milliseconds;
  return formatInstant(Math.round(milliseconds));
}

/** RFC 3339 out of epoch seconds with a fraction, or out of a date and time in text. */
export function timeFromSeconds(seconds: unknown): unknown {
  return typeof seconds === 'number' ? secondsToTime(seconds) : timeFromText(seconds);
}

function secondsToTime(seconds: number): unknown {
  const time = timeFromMilliseconds(seconds * 1000);
  return typeof time === 'number' ? seconds : time;
}

const PLAIN_TIME = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2}(?:\.\d+)?)(Z|[+-]\d{2}:?\d{2})?$/i;

/** Python writes `2025-01-24 09:20:46.847371`: a space, and no offset where the clock ran in UTC. */
export function timeFromText(text: unknown): unknown {
  if (typeof text !== 'string') return text;
  const match = PLAIN_TIME.exec(text);
  if (match === null) return text;
  const [, day, time, offset = 'Z'] = match;
  return `${day}T${time}${offset.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2').toUpperCase()}`;
}

/** An epoch number above this is in milliseconds: as seconds it would be after the year 5138. */
const FIRST_MILLISECOND_EPOCH = 1e11;

/** Reads an instant of producers that do not say which of the usual spellings they use. */
export function timeFromAny(value: unknown): unknown {
  if (typeof value !== 'number') return timeFromText(value);
  return value > FIRST_MILLISECOND_EPOCH ? timeFromMilliseconds(value) : timeFromSeconds(value);
}
