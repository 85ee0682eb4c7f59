import { DateTime } from 'luxon';
import type { InstantMs } from '../clock.ts';

/**
 * The forms that customers read write figures and days in one way. Amounts go in and come out as
 * text.
 */

const SYMBOLS: Readonly<Record<string, string>> = { USD: '$', EUR: '€', GBP: '£', JPY: '¥' };

/**
 * Formats an amount: `-1234.50` → `−$1,234.50`; a currency without a symbol of its own stands
 * before as its code.
 */
export function formatMoney(amount: string, currency: string): string {
  const negative = amount.startsWith('-');
  const symbol = SYMBOLS[currency] ?? `${currency} `;
  return `${negative ? MINUS : ''}${symbol}${groupDigits(negative ? amount.slice(1) : amount)}`;
}

/** Puts digits in groups: 1234567 → 1,234,567; the decimals stay as they are. */
export function groupDigits(figure: string): string {
  const [whole = '', decimals] = figure.split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return decimals === undefined ? grouped : `${grouped}.${decimals}`;
}

/**
 * Formats an exact figure with no fewer than two decimals and no zeros after those: 4 → 4.00,
 * 0.0750 → 0.075.
 */
export function formatExact(figure: string): string {
  const [whole = '', decimals = ''] = figure.split('.');
  const figures = `${whole}.${decimals.replace(/0+$/, '').padEnd(2, '0')}`;
  return groupDigits(figures).replace(/^-/, MINUS);
}

/** Calls are counted in millionths, because a batched call is split; whole ones read as whole. */
export function formatQuantity(quantity: string): string {
  const whole = quantity.includes('.') ? quantity.replace(/\.?0+$/, '') : quantity;
  return groupDigits(whole).replace(/^-/, MINUS);
}

/** Writes a period like `1 – 31 October 2026`; what both ends share is said once. */
export function formatPeriod(startsAt: string, endsAt: string, zone: string): string {
  const first = DateTime.fromISO(startsAt, { zone });
  const last = DateTime.fromISO(endsAt, { zone }).minus({ milliseconds: 1 });
  const end = english(last, 'd MMMM yyyy');
  if (first.hasSame(last, 'day')) return end;
  if (first.hasSame(last, 'month')) return `${english(first, 'd')} – ${end}`;
  return `${english(first, first.hasSame(last, 'year') ? 'd MMMM' : 'd MMMM yyyy')} – ${end}`;
}

/** Writes an instant like `2026-10-01 00:00 +02:00`. */
export function formatLocalInstant(instant: string, zone: string): string {
  return english(DateTime.fromISO(instant, { zone }), 'yyyy-MM-dd HH:mm ZZ');
}

/** Formats the day of an instant in a zone, such as `2 November 2026`. */
export function formatLocalDay(instant: string, zone: string): string {
  return english(DateTime.fromISO(instant, { zone }), 'd MMMM yyyy');
}

/** Formats a month: `2026-10` → `October 2026`. */
export function formatMonth(month: string): string {
  return english(DateTime.fromISO(month, { zone: 'utc' }), 'MMMM yyyy');
}

/** Formats a day: `2026-10-05` → `5 Oct`. */
export function formatShortDay(day: string): string {
  return english(DateTime.fromISO(day, { zone: 'utc' }), 'd MMM');
}

/** Returns the day on which an instant falls in a zone, such as `2026-10-05`. */
export function localDayOf(at: InstantMs, zone: string): string {
  return english(DateTime.fromMillis(at, { zone }), 'yyyy-MM-dd');
}

/** Returns every day of a half-open period in its own zone, such as `2026-10-05`. */
export function localDaysOf(period: {
  readonly starts_at: string;
  readonly ends_at: string;
  readonly time_zone: string;
}): readonly string[] {
  const zone = period.time_zone;
  const end = DateTime.fromISO(period.ends_at, { zone });
  const days: string[] = [];
  let day = DateTime.fromISO(period.starts_at, { zone }).startOf('day');
  while (day < end) {
    days.push(english(day, 'yyyy-MM-dd'));
    day = day.plus({ days: 1 });
  }
  return days;
}

const MINUS = '−';

function english(instant: DateTime, format: string): string {
  return instant.setLocale('en-US').toFormat(format);
}
