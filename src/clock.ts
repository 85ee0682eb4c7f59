/** The only file that asks what time it is. Instants are epoch milliseconds, UTC. */

/** Epoch milliseconds. */
export type InstantMs = number;

export type Clock = () => InstantMs;

export const HOUR_MS = 60 * 60 * 1000;
/** A day of UTC; those of a zone may be longer and shorter. */
export const DAY_MS = 24 * HOUR_MS;

/** Machines of one ledger agree on the time to some minutes. */
export const CLOCKS_AGREE_WITHIN_MS = 5 * 60 * 1000;

export const systemClock: Clock = () => Date.now();

/**
 * Formats an instant as RFC 3339 in UTC with milliseconds, such as `2026-10-01T00:00:00.000Z`;
 * since ever, `-infinity`.
 */
export function formatInstant(instant: InstantMs): string {
  if (instant === Number.NEGATIVE_INFINITY) return '-infinity';
  const day = Math.floor(instant / DAY_MS);
  const date = dateText(day);
  const inDay = Math.trunc(instant) - day * DAY_MS;
  const seconds = Math.floor(inDay / 1000);
  const minutes = Math.floor(seconds / 60);
  return `${date}T${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(seconds % 60)}.${three(inDay % 1000)}Z`;
}

/** The same of what may not have happened. */
export function formatInstantOrNull(instant: InstantMs | null): string | null {
  return instant === null ? null : formatInstant(instant);
}

/** The ledger writes millions of instants of few days, and Date writes one in a microsecond or two. */
const dateTexts = new Map<number, string>();
const MOST_DATES = 4_000;

/** Throws a RangeError where there is no such day. */
function dateText(day: number): string {
  const known = dateTexts.get(day);
  if (known !== undefined) return known;
  const iso = new Date(day * DAY_MS).toISOString();
  const text = iso.slice(0, iso.indexOf('T'));
  if (dateTexts.size >= MOST_DATES) dateTexts.clear();
  dateTexts.set(day, text);
  return text;
}

const TWO = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, '0'));
const THREE = Array.from({ length: 1000 }, (_, value) => String(value).padStart(3, '0'));

function two(value: number): string {
  return TWO[value] ?? '';
}

function three(value: number): string {
  return THREE[value] ?? '';
}

/**
 * Reads RFC 3339 or Postgres's own form; `-infinity` is since ever. Throws on anything else, since
 * whoever calls has already validated the text or has it from the database.
 */
export function parseInstant(text: string): InstantMs {
  const instant = instantOrNull(text);
  if (instant === null) throw new Error(`"${text}" is not an instant`);
  return instant;
}

/** Reads an instant from a text that a person wrote: null where it is no instant. */
export function instantOrNull(text: string): InstantMs | null {
  const usual = parseUsualInstant(text) ?? parsePostgresInstant(text);
  if (usual !== null) return usual;
  if (text === '-infinity') return Number.NEGATIVE_INFINITY;
  const instant = Date.parse(text.replace(/([+-]\d\d)$/, '$1:00'));
  return Number.isNaN(instant) ? null : instant;
}

const USUAL_LENGTH = '2026-10-01T00:00:00.000Z'.length;
const dayInstants = new Map<string, InstantMs>();

/**
 * Reads what `formatInstant` writes, which nearly every producer writes too: a dozen times as fast
 * as Date, which the days alone are left to. Null where the text has any other form.
 */
function parseUsualInstant(text: string): InstantMs | null {
  if (text.length !== USUAL_LENGTH || text[10] !== 'T' || text[23] !== 'Z') return null;
  return text[19] === '.' ? instantOfDigits(text, digits(text, 20, 23)) : null;
}

const LEAST_OF_POSTGRES = '2026-10-01 00:00:00+00'.length;

/** What Postgres writes in UTC: a fraction without zeros at its end, or none. Null for microseconds, too. */
function parsePostgresInstant(text: string): InstantMs | null {
  const decimals = text.length - LEAST_OF_POSTGRES - 1;
  if (decimals < -1 || decimals === 0 || decimals > 3) return null;
  if (text[10] !== ' ' || !text.endsWith('+00')) return null;
  if (decimals === -1) return instantOfDigits(text, 0);
  if (text[19] !== '.') return null;
  return instantOfDigits(text, digits(text, 20, 20 + decimals) * 10 ** (3 - decimals));
}

/** The day, hours, minutes and seconds stand in the same places of both forms. */
function instantOfDigits(text: string, millisecond: number): InstantMs | null {
  if (text[13] !== ':' || text[16] !== ':') return null;
  const hour = digits(text, 11, 13);
  const minute = digits(text, 14, 16);
  const second = digits(text, 17, 19);
  if (!(hour < 24 && minute < 60 && second < 60 && millisecond < 1000)) return null;
  const day = dayInstant(text.slice(0, 10));
  return Number.isNaN(day) ? null : day + ((hour * 60 + minute) * 60 + second) * 1000 + millisecond;
}

/** Returns the number that digits make, or NaN where another character stands among them. */
function digits(text: string, start: number, end: number): number {
  let value = 0;
  for (let index = start; index < end; index += 1) {
    const digit = text.charCodeAt(index) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

function dayInstant(date: string): InstantMs {
  const known = dayInstants.get(date);
  if (known !== undefined) return known;
  const instant = Date.parse(`${date}T00:00:00.000Z`);
  if (dayInstants.size >= MOST_DATES) dayInstants.clear();
  dayInstants.set(date, instant);
  return instant;
}

/** Returns milliseconds since some moment, for measuring: never set back, and no instant. */
export function monotonicMs(): number {
  return performance.now();
}

/** Turns an instant into a `Date`, for the libraries that insist on one. */
export function toDate(instant: InstantMs): Date {
  return new Date(instant);
}

/** Returns the UTC day of an instant, such as `2026-10-01`. */
export function utcDay(instant: InstantMs): string {
  return formatInstant(instant).slice(0, 10);
}

/** Returns the month of UTC before the one that it is now, such as `2026-10`. */
export function lastMonth(clock: Clock): string {
  return monthAfter(utcDay(clock()).slice(0, 'YYYY-MM'.length), -1);
}

/** Returns the month that comes so many months after another: `2026-12` as `2027-01`. */
export function monthAfter(month: string, months = 1): string {
  const [year = 0, number = 1] = month.split('-').map(Number);
  return utcDay(Date.UTC(year, number - 1 + months)).slice(0, 'YYYY-MM'.length);
}

/** Resolves after so many milliseconds, or at once when the signal is aborted. Never rejects. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** Resolves and rejects as the work does, and rejects when that takes longer; the work itself goes on. */
export async function withinTime<Result>(
  milliseconds: number,
  work: Promise<Result>,
): Promise<Result> {
  const done = new AbortController();
  const late = pause(milliseconds, done.signal).then((): never => {
    throw new Error(`there was no answer within ${milliseconds} ms`);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    late.catch(() => {});
    done.abort();
  }
}
